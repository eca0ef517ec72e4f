// SPDX-License-Identifier: Apache-2.0
// Measured rows become laws, and tables of steps regressions.
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <filesystem>
#include <ranges>
#include <system_error>

namespace joulecast::cli {
namespace {

Result<std::filesystem::path> make_directory(const Arguments& arguments) {
  const auto output = arguments.value("output");
  if (!output || output->empty()) {
    return std::unexpected(Error{ErrorKind::usage, "is missing",
                                 Location{.file = {}, .path = "--output"},
                                 "name the folder for the laws, e.g. --output laws"});
  }
  std::error_code problem;
  std::filesystem::create_directories(*output, problem);
  if (problem) {
    return std::unexpected(Error{ErrorKind::io, problem.message(), Location{.file = *output},
                                 "check the path and its permissions"});
  }
  return std::filesystem::path(*output);
}

Result<Report> fit_tables(const Arguments& arguments, const Configuration& configuration) {
  const auto rows = read_measurement_tables(arguments);
  if (!rows) return std::unexpected(rows.error());
  const auto catalogue = read_catalogue(Settings(arguments, configuration));
  if (!catalogue) return std::unexpected(catalogue.error());
  const auto fits =
      fit_laws(*rows, *catalogue, {.family = arguments.value("family").value_or("auto")});
  if (!fits) return std::unexpected(fits.error());
  const auto directory = make_directory(arguments);
  if (!directory) return std::unexpected(directory.error());
  if (auto saved = save_fits(*directory, *fits); !saved) return std::unexpected(saved.error());
  return report_fits(*fits, directory->string());
}

std::unexpected<Error> misuse(std::string_view flag, std::string message, std::string remedy) {
  return std::unexpected(Error{ErrorKind::usage, std::move(message),
                               Location{.file = {}, .path = "--" + std::string(flag)},
                               std::move(remedy)});
}

Result<RegressionMethod> read_method(const Arguments& arguments) {
  const std::string name = arguments.value("regression").value_or("");
  for (const RegressionMethod method : {RegressionMethod::ordinary_least_squares,
                                        RegressionMethod::ridge, RegressionMethod::non_negative}) {
    if (to_string(method) == name) return method;
  }
  return misuse("regression", "unknown value \"" + name.substr(0, 80) + "\"",
                "choose one of: ols, ridge, nnls");
}

Result<RegressionOptions> read_regression(const Arguments& arguments, const Settings& settings) {
  const auto method = read_method(arguments);
  if (!method) return std::unexpected(method.error());
  RegressionOptions options{.method = *method};
  if (arguments.words.size() != 1) {
    return misuse("regression", "takes one table", "join the tables, or name one of them");
  }
  if (arguments.has("family")) return misuse("family", "is for laws", "leave it out");
  options.target = arguments.value("target").value_or("");
  if (options.target.empty()) {
    return misuse("target", "is missing",
                  "name the column to explain, e.g. --target energy_joules");
  }
  for (const std::string& list : arguments.values("features")) {
    for (const auto part : std::views::split(list, ',')) {
      options.features.emplace_back(part.begin(), part.end());
    }
  }
  const auto penalty = settings.number("penalty");
  if (!penalty) return std::unexpected(penalty.error());
  if (*penalty && options.method != RegressionMethod::ridge) {
    return misuse("penalty", "is for ridge", "leave it out, or add --regression ridge");
  }
  options.penalty = penalty->value_or(options.penalty);
  const auto resamples = settings.whole("bootstrap");
  if (!resamples) return std::unexpected(resamples.error());
  if (resamples->value_or(0) < 0 || resamples->value_or(0) > 1'000'000) {
    return misuse("bootstrap", "must lie between 0 and 1000000", "1000 is usual");
  }
  options.resamples = static_cast<int>(resamples->value_or(options.resamples));
  return options;
}

int run_regression(const Arguments& arguments, const Configuration& configuration) {
  const auto destination = read_destination(arguments);
  if (!destination) return print_error(destination.error());
  const auto options = read_regression(arguments, Settings(arguments, configuration));
  if (!options) return print_error(options.error());
  const auto regression = fit_regression(arguments.words.front(), *options);
  if (!regression) return print_error(regression.error());
  const Report report = report_regression(*regression);
  if (destination->format == Format::csv) print_warnings(regression->warnings);
  if (!destination->file) return print_report(report, destination->format);
  const auto saved = save_report(*destination->file, report, destination->format);
  return saved ? exit_done : print_error(saved.error());
}

// Flags that only a regression reads.
Result<void> check_law_flags(const Arguments& arguments) {
  for (const std::string_view flag : {"target", "features", "penalty", "bootstrap"}) {
    if (arguments.has(flag)) return misuse(flag, "is for regressions", "add --regression ols");
  }
  return {};
}

}  // namespace

int run_fit(const Arguments& arguments, const Configuration& configuration) {
  if (arguments.has("regression")) return run_regression(arguments, configuration);
  if (auto checked = check_law_flags(arguments); !checked) return print_error(checked.error());
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  const auto report = fit_tables(arguments, configuration);
  return report ? print_report(*report, *format) : print_error(report.error());
}

}  // namespace joulecast::cli

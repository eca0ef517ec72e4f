// SPDX-License-Identifier: Apache-2.0
// Measured rows become laws.
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <filesystem>
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

}  // namespace

int run_fit(const Arguments& arguments, const Configuration& configuration) {
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  const auto report = fit_tables(arguments, configuration);
  return report ? print_report(*report, *format) : print_error(report.error());
}

}  // namespace joulecast::cli

// SPDX-License-Identifier: Apache-2.0
// Verbs that predict nothing: what there is, and whether the paper's numbers follow.
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joulecast::cli {

int run_devices(const Arguments& arguments, const Configuration& configuration) {
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  const Settings settings(arguments, configuration);
  const auto catalogue = read_catalogue(settings);
  if (!catalogue) return print_error(settings.locate(catalogue.error()));
  if (arguments.words.empty()) {
    return print_report(report_devices(catalogue->devices()), *format);
  }
  const auto device = catalogue->find(arguments.words.front());
  if (!device) return print_error(device.error());
  return print_report(report_device(*device), *format);
}

int run_models(const Arguments& arguments) {
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  return print_report(report_models(shipped_models()), *format);
}

int run_regions(const Arguments& arguments) {
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  if (arguments.words.empty()) return print_report(report_regions(shipped_regions()), *format);
  const auto region = find_region(arguments.words.front());
  if (!region) return print_error(region.error());
  return print_report(report_regions({*region}), *format);
}

int run_reproduce(const Arguments& arguments) {
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  if (arguments.words.front() != "ecai2025") {
    return print_error(Error{ErrorKind::not_found,
                             fmt::format("unknown paper \"{}\"", arguments.words.front()),
                             Location{.file = {}, .path = "reproduce"}, "there is: ecai2025"});
  }
  const auto reproduction =
      reproduce_ecai2025({.data_directory = arguments.value("data"), .published = std::nullopt});
  if (!reproduction) return print_error(reproduction.error());
  const int printed = print_report(report_reproduction(*reproduction), *format);
  if (printed != exit_done) return printed;
  if (reproduction->agrees()) return exit_done;
  std::fputs("joulecast: error: a recomputed number disagrees with the paper\n", stderr);
  return exit_check_failed;
}

int run_doctor(const Arguments& arguments, const Result<Configuration>& loaded) {
  if (arguments.has("version")) return print(fmt::format("joulecast {}\n", version()));
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  // What is broken is reported after what can be said without it.
  std::optional<Error> problem;
  if (!loaded) problem = loaded.error();
  const Configuration configuration = loaded.value_or(
      Configuration{.path = configuration_path(arguments), .exists = true, .values = {}});
  auto catalogue = read_catalogue(Settings(arguments, configuration));
  if (!catalogue) {
    problem = problem.value_or(catalogue.error());
    catalogue = load_devices();
    if (!catalogue) return print_error(catalogue.error());
  }
  const std::string path = configuration.path.empty()
                               ? "none: neither XDG_CONFIG_HOME nor HOME is set"
                               : configuration.path.string();
  const std::size_t laws = shipped_law_ids().size();
  Report report{.kind = "doctor", .title = fmt::format("joulecast {}", version())};
  Fields facts{.key = "doctor", .title = ""};
  facts.fields = {
      {"version", "", Unit::none, std::string(version())},
      {"commit", "commit", Unit::none, std::string(commit())},
      {"compiler", "compiler", Unit::none, std::string(__VERSION__)},
      {"configuration_file", "configuration file", Unit::none, path},
      {"configuration_found", "  found", Unit::none, configuration.exists},
      {"problem", problem ? "problem" : "", Unit::none,
       problem ? Datum(problem->message) : Datum(std::monostate{})},
      {"devices", "devices", Unit::count, static_cast<std::int64_t>(catalogue->devices().size())},
      {"regions", "regions", Unit::count, static_cast<std::int64_t>(shipped_regions().size())},
      {"fitted_laws", "fitted laws", Unit::count, static_cast<std::int64_t>(laws)},
      {"prior_sha256", "prior", Unit::none, shipped_prior().prior().sha256}};
  report.sections.emplace_back(std::move(facts));
  Table settings{.key = "configuration",
                 .title = "Configuration",
                 .columns = {{"key", "key", Unit::none}, {"value", "value", Unit::none}}};
  for (const auto& [flag, values] : configuration.values) {
    settings.rows.push_back({flag, fmt::format("{}", fmt::join(values, ", "))});
  }
  report.csv = settings;
  report.sections.emplace_back(std::move(settings));
  const int printed = print_report(report, *format);
  return problem && printed == exit_done ? print_error(*problem) : printed;
}

}  // namespace joulecast::cli

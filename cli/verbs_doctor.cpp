// SPDX-License-Identifier: Apache-2.0
// What a bug report needs, and everything in the configuration that the other verbs would refuse.
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joulecast::cli {
namespace {

// The first thing that a prediction would refuse.
std::optional<Error> find_problem(const Settings& settings, const DeviceCatalogue& catalogue) {
  const auto error_of = [](const auto& result) {
    return result ? std::nullopt : std::optional(result.error());
  };
  std::optional<Error> problem = error_of(read_precision(settings));
  if (!problem) problem = error_of(read_optimizer(settings));
  if (!problem) problem = error_of(read_site(settings));
  if (!problem) problem = error_of(find_gpus(settings, catalogue));
  if (problem) problem = settings.locate(*problem);
  return problem;
}

// Key by key, with the functions by which the other verbs read them, so that one mistake does not
// hide the next.
std::vector<Error> find_problems(const Configuration& configuration,
                                 const DeviceCatalogue& catalogue) {
  std::vector<Error> problems;
  const Arguments no_arguments;
  for (const auto& [flag, values] : configuration.values) {
    Configuration alone{.path = configuration.path, .exists = true};
    alone.values[flag] = values;
    alone.places = configuration.places;
    if (auto problem = find_problem(Settings(no_arguments, alone), catalogue)) {
      problems.push_back(std::move(*problem));
    }
  }
  return problems;
}

Fields list_facts(const Configuration& configuration, const DeviceCatalogue& catalogue) {
  const std::string path = configuration.path.empty()
                               ? "none: neither XDG_CONFIG_HOME nor HOME is set"
                               : configuration.path.string();
  const auto count = [](std::size_t size) { return static_cast<std::int64_t>(size); };
  return {.key = "doctor",
          .title = "",
          .fields = {{"version", "", Unit::none, std::string(version())},
                     {"commit", "commit", Unit::none, std::string(commit())},
                     {"compiler", "compiler", Unit::none, std::string(__VERSION__)},
                     {"configuration_file", "configuration file", Unit::none, path},
                     {"configuration_found", "  found", Unit::none, configuration.exists},
                     {"devices", "devices", Unit::count, count(catalogue.devices().size())},
                     {"regions", "regions", Unit::count, count(shipped_regions().size())},
                     {"fitted_laws", "fitted laws", Unit::count, count(shipped_law_ids().size())},
                     {"prior_sha256", "prior", Unit::none, shipped_prior().prior().sha256}}};
}

Table list_settings(const Configuration& configuration) {
  Table table{.key = "configuration",
              .title = "Configuration",
              .columns = {{"key", "key", Unit::none}, {"value", "value", Unit::none}}};
  for (const auto& [flag, values] : configuration.values) {
    table.rows.push_back({flag, fmt::format("{}", fmt::join(values, ", "))});
  }
  return table;
}

Table list_problems(const std::vector<Error>& problems) {
  Table table{.key = "problems",
              .title = "Problems",
              .columns = {{"file", "", Unit::none},
                          {"line", "", Unit::plain},
                          {"column", "", Unit::plain},
                          {"key", "where", Unit::none},
                          {"message", "what is wrong", Unit::none},
                          {"remedy", "", Unit::none}}};
  const auto number = [](int place) {
    return place > 0 ? Datum(std::int64_t{place}) : Datum(std::monostate{});
  };
  for (const Error& problem : problems) {
    const Location& where = problem.where;
    table.rows.push_back({where.file, number(where.line), number(where.column),
                          where.path.empty() ? where.file : where.path, problem.message,
                          problem.remedy});
  }
  return table;
}

// One row for each fact, setting and problem.
Table as_csv(const Fields& facts, const Table& settings, const Table& problems) {
  Table csv{
      .key = "",
      .title = "",
      .columns = {{"section", "", Unit::none}, {"key", "", Unit::none}, {"value", "", Unit::none}}};
  for (const Field& field : facts.fields) csv.rows.push_back({facts.key, field.key, field.value});
  for (const auto& row : settings.rows) csv.rows.push_back({settings.key, row[0], row[1]});
  for (const auto& row : problems.rows) csv.rows.push_back({problems.key, row[3], row[4]});
  return csv;
}

}  // namespace

int run_doctor(const Arguments& arguments, const Result<Configuration>& loaded) {
  if (arguments.has("version")) return print(fmt::format("joulecast {}\n", version()));
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  // What is broken is reported after what can be said without it.
  std::vector<Error> problems;
  if (!loaded) problems.push_back(loaded.error());
  Configuration configuration{.path = configuration_path(arguments)};
  std::error_code ignored;
  configuration.exists = std::filesystem::exists(configuration.path, ignored);
  if (loaded) configuration = *loaded;
  const Settings settings(arguments, configuration);
  auto catalogue = read_catalogue(settings);
  if (!catalogue) {
    problems.push_back(settings.locate(catalogue.error()));
    catalogue = load_devices();
    if (!catalogue) return print_error(catalogue.error());
  }
  for (Error& problem : find_problems(configuration, *catalogue)) {
    problems.push_back(std::move(problem));
  }
  Report report{.kind = "doctor", .title = fmt::format("joulecast {}", version())};
  Fields facts = list_facts(configuration, *catalogue);
  Table known = list_settings(configuration);
  Table wrong = list_problems(problems);
  report.csv = as_csv(facts, known, wrong);
  report.sections = {std::move(facts), std::move(known), std::move(wrong)};
  const int printed = print_report(report, *format);
  if (printed != exit_done) return printed;
  for (const Error& problem : problems) print_error(problem);
  return problems.empty() ? exit_done : exit_bad_input;
}

}  // namespace joulecast::cli

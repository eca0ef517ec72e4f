// SPDX-License-Identifier: Apache-2.0
// Measurements of others: read, check and write as one table.
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <filesystem>
#include <system_error>

namespace joulecast::cli {
namespace {

Result<std::string> read_output(const Arguments& arguments, const ImportRequest& request) {
  const auto output = arguments.value("output");
  if (!output || output->empty()) {
    return std::unexpected(Error{ErrorKind::usage, "is missing",
                                 Location{.file = {}, .path = "--output"},
                                 "name the table to write, e.g. --output measurements.csv"});
  }
  for (const std::filesystem::path& file : request.files) {
    std::error_code ignored;
    if (!std::filesystem::equivalent(file, *output, ignored)) continue;
    return std::unexpected(Error{ErrorKind::usage, "would replace what is being imported",
                                 Location{.file = *output}, "name another file"});
  }
  return *output;
}

Result<Report> import_and_save(const Arguments& arguments, const Configuration& configuration) {
  ImportRequest request{.format = arguments.words.front(),
                        .files = {arguments.words.begin() + 1, arguments.words.end()},
                        .device = arguments.value("device").value_or(""),
                        .software = arguments.value("software").value_or("")};
  const auto output = read_output(arguments, request);
  if (!output) return std::unexpected(output.error());
  const auto catalogue = read_catalogue(Settings(arguments, configuration));
  if (!catalogue) return std::unexpected(catalogue.error());
  const auto imported = import_measurements(request, *catalogue);
  if (!imported) return std::unexpected(imported.error());
  const auto saved = save_measurements(*output, imported->measurements);
  if (!saved) return std::unexpected(saved.error());
  return report_import(*imported, *output);
}

}  // namespace

int run_import(const Arguments& arguments, const Configuration& configuration) {
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  const auto report = import_and_save(arguments, configuration);
  return report ? print_report(*report, *format) : print_error(report.error());
}

}  // namespace joulecast::cli

// SPDX-License-Identifier: Apache-2.0
// Verbs that predict nothing: what there is, and whether the paper's numbers follow.
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

// The library blames the flag that takes such a name; here it is an argument.
int print_unknown(Error error) {
  if (error.kind == ErrorKind::not_found) error.where.path = "ID";
  return print_error(error);
}

}  // namespace

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
  if (!device) return print_unknown(device.error());
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
  if (!region) return print_unknown(region.error());
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

}  // namespace joulecast::cli

// SPDX-License-Identifier: Apache-2.0
#include "output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

bool wants_colour(int file) {
  const char* refused = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return isatty(file) == 1 && (refused == nullptr || *refused == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

// Names in the input may hold anything; what steers a terminal must not reach one.
std::string printable(std::string_view text) { return show(Datum(std::string(text)), Unit::none); }

// For a terminal; a file or a pipe gets the bytes as they are.
std::string printable_lines(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    clean += printable(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return clean;
}

}  // namespace

int write_fully(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int print(std::string_view text) {
  const int problem = write_fully(STDOUT_FILENO, text);
  if (problem == 0 || problem == EPIPE) return exit_done;
  return print_error(Error{ErrorKind::io,
                           fmt::format("writing the result failed: {}", std::strerror(problem)),
                           Location{.file = "stdout"}, "check the disk or the receiver"});
}

int print_report(const Report& report, Format format) {
  const std::string text = render(report, format, {.colour = wants_colour(STDOUT_FILENO)});
  // Text and Markdown are clean but for the escapes of our own headings, JSON escapes all.
  if (format == Format::csv && isatty(STDOUT_FILENO) == 1) return print(printable_lines(text));
  return print(text);
}

void print_report_to_stderr(const Report& report, Format format) {
  const std::string text = render(report, format, {.colour = wants_colour(STDERR_FILENO)});
  std::fputs(text.c_str(), stderr);
}

int print_error(const Error& error) {
  const Error clean{error.kind,
                    printable(error.message),
                    {.file = printable(error.where.file),
                     .path = printable(error.where.path),
                     .line = error.where.line,
                     .column = error.where.column},
                    printable(error.remedy)};
  const std::string text = fmt::format("joulecast: error: {}\n", describe(clean));
  std::fputs(text.c_str(), stderr);
  return error.kind == ErrorKind::hardware_absent ? exit_no_hardware : exit_bad_input;
}

void print_warnings(const std::vector<Warning>& warnings) {
  for (const Warning& warning : warnings) {
    const std::string text =
        fmt::format("joulecast: warning: {}: {}: {}\n", to_string(warning.code),
                    printable(warning.subject), printable(warning.message));
    std::fputs(text.c_str(), stderr);
  }
}

int print_strict(const std::vector<Warning>& warnings) {
  print_warnings(warnings);
  std::fputs("joulecast: error: --strict: the warnings above are errors\n", stderr);
  return exit_check_failed;
}

}  // namespace joulecast::cli

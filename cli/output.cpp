// SPDX-License-Identifier: Apache-2.0
#include "output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

bool wants_colour() {
  const char* refused = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && (refused == nullptr || *refused == '\0');
}

// Control characters in names from files must not reach the terminal.
std::string printable(std::string_view text) {
  std::string clean;
  for (const char character : text) {
    const bool control = static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
    clean += control && character != '\n' ? '?' : character;
  }
  return clean;
}

}  // namespace

int print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) return exit_done;
    if (written < 0) {
      return print_error(Error{ErrorKind::io,
                               fmt::format("writing the result failed: {}", std::strerror(errno)),
                               Location{.file = "stdout"}, "check the disk or the receiver"});
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return exit_done;
}

int print_report(const Report& report, Format format) {
  const std::string text = render(report, format, {.colour = wants_colour()});
  // The escapes of our own headings are the only ones; they are added on terminals alone.
  return print(text);
}

int print_error(const Error& error) {
  const std::string text = printable(fmt::format("joulecast: error: {}\n", describe(error)));
  std::fputs(text.c_str(), stderr);
  return exit_bad_input;
}

void print_warnings(const std::vector<Warning>& warnings) {
  for (const Warning& warning : warnings) {
    const std::string text =
        printable(fmt::format("joulecast: warning: {}: {}: {}\n", to_string(warning.code),
                              warning.subject, warning.message));
    std::fputs(text.c_str(), stderr);
  }
}

int print_strict(const std::vector<Warning>& warnings) {
  print_warnings(warnings);
  std::fputs("joulecast: error: --strict: the warnings above are errors\n", stderr);
  return exit_check_failed;
}

}  // namespace joulecast::cli

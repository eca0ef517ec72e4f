// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where results and errors go: data to stdout, everything else to stderr.

#include <joulecast/error.hpp>
#include <joulecast/report.hpp>

#include <string>
#include <string_view>

namespace joulecast::cli {

enum ExitCode : int {
  exit_done = 0,
  exit_check_failed = 1,
  exit_bad_input = 2,
  exit_no_hardware = 3,
};

// All of the text, whatever interrupts. Returns 0, or the errno of what went wrong.
int write_fully(int file, std::string_view text);

// A reader that has seen enough (`joulecast devices | head`) is success; a full disk is not.
int print(std::string_view text);
int print_report(const Report& report, Format format);

// For verbs whose stdout is somebody else's.
void print_report_to_stderr(const Report& report, Format format);

// Returns the exit code: 3 where hardware is absent, else 2.
int print_error(const Error& error);

// With --strict, warnings end the command.
int print_strict(const std::vector<Warning>& warnings);
// CSV has no place for warnings, so they go to stderr.
void print_warnings(const std::vector<Warning>& warnings);

}  // namespace joulecast::cli

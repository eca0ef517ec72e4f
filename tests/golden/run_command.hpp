// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs one line of shell in the source folder, with this build's `joulecast` first on PATH and a
// home that holds no configuration, and takes what it prints.

#include <string>

namespace joulecast::golden {

struct CommandResult {
  std::string output{};
  std::string error_output{};
  int exit_code = 0;
};

// The commit and the compiler differ from build to build; their places are held by words.
CommandResult run_command(const std::string& command);

}  // namespace joulecast::golden

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The user's configuration file: what a team states once. TOML in the usual place,
// $XDG_CONFIG_HOME/joulecast/config.toml or ~/.config/joulecast/config.toml. Its keys are the
// flags' names with underscores; a flag on the command line wins.

#include "arguments.hpp"

#include <joulecast/error.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace joulecast::cli {

struct Place {
  int line = 0;
  int column = 0;
};

struct Configuration {
  std::filesystem::path path{};  // where it is, or would be; empty if no home is known
  bool exists = false;
  std::map<std::string, std::vector<std::string>, std::less<>> values{};  // by flag name
  std::map<std::string, Place, std::less<>> places{};                     // likewise
};

// Where the file is, or would be; empty if no home is known.
std::filesystem::path configuration_path(const Arguments& arguments);

// `--config FILE` must exist; the file in the usual place need not.
Result<Configuration> load_configuration(const Arguments& arguments);

}  // namespace joulecast::cli

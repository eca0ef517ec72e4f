// SPDX-License-Identifier: Apache-2.0
#pragma once

// A small strict TOML file of settings, e.g. a team's prices and region: known keys only, each a
// number, a text or a list of texts.

#include <joulecast/error.hpp>

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// What stands under one key.
struct SettingsEntry {
  std::vector<std::string> values{};  // as texts
  bool is_list = false;
  bool is_text = false;  // text, or a list of texts; else a number or a truth value
  int line = 0;          // of the value, from 1
  int column = 0;
};

// By key. Errors: not_found, io, syntax, schema with line and column.
Result<std::map<std::string, SettingsEntry, std::less<>>> read_settings_file(
    const std::filesystem::path& path, std::span<const std::string_view> known_keys);

}  // namespace joulecast

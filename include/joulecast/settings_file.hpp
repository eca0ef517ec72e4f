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

// Values as texts, by key. Errors: not_found, io, syntax, schema with line and column.
Result<std::map<std::string, std::vector<std::string>, std::less<>>> read_settings_file(
    const std::filesystem::path& path, std::span<const std::string_view> known_keys);

}  // namespace joulecast

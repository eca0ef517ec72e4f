// SPDX-License-Identifier: Apache-2.0
#pragma once

// Raw arguments: which verb, which flags, which words. Nothing is interpreted yet.

#include "flags.hpp"

#include <joulecast/error.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace joulecast::cli {

struct Arguments {
  Verb verb = Verb::help;
  std::vector<std::string> words{};  // after the verb
  std::map<std::string, std::vector<std::string>, std::less<>> flags{};

  [[nodiscard]] bool has(std::string_view flag) const { return flags.contains(flag); }
  // The only value; of a repeatable flag the last.
  [[nodiscard]] std::optional<std::string> value(std::string_view flag) const;
  [[nodiscard]] std::vector<std::string> values(std::string_view flag) const;
};

// Errors: usage, naming the flag or verb and the nearest known one.
Result<Arguments> parse_arguments(int count, char* const* arguments);

}  // namespace joulecast::cli

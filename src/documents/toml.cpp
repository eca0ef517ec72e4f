// SPDX-License-Identifier: Apache-2.0
// TOML through toml++, which reports line and column and refuses doubled keys by itself.
#include "documents/value.hpp"

#include <toml++/toml.h>

#include <fmt/format.h>

namespace joulecast {
namespace {

Value convert(const toml::node& node);

std::string format_date(const toml::node& node) {
  std::ostringstream out;
  if (const auto* date = node.as_date()) out << date->get();
  if (const auto* time = node.as_time()) out << time->get();
  if (const auto* both = node.as_date_time()) out << both->get();
  return out.str();
}

// toml++ itself bounds the nesting, so this recursion is bounded as well.
Value convert(const toml::node& node) {
  Value value;
  value.line = static_cast<int>(node.source().begin.line);
  value.column = static_cast<int>(node.source().begin.column);
  if (const auto* table = node.as_table()) {
    Object object;
    for (const auto& [key, child] : *table) {
      object.emplace_back(std::string(key.str()), convert(child));
    }
    value.data = std::move(object);
  } else if (const auto* array = node.as_array()) {
    Array items;
    for (const toml::node& child : *array) items.push_back(convert(child));
    value.data = std::move(items);
  } else if (const auto* boolean = node.as_boolean()) {
    value.data = boolean->get();
  } else if (const auto* integer = node.as_integer()) {
    value.data = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    value.data = real->get();
  } else if (const auto* text = node.as_string()) {
    value.data = text->get();
  } else {
    value.data = format_date(node);
  }
  return value;
}

}  // namespace

Result<Value> parse_toml(std::string_view text, const std::string& file) {
  const toml::parse_result parsed = toml::parse(text, file);
  if (!parsed) {
    const toml::parse_error& problem = parsed.error();
    return std::unexpected(
        Error{ErrorKind::syntax, fmt::format("not valid TOML: {}", problem.description()),
              Location{.file = file,
                       .path = {},
                       .line = static_cast<int>(problem.source().begin.line),
                       .column = static_cast<int>(problem.source().begin.column)},
              "mend the file at this place"});
  }
  return convert(parsed.table());
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// TOML through toml++, which reports line and column and refuses doubled keys by itself.
#include "documents/value.hpp"

// Nested arrays and inline tables; toml++ itself refuses more.
#define TOML_MAX_NESTED_VALUES 64
// toml++ 3.3 asserts on some malformed keys before it reports them as errors (found by fuzzing).
// Input must never end the process, in no kind of build.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>

#include <algorithm>

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

// Nested values and the parts of their keys are both bounded, so this recursion is bounded as well.
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

// toml++ does not bound the parts of a dotted key, a.b.c, and each of them is a table inside the
// one before: a long enough key would exhaust the stack.
constexpr int maximum_key_parts = 16;

// The place behind the string that begins at `begin`.
std::size_t skip_string(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  const std::string fence(3, quote);
  const bool many_lines = text.substr(begin).starts_with(fence);
  std::size_t i = begin + (many_lines ? 3 : 1);
  for (; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (many_lines && text.substr(i).starts_with(fence)) {
      // The text may end in up to two quotes of its own.
      return std::min(text.find_first_not_of(quote, i), std::min(i + 5, text.size()));
    } else if (!many_lines && (text[i] == quote || text[i] == '\n')) {
      return i + 1;
    }
  }
  return text.size();
}

struct Refusal {
  std::size_t place;
  std::string message;
  const char* remedy;
};

// What toml++ 3.3 must not see: keys of too many parts, and letters beyond ASCII outside of texts
// and comments, which TOML does not allow and which are undefined behaviour there (its
// is_non_ascii_horizontal_whitespace; found by fuzzing).
std::optional<Refusal> find_refused(std::string_view text) {
  int parts = 1;
  for (std::size_t i = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; i < text.size();) {
    const char character = text[i];
    if (character == '"' || character == '\'') {
      i = skip_string(text, i);
      continue;
    }
    if (character == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (static_cast<unsigned char>(character) >= 0x80) {
      return Refusal{i, "not valid TOML: a character beyond ASCII outside of a text",
                     "put the text in quotes"};
    }
    if (character == '.') ++parts;
    if (std::string_view{"=,[]{}\n"}.find(character) != std::string_view::npos) parts = 1;
    if (parts > maximum_key_parts) {
      return Refusal{i, fmt::format("a key of more than {} parts", maximum_key_parts),
                     "no model, device or settings file nests so deep"};
    }
    ++i;
  }
  return std::nullopt;
}

}  // namespace

Result<Value> parse_toml(std::string_view text, const std::string& file) {
  if (const auto refused = find_refused(text)) {
    const std::string_view before = text.substr(0, refused->place);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
    return std::unexpected(
        Error{ErrorKind::syntax, refused->message,
              Location{.file = file,
                       .path = {},
                       .line = static_cast<int>(lines) + 1,
                       .column = static_cast<int>(refused->place - line_begin) + 1},
              refused->remedy});
  }
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

// SPDX-License-Identifier: Apache-2.0
#include "documents/value.hpp"

#include <joulecast/suggest.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

namespace joulecast {
namespace {

std::string_view type_name(const Value& value) {
  constexpr std::string_view names[] = {"null",   "a boolean", "an integer", "a number",
                                        "a text", "an array",  "an object"};
  return names[value.data.index()];
}

std::string show(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
    return fmt::format("{}", *integer);
  }
  if (const auto* real = std::get_if<double>(&value.data)) {
    std::string shown = fmt::format("{}", *real);
    // With its point, so that 768.0 does not read as the whole number 768.
    if (shown.find_first_of(".en") == std::string::npos) shown += ".0";
    return shown;
  }
  if (const auto* text = std::get_if<std::string>(&value.data)) {
    return fmt::format("\"{}\"", text->substr(0, 60));
  }
  return std::string(type_name(value));
}

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t maximum_bytes) {
  const auto fail = [&](ErrorKind kind, std::string message, std::string remedy) {
    return std::unexpected(
        Error{kind, std::move(message), Location{.file = path.string()}, std::move(remedy)});
  };
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (!std::filesystem::exists(status)) {
    return fail(ErrorKind::not_found, "no such file", "check the path");
  }
  if (std::filesystem::is_directory(status)) {
    return fail(ErrorKind::io, "is a directory, not a file", "name a file inside it");
  }
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return fail(ErrorKind::io, fmt::format("cannot be opened: {}", std::strerror(errno)),
                "check its permissions");
  }
  std::string text;
  char buffer[1 << 16];
  while (stream.read(buffer, sizeof buffer) || stream.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > maximum_bytes) {
      return fail(ErrorKind::value, fmt::format("larger than {} bytes", maximum_bytes),
                  "give a configuration file, not weights or data");
    }
  }
  if (stream.bad()) return fail(ErrorKind::io, "reading it failed", "check the disk");
  return text;
}

ObjectReader::ObjectReader(const Value& value, std::string file, std::string path)
    : object_(std::get_if<Object>(&value.data)),
      line_(value.line),
      file_(std::move(file)),
      path_(std::move(path)) {
  if (object_ == nullptr) {
    error_ =
        Error{ErrorKind::schema, fmt::format("must be an object, is {}", type_name(value)),
              Location{.file = file_, .path = path_, .line = value.line, .column = value.column},
              "give keys and values"};
  }
}

std::string ObjectReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const Value* find_member(const Value& object, std::string_view key) {
  const auto* members = std::get_if<Object>(&object.data);
  if (members == nullptr) return nullptr;
  for (const auto& [name, value] : *members) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Value* ObjectReader::find(std::string_view key) {
  used_.emplace(key);
  if (object_ == nullptr || error_) return nullptr;
  for (const auto& [name, value] : *object_) {
    if (name == key && !std::holds_alternative<std::nullptr_t>(value.data)) return &value;
  }
  return nullptr;
}

bool ObjectReader::has(std::string_view key) {
  used_.emplace(key);
  if (object_ == nullptr) return false;
  return std::any_of(object_->begin(), object_->end(), [&](const auto& entry) {
    return entry.first == key && !std::holds_alternative<std::nullptr_t>(entry.second.data);
  });
}

// A key that nothing asked for and that is nearly the missing one; null where there is none.
const std::pair<std::string, Value>* ObjectReader::misspelt(std::string_view key) const {
  if (object_ == nullptr) return nullptr;
  const auto found = std::ranges::find_if(*object_, [&](const auto& entry) {
    return !used_.contains(entry.first) && is_misspelling(entry.first, key);
  });
  return found == object_->end() ? nullptr : &*found;
}

std::vector<ObjectReader::Misspelling> ObjectReader::misspellings() const {
  std::vector<Misspelling> found;
  for (const std::string& key : used_) {
    const bool present =
        object_ != nullptr &&
        std::ranges::any_of(*object_, [&](const auto& entry) { return entry.first == key; });
    if (present) continue;
    if (const auto* slip = misspelt(key)) found.push_back({slip->first, key, slip->second.line});
  }
  return found;
}

const Value* ObjectReader::require(std::string_view key, std::string_view expected) {
  const Value* value = find(key);
  if (value != nullptr || error_) return value;
  if (const auto* slip = misspelt(key)) {
    error_ = Error{ErrorKind::schema, fmt::format("unknown key, and {} is missing", key),
                   Location{.file = file_,
                            .path = path_of(slip->first),
                            .line = slip->second.line,
                            .column = slip->second.column},
                   fmt::format("did you mean {}?", key)};
    return nullptr;
  }
  error_ = Error{ErrorKind::schema, "the key is missing",
                 Location{.file = file_, .path = path_of(key), .line = line_, .column = 0},
                 fmt::format("add {} = {}", key, expected)};
  return nullptr;
}

void ObjectReader::adopt(const std::optional<Error>& error) {
  if (!error_) error_ = error;
}

void ObjectReader::fail(std::string_view key, std::string message, std::string remedy,
                        ErrorKind kind) {
  if (error_) return;
  Location where{.file = file_, .path = path_of(key), .line = line_, .column = 0};
  for (const auto& [name, value] : object_ == nullptr ? Object{} : *object_) {
    if (name != key) continue;
    where.line = value.line;
    where.column = value.column;
  }
  error_ = Error{kind, std::move(message), std::move(where), std::move(remedy)};
}

void ObjectReader::fail_type(std::string_view key, const Value& value, std::string_view expected) {
  fail(key, fmt::format("must be {}, is {}", expected, show(value)),
       fmt::format("give {}", expected), ErrorKind::schema);
}

std::int64_t ObjectReader::size(std::string_view key) {
  const Value* value = require(key, "a whole number from 1");
  if (value == nullptr) return 1;
  const auto* integer = std::get_if<std::int64_t>(&value->data);
  if (integer == nullptr && !std::holds_alternative<double>(value->data)) {
    fail_type(key, *value, "a whole number");
    return 1;
  }
  const auto* real = std::get_if<double>(&value->data);
  const bool large = real != nullptr ? *real > static_cast<double>(maximum_size)
                                     : integer != nullptr && *integer > maximum_size;
  if (large) {
    fail(key, fmt::format("is too large: {} exceeds {}", show(*value), maximum_size),
         "give the size that the model really has");
    return 1;
  }
  if (integer == nullptr || *integer < 1 || *integer > maximum_size) {
    fail(key, fmt::format("must be a whole number from 1 to {}, is {}", maximum_size, show(*value)),
         "give the size that the model really has");
    return 1;
  }
  return *integer;
}

std::int64_t ObjectReader::size_or(std::string_view key, std::int64_t fallback) {
  return find(key) == nullptr ? fallback : size(key);
}

std::int64_t ObjectReader::count_or(std::string_view key, std::int64_t fallback) {
  const Value* value = find(key);
  if (value == nullptr) return fallback;
  const auto* integer = std::get_if<std::int64_t>(&value->data);
  if (integer != nullptr && *integer == 0) return 0;
  return size(key);
}

std::vector<std::int64_t> ObjectReader::sizes(std::string_view key, std::int64_t lowest) {
  const Value* value = find(key);
  if (value == nullptr) return {};
  const auto* array = std::get_if<Array>(&value->data);
  if (array == nullptr) {
    fail_type(key, *value, "an array of whole numbers");
    return {};
  }
  std::vector<std::int64_t> sizes;
  for (const Value& item : *array) {
    const auto* integer = std::get_if<std::int64_t>(&item.data);
    if (integer == nullptr || *integer < lowest || *integer > maximum_size) {
      fail(key,
           fmt::format("must hold whole numbers from {} to {}, holds {}", lowest, maximum_size,
                       show(item)),
           "give the sizes that the model really has",
           integer == nullptr ? ErrorKind::schema : ErrorKind::value);
      return {};
    }
    sizes.push_back(*integer);
  }
  return sizes;
}

std::optional<std::int64_t> ObjectReader::length(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* object = std::get_if<Object>(&value->data)) {
    return static_cast<std::int64_t>(object->size());
  }
  if (const auto* array = std::get_if<Array>(&value->data)) {
    return static_cast<std::int64_t>(array->size());
  }
  fail_type(key, *value, "an object or an array");
  return std::nullopt;
}

bool ObjectReader::is_array(std::string_view key) {
  const Value* value = find(key);
  return value != nullptr && std::holds_alternative<Array>(value->data);
}

bool ObjectReader::is_text(std::string_view key) {
  const Value* value = find(key);
  return value != nullptr && std::holds_alternative<std::string>(value->data);
}

bool ObjectReader::is_null(std::string_view key) {
  used_.emplace(key);
  if (object_ == nullptr) return false;
  return std::any_of(object_->begin(), object_->end(), [&](const auto& entry) {
    return entry.first == key && std::holds_alternative<std::nullptr_t>(entry.second.data);
  });
}

double ObjectReader::number(std::string_view key, Range range) {
  const Value* value = require(key, "a number");
  if (value == nullptr) return range.lowest;
  double number = 0.0;
  if (const auto* integer = std::get_if<std::int64_t>(&value->data)) {
    number = static_cast<double>(*integer);
  } else if (const auto* real = std::get_if<double>(&value->data)) {
    number = *real;
  } else {
    fail_type(key, *value, "a number");
    return range.lowest;
  }
  if (range.lowest == range.highest && number != range.lowest) {
    fail(key, fmt::format("must be {}, is {}", range.lowest, show(*value)),
         fmt::format("write {} = {}", key, range.lowest));
    return range.lowest;
  }
  // Written so that NaN fails as well.
  if (!(number >= range.lowest && number <= range.highest)) {
    fail(
        key,
        fmt::format("must lie between {} and {}, is {}", range.lowest, range.highest, show(*value)),
        "check the value and its unit");
    return range.lowest;
  }
  return number;
}

std::optional<double> ObjectReader::optional_number(std::string_view key, Range range) {
  if (find(key) == nullptr) return std::nullopt;
  return number(key, range);
}

bool ObjectReader::boolean_or(std::string_view key, bool fallback) {
  const Value* value = find(key);
  if (value == nullptr) return fallback;
  if (const auto* boolean = std::get_if<bool>(&value->data)) return *boolean;
  fail_type(key, *value, "true or false");
  return fallback;
}

std::string ObjectReader::text(std::string_view key) {
  const Value* value = require(key, "a text");
  if (value == nullptr) return {};
  if (const auto* text = std::get_if<std::string>(&value->data)) return *text;
  fail_type(key, *value, "a text");
  return {};
}

std::string ObjectReader::text_or(std::string_view key, std::string_view fallback) {
  return find(key) == nullptr ? std::string(fallback) : text(key);
}

std::vector<std::string> ObjectReader::texts(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return {};
  const auto* array = std::get_if<Array>(&value->data);
  if (array == nullptr) {
    fail_type(key, *value, "an array of texts");
    return {};
  }
  std::vector<std::string> texts;
  for (const Value& item : *array) {
    const auto* text = std::get_if<std::string>(&item.data);
    if (text == nullptr) {
      fail_type(key, item, "an array of texts");
      return {};
    }
    texts.push_back(*text);
  }
  return texts;
}

std::vector<std::string> ObjectReader::scalars(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return {};
  const auto as_text = [](const Value& item) -> std::optional<std::string> {
    if (const auto* text = std::get_if<std::string>(&item.data)) return *text;
    if (const auto* integer = std::get_if<std::int64_t>(&item.data)) {
      return fmt::format("{}", *integer);
    }
    if (const auto* real = std::get_if<double>(&item.data)) return fmt::format("{}", *real);
    if (const auto* truth = std::get_if<bool>(&item.data)) return *truth ? "true" : "false";
    return std::nullopt;
  };
  const auto* array = std::get_if<Array>(&value->data);
  const Array single = array == nullptr ? Array{*value} : Array{};
  std::vector<std::string> texts;
  for (const Value& item : array == nullptr ? single : *array) {
    auto text = as_text(item);
    if (!text) {
      fail_type(key, item, "a number, a text or a list of texts");
      return {};
    }
    texts.push_back(std::move(*text));
  }
  return texts;
}

std::size_t ObjectReader::choice(std::string_view key, std::span<const std::string_view> names) {
  const std::vector<std::string> known(names.begin(), names.end());
  const std::string typed = text(key);
  if (error_) return 0;
  const auto found = std::find(known.begin(), known.end(), typed);
  if (found == known.end()) {
    const std::string hint = did_you_mean(typed, known);
    fail(key, fmt::format("unknown value \"{}\"", typed.substr(0, 60)),
         fmt::format("{}{}choose one of: {}", hint, hint.empty() ? "" : " ",
                     fmt::join(known, ", ")));
    return 0;
  }
  return static_cast<std::size_t>(found - known.begin());
}

std::vector<ObjectReader> ObjectReader::children(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return {};
  const auto* array = std::get_if<Array>(&value->data);
  if (array == nullptr) {
    fail_type(key, *value, "an array of tables");
    return {};
  }
  std::vector<ObjectReader> readers;
  for (std::size_t i = 0; i < array->size(); ++i) {
    readers.emplace_back((*array)[i], file_, fmt::format("{}[{}]", path_of(key), i));
    adopt(readers.back().error());
  }
  return readers;
}

std::optional<ObjectReader> ObjectReader::child(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  ObjectReader reader(*value, file_, path_of(key));
  adopt(reader.error());
  return reader;
}

std::optional<ObjectReader> ObjectReader::child_if_object(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr || !std::holds_alternative<Object>(value->data)) return std::nullopt;
  return child(key);
}

void ObjectReader::refuse_unknown_keys(std::span<const std::string_view> also_known) {
  for (const std::string_view key : also_known) used_.emplace(key);
  if (object_ == nullptr || error_) return;
  for (const auto& [name, value] : *object_) {
    if (used_.contains(name)) continue;
    const std::vector<std::string> known(used_.begin(), used_.end());
    const std::string hint = did_you_mean(name, known);
    fail(name, "unknown key",
         fmt::format("{}{}known keys: {}", hint, hint.empty() ? "" : " ", fmt::join(known, ", ")),
         ErrorKind::schema);
    return;
  }
}

}  // namespace joulecast

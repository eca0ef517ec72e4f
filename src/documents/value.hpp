// SPDX-License-Identifier: Apache-2.0
#pragma once

// A parsed JSON or TOML document that remembers where each value stood, and a reader that checks
// an object key by key: types, ranges, unknown keys. Every error names file, line, key path, cause
// and remedy. Doubled keys and absurd nesting are errors already at parsing.

#include <joulecast/error.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace joulecast {

struct Value;
using Array = std::vector<Value>;
using Object = std::vector<std::pair<std::string, Value>>;  // in the order of the file

struct Value {
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> data{};
  int line = 0;  // from 1; 0 where the format does not tell
  int column = 0;
};

// Files larger than `maximum_bytes` are refused: no model, device or configuration file is so long.
inline constexpr std::size_t maximum_document_bytes = std::size_t{16} << 20U;
Result<std::string> read_text_file(const std::filesystem::path& path,
                                   std::size_t maximum_bytes = maximum_document_bytes);

// `file` is only for error messages. The top level must be an object.
Result<Value> parse_json(std::string_view text, const std::string& file);
Result<Value> parse_toml(std::string_view text, const std::string& file);

// The inclusive range a number must lie in.
struct Range {
  double lowest;
  double highest;
};

// The member of an object, or null where there is none.
const Value* find_member(const Value& object, std::string_view key);

// Reads one object. The first error sticks and later calls return harmless values, so that a
// reader can be written straight down and asked once at the end with `finish`.
class ObjectReader {
 public:
  ObjectReader(const Value& value, std::string file, std::string path = {});

  [[nodiscard]] bool has(std::string_view key);  // present and not null

  [[nodiscard]] bool is_null(std::string_view key);
  [[nodiscard]] bool is_array(std::string_view key);
  [[nodiscard]] bool is_text(std::string_view key);

  // A whole number in [1, maximum_size].
  std::int64_t size(std::string_view key);
  std::int64_t size_or(std::string_view key, std::int64_t fallback);
  // The same from 0.
  std::int64_t count_or(std::string_view key, std::int64_t fallback);
  // An array of whole numbers from `lowest`; absent means empty.
  std::vector<std::int64_t> sizes(std::string_view key, std::int64_t lowest = 1);
  // How many members an object or an array has; nothing where the key is absent or null.
  std::optional<std::int64_t> length(std::string_view key);
  double number(std::string_view key, Range range);
  std::optional<double> optional_number(std::string_view key, Range range);
  bool boolean_or(std::string_view key, bool fallback);
  std::string text(std::string_view key);
  std::string text_or(std::string_view key, std::string_view fallback);
  std::vector<std::string> texts(std::string_view key);  // absent means empty
  // A number, truth value or text, or an array of them, as texts.
  std::vector<std::string> scalars(std::string_view key);
  // One of the names, returned as its index.
  std::size_t choice(std::string_view key, std::span<const std::string_view> names);
  // The values of an array of objects; absent means empty.
  std::vector<ObjectReader> children(std::string_view key);
  std::optional<ObjectReader> child(std::string_view key);
  // The same, or nothing where the value is of another type.
  std::optional<ObjectReader> child_if_object(std::string_view key);

  // Takes over the first error of a child.
  void adopt(const std::optional<Error>& error);
  void fail(std::string_view key, std::string message, std::string remedy,
            ErrorKind kind = ErrorKind::value);

  // Reports keys that nothing asked for. Hugging Face files carry many of those, hand-written
  // files none.
  // `also_known` are named in the remedy beside those asked for.
  void refuse_unknown_keys(std::span<const std::string_view> also_known = {});
  // Keys that nothing asked for and that are a slip of the pen for one that was asked for and is
  // absent. To be called when everything has been asked for.
  struct Misspelling {
    std::string typed;
    std::string meant;
    int line = 0;
  };
  [[nodiscard]] std::vector<Misspelling> misspellings() const;
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const Value* find(std::string_view key);
  const Value* require(std::string_view key, std::string_view expected);
  std::string path_of(std::string_view key) const;
  const std::pair<std::string, Value>* misspelt(std::string_view key) const;
  void fail_type(std::string_view key, const Value& value, std::string_view expected);

  const Object* object_ = nullptr;
  int line_ = 0;
  std::string file_;
  std::string path_;
  std::set<std::string, std::less<>> used_;
  std::optional<Error> error_;
};

// Larger sizes are not models but mistakes: 2^40.
inline constexpr std::int64_t maximum_size = std::int64_t{1} << 40U;

}  // namespace joulecast

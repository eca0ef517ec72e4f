// SPDX-License-Identifier: Apache-2.0
#include <joulecast/settings_file.hpp>

#include "documents/value.hpp"

#include <algorithm>

namespace joulecast {

namespace {

bool holds_text(const Value& value) { return std::holds_alternative<std::string>(value.data); }

SettingsEntry describe_entry(const Value& value) {
  const auto* list = std::get_if<Array>(&value.data);
  return {.values = {},
          .is_list = list != nullptr,
          .is_text = list != nullptr ? std::ranges::all_of(*list, holds_text) : holds_text(value),
          .line = value.line,
          .column = value.column};
}

}  // namespace

Result<std::map<std::string, SettingsEntry, std::less<>>> read_settings_file(
    const std::filesystem::path& path, std::span<const std::string_view> known_keys) {
  auto text = read_text_file(path);
  if (!text) return std::unexpected(text.error());
  auto document = parse_toml(*text, path.string());
  if (!document) return std::unexpected(document.error());
  ObjectReader reader(*document, path.string());
  std::map<std::string, SettingsEntry, std::less<>> settings;
  for (const auto& [key, value] : std::get<Object>(document->data)) {
    if (std::ranges::find(known_keys, key) == known_keys.end()) continue;
    SettingsEntry entry = describe_entry(value);
    entry.values = reader.scalars(key);
    settings.emplace(key, std::move(entry));
  }
  reader.refuse_unknown_keys(known_keys);
  if (reader.error()) return std::unexpected(*reader.error());
  return settings;
}

}  // namespace joulecast

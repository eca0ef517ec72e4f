// SPDX-License-Identifier: Apache-2.0
#include <joulecast/settings_file.hpp>

#include "documents/value.hpp"

#include <fmt/format.h>

namespace joulecast {

Result<std::map<std::string, std::vector<std::string>, std::less<>>> read_settings_file(
    const std::filesystem::path& path, std::span<const std::string_view> known_keys) {
  auto text = read_text_file(path);
  if (!text) return std::unexpected(text.error());
  auto document = parse_toml(*text, path.string());
  if (!document) return std::unexpected(document.error());
  ObjectReader reader(*document, path.string());
  std::map<std::string, std::vector<std::string>, std::less<>> settings;
  for (const std::string_view key : known_keys) {
    if (!reader.has(key)) continue;
    settings.emplace(key, reader.scalars(key));
  }
  reader.refuse_unknown_keys(known_keys);
  if (reader.error()) return std::unexpected(*reader.error());
  return settings;
}

}  // namespace joulecast

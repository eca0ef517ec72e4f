// SPDX-License-Identifier: Apache-2.0
#include "configuration.hpp"

#include <joulecast/settings_file.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace joulecast::cli {
namespace {

// Flags that make sense as a team's defaults, with underscores as in every data file.
constexpr std::array<std::string_view, 11> known_keys = {
    "gpu",      "precision",        "device_file",   "host_power_watts",   "pue",
    "region",   "carbon_intensity", "price_per_kwh", "price_per_gpu_hour", "currency",
    "optimizer"};
constexpr std::array<std::string_view, 6> text_keys = {"gpu",    "precision", "device_file",
                                                       "region", "currency",  "optimizer"};
constexpr std::array<std::string_view, 2> list_keys = {"gpu", "device_file"};

// What a flag on the command line cannot get wrong: a list where one value is meant, a number where
// a name is.
Result<void> check_type(const std::filesystem::path& file, const std::string& key,
                        const SettingsEntry& entry) {
  const auto fail = [&](std::string message, std::string remedy) {
    return std::unexpected(Error{
        ErrorKind::schema, std::move(message),
        Location{.file = file.string(), .path = key, .line = entry.line, .column = entry.column},
        std::move(remedy)});
  };
  const bool many = std::ranges::find(list_keys, key) != list_keys.end();
  const bool text = std::ranges::find(text_keys, key) != text_keys.end();
  if (entry.is_list && !many) return fail("must be one value, is a list", "give one value");
  if (entry.values.empty()) return fail("the list is empty", "name one, or drop the key");
  if (text && !entry.is_text) return fail("must be a text", "put it in quotes");
  return {};
}

std::filesystem::path usual_place() {
  if (const char* base = std::getenv("XDG_CONFIG_HOME"); base != nullptr && *base == '/') {
    return std::filesystem::path(base) / "joulecast" / "config.toml";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return std::filesystem::path(home) / ".config" / "joulecast" / "config.toml";
  }
  return {};
}

}  // namespace

std::filesystem::path configuration_path(const Arguments& arguments) {
  const auto stated = arguments.value("config");
  return stated ? std::filesystem::path(*stated) : usual_place();
}

Result<Configuration> load_configuration(const Arguments& arguments) {
  Configuration configuration;
  configuration.path = configuration_path(arguments);
  std::error_code ignored;
  configuration.exists = std::filesystem::exists(configuration.path, ignored);
  // A file that was named must be there; the reader says what is wrong with it.
  if (!configuration.exists && !arguments.has("config")) return configuration;
  auto settings = read_settings_file(configuration.path, known_keys);
  if (!settings) return std::unexpected(settings.error());
  for (auto& [key, entry] : *settings) {
    if (auto checked = check_type(configuration.path, key, entry); !checked) {
      return std::unexpected(checked.error());
    }
    std::string flag = key;
    std::ranges::replace(flag, '_', '-');
    // A path in the file is meant beside the file, wherever the command runs.
    for (std::string& value : entry.values) {
      if (flag == "device-file") value = (configuration.path.parent_path() / value).string();
    }
    configuration.places[flag] = {entry.line, entry.column};
    configuration.values[flag] = std::move(entry.values);
  }
  return configuration;
}

}  // namespace joulecast::cli

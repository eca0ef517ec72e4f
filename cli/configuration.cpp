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
  configuration.exists =
      arguments.has("config") || std::filesystem::exists(configuration.path, ignored);
  if (!configuration.exists) return configuration;
  auto settings = read_settings_file(configuration.path, known_keys);
  if (!settings) return std::unexpected(settings.error());
  for (auto& [key, values] : *settings) {
    std::string flag = key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    // A path in the file is meant beside the file, wherever the command runs.
    for (std::string& value : values) {
      if (flag == "device-file") value = (configuration.path.parent_path() / value).string();
    }
    configuration.values[flag] = std::move(values);
  }
  return configuration;
}

}  // namespace joulecast::cli

// SPDX-License-Identifier: Apache-2.0
#include "meter_inputs.hpp"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Error io_error(const std::filesystem::path& path, std::string_view what, std::string remedy) {
  return Error{ErrorKind::io, fmt::format("{}: {}", what, std::strerror(errno)),
               Location{.file = path.string()}, std::move(remedy)};
}

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

}  // namespace

Result<OpenedSensors> read_sensors(const Settings& settings) {
  SensorOptions options;
  options.devices = settings.texts("devices");
  options.visible_devices = variable("CUDA_VISIBLE_DEVICES");
  options.pci_bus_order = variable("CUDA_DEVICE_ORDER") == "PCI_BUS_ID";
  if (auto library = variable("JOULECAST_NVML_LIBRARY")) options.nvml_library = std::move(*library);
  return open_sensors(options);
}

Result<std::optional<Seconds>> read_seconds(const Settings& settings, std::string_view flag,
                                            double lowest) {
  constexpr double longest = 1e6;  // eleven days
  const auto value = settings.number(flag);
  if (!value) return std::unexpected(value.error());
  if (!*value) return std::nullopt;
  if (**value >= lowest && **value <= longest) return Seconds{**value};
  return std::unexpected(Error{
      ErrorKind::value, fmt::format("must lie between {} and {}, is {}", lowest, longest, **value),
      Location{.file = {}, .path = fmt::format("--{}", flag)}, "give seconds, e.g. 0.5"});
}

Result<std::shared_ptr<ReadingsFile>> ReadingsFile::create(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) {
    return std::unexpected(
        io_error(path, "the readings cannot be written there", "name another file"));
  }
  std::shared_ptr<ReadingsFile> readings(new ReadingsFile(file, path));
  readings->put(
      "monotonic_nanoseconds,device,energy_counter_joules,power_watts,clock_hertz,"
      "memory_clock_hertz,temperature_celsius,throttle_reasons\n");
  if (readings->error_) return std::unexpected(*readings->error_);
  return readings;
}

ReadingsFile::~ReadingsFile() { close(file_); }

void ReadingsFile::put(std::string_view text) {
  while (!text.empty() && !error_) {
    const ssize_t written = ::write(file_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      error_ =
          io_error(path_, "writing the readings failed, later ones are missing", "check the disk");
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void ReadingsFile::write(const SensorFacts& facts, const SensorReading& reading) {
  const auto value = [](const auto& quantity) {
    return quantity ? cell(quantity->value()) : std::string();
  };
  std::string reasons;
  for (std::size_t i = 0; reading.throttle_reasons && i < all_throttle_reasons.size(); ++i) {
    if ((*reading.throttle_reasons >> i & 1U) == 0) continue;
    reasons += (reasons.empty() ? "" : ";") + std::string(to_string(all_throttle_reasons[i]));
  }
  put(fmt::format("{},{},{},{},{},{},{},{}\n",
                  static_cast<std::int64_t>(std::llround(reading.at.value() * 1e9)), facts.id,
                  value(reading.energy_counter), value(reading.power), cell(reading.clock_hertz),
                  cell(reading.memory_clock_hertz), cell(reading.temperature_celsius), reasons));
}

Result<std::unique_ptr<MarksFile>> MarksFile::create() {
  const auto parent = variable("TMPDIR").value_or("/tmp");
  std::string folder = (std::filesystem::path(parent) / "joulecast-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return std::unexpected(io_error(folder, "no folder can be made for the marks",
                                    "set TMPDIR to a folder that can be written to"));
  }
  const std::filesystem::path path = std::filesystem::path(folder) / "marks";
  const int file = open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return std::unexpected(io_error(path, "no file can be made for the marks",
                                    "set TMPDIR to a folder that can be written to"));
  }
  return std::unique_ptr<MarksFile>(new MarksFile(folder, path, file));
}

MarksFile::~MarksFile() {
  close(file_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string MarksFile::read_on() {
  constexpr std::size_t most = 1U << 20U;
  std::string bytes;
  std::array<char, 65536> buffer{};
  while (bytes.size() < most) {
    const ssize_t size = pread(file_, buffer.data(), buffer.size(), read_);
    if (size <= 0) break;
    bytes.append(buffer.data(), static_cast<std::size_t>(size));
    read_ += size;
  }
  return bytes;
}

}  // namespace joulecast::cli

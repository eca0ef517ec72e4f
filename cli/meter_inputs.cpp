// SPDX-License-Identifier: Apache-2.0
#include "meter_inputs.hpp"

#include "output.hpp"

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

Error io_error(const std::filesystem::path& path, int problem, std::string_view what,
               std::string remedy) {
  return Error{ErrorKind::io, fmt::format("{}: {}", what, std::strerror(problem)),
               Location{.file = path.string()}, std::move(remedy)};
}

}  // namespace

std::string csv_cell(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

std::string list_reasons(const SensorReading& reading, std::string_view separator) {
  std::string text;
  for (const ThrottleReason reason : throttle_reasons_in(reading.throttle_reasons.value_or(0))) {
    text += fmt::format("{}{}", text.empty() ? "" : separator, to_string(reason));
  }
  return text;
}

Result<OpenedSensors> read_sensors(const Settings& settings) {
  SensorOptions options;
  options.devices = settings.texts("devices");
  options.visible_devices = environment_variable("CUDA_VISIBLE_DEVICES");
  options.pci_bus_order = environment_variable("CUDA_DEVICE_ORDER") == "PCI_BUS_ID";
  if (auto library = environment_variable("JOULECAST_NVML_LIBRARY"))
    options.nvml_library = std::move(*library);
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
        io_error(path, errno, "the readings cannot be written there", "name another file"));
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
  if (error_) return;
  if (const int problem = write_fully(file_, text); problem != 0) {
    error_ = io_error(path_, problem, "writing the readings failed, later ones are missing",
                      "check the disk");
  }
}

void ReadingsFile::write(const SensorFacts& facts, const SensorReading& reading) {
  const auto value = [](const auto& quantity) {
    return quantity ? csv_cell(quantity->value()) : std::string();
  };
  put(fmt::format("{},{},{},{},{},{},{},{}\n",
                  static_cast<std::int64_t>(std::llround(reading.at.value() * 1e9)), facts.id,
                  value(reading.energy_counter), value(reading.power),
                  csv_cell(reading.clock_hertz), csv_cell(reading.memory_clock_hertz),
                  csv_cell(reading.temperature_celsius), list_reasons(reading, ";")));
}

Result<std::unique_ptr<MarksFile>> MarksFile::create() {
  const auto parent = environment_variable("TMPDIR").value_or("/tmp");
  std::string folder = (std::filesystem::path(parent) / "joulecast-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return std::unexpected(io_error(folder, errno, "no folder can be made for the marks",
                                    "set TMPDIR to a folder that can be written to"));
  }
  const std::filesystem::path path = std::filesystem::path(folder) / "marks";
  const int file = open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return std::unexpected(io_error(path, errno, "no file can be made for the marks",
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The kernel's sensors: small text files that hold one number, and the devices behind them.

#include <joulecast/meter.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace joulecast {

// A file of sysfs that is read again and again. It is opened once and read from its beginning.
class SysfsNumber {
 public:
  SysfsNumber() = default;
  explicit SysfsNumber(const std::filesystem::path& path);
  SysfsNumber(const SysfsNumber&) = delete;
  SysfsNumber& operator=(const SysfsNumber&) = delete;
  SysfsNumber(SysfsNumber&& other) noexcept;
  SysfsNumber& operator=(SysfsNumber&& other) noexcept;
  ~SysfsNumber();

  [[nodiscard]] bool opened() const { return file_ >= 0; }
  [[nodiscard]] bool exists() const { return exists_; }
  // Why it could not be opened or was not read last: a value of errno.
  [[nodiscard]] int error_number() const { return error_number_; }
  std::optional<double> read();

 private:
  int file_ = -1;
  bool exists_ = false;
  int error_number_ = 0;
};

// The lines of a small file, none if it cannot be read; and the first one.
std::vector<std::string> read_lines(const std::filesystem::path& path);
std::string read_line(const std::filesystem::path& path);

// Folders below `parent` whose names begin so, in the order of the numbers in their names.
std::vector<std::filesystem::path> list_numbered(const std::filesystem::path& parent,
                                                 std::string_view begins_with);

// Processors and memory that have an energy counter (RAPL), and warnings about those that this
// user may not read. Source: Linux kernel documentation, power/powercap/powercap.rst.
OpenedSensors open_powercap_sensors(const std::filesystem::path& sysfs);

// AMD and Intel GPUs. Source: Linux kernel documentation, hwmon/sysfs-interface.rst, and the hwmon
// files of the drivers amdgpu, i915 and xe.
OpenedSensors open_hwmon_gpus(const std::filesystem::path& sysfs);

}  // namespace joulecast

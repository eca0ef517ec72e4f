// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `measure` and `watch` share: which sensors, and the files beside the report.

#include "settings.hpp"

#include <joulecast/meter.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace joulecast::cli {

// --devices, CUDA_VISIBLE_DEVICES, CUDA_DEVICE_ORDER and JOULECAST_NVML_LIBRARY.
Result<OpenedSensors> read_sensors(const Settings& settings);
// A flag that holds seconds, e.g. --interval.
Result<std::optional<Seconds>> read_seconds(const Settings& settings, std::string_view flag,
                                            double lowest);

// Empty where there is no value.
std::string csv_cell(const std::optional<double>& value);
// The names of what limits the clocks, if anything does.
std::string list_reasons(const SensorReading& reading, std::string_view separator);

// --readings FILE: every reading as a line of CSV, written as it comes (docs/data_formats.md).
class ReadingsFile {
 public:
  // Errors: io.
  static Result<std::shared_ptr<ReadingsFile>> create(const std::filesystem::path& path);
  ReadingsFile(const ReadingsFile&) = delete;
  ReadingsFile& operator=(const ReadingsFile&) = delete;
  ~ReadingsFile();

  void write(const SensorFacts& facts, const SensorReading& reading);
  // The first write that failed, if one did.
  [[nodiscard]] std::optional<Error> error() const { return error_; }

 private:
  ReadingsFile(int file, std::filesystem::path path) : file_(file), path_(std::move(path)) {}
  void put(std::string_view text);

  int file_;
  std::filesystem::path path_;
  std::optional<Error> error_;
};

// The file that the command writes its marks to, in a folder of its own that goes with it.
class MarksFile {
 public:
  // Errors: io.
  static Result<std::unique_ptr<MarksFile>> create();
  MarksFile(const MarksFile&) = delete;
  MarksFile& operator=(const MarksFile&) = delete;
  ~MarksFile();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // What was written since the last time, a mebibyte of it at most.
  std::string read_on();

 private:
  MarksFile(std::filesystem::path folder, std::filesystem::path path, int file)
      : folder_(std::move(folder)), path_(std::move(path)), file_(file) {}

  std::filesystem::path folder_;
  std::filesystem::path path_;
  int file_;
  off_t read_ = 0;
};

}  // namespace joulecast::cli

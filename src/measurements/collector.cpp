// SPDX-License-Identifier: Apache-2.0
#include "measurements/collector.hpp"

#include "measurements/shape_text.hpp"

#include <joulecast/suggest.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace joulecast {

void Collector::begin_file(const std::filesystem::path& file) {
  files_.push_back(file);
  name_source(file.filename().string());
}

void Collector::name_source(std::string_view name) {
  source_ = fmt::format("{}:{}", request_.format, name);
}

void Collector::expect(std::size_t rows) {
  const std::size_t needed = measurements.size() + rows;
  if (needed <= measurements.capacity()) return;
  // At least doubling keeps many small files cheap.
  const std::size_t capacity = std::max(needed, 2 * measurements.size());
  measurements.reserve(capacity);
  places_.reserve(capacity);
  seen_.reserve(capacity);
}

bool Collector::take(const SourceTable& table, std::size_t row, const Device& device) {
  ++source_rows_;
  key_.assign(device.id);
  key_ += '\x1f';
  table.append_row(key_, row);
  if (seen_.insert(key_).second) return true;
  ++exact_copies_;
  return false;
}

Result<const Device*> Collector::find(const std::string& name, const Location& place) {
  if (const auto known = found_.find(name); known != found_.end()) return known->second;
  const auto device = devices_.find(name);
  if (!device) {
    Error error = device.error();
    error.message = fmt::format("unknown device \"{}\"", name.substr(0, 80));
    error.where = place;
    return std::unexpected(std::move(error));
  }
  const auto stored = std::ranges::find(devices_.devices(), device->id, &Device::id);
  return found_[name] = &*stored;
}

Result<const Device*> Collector::flag_device() {
  if (request_.device.empty()) {
    return std::unexpected(
        Error{ErrorKind::usage, fmt::format("{} does not name its device", file().string()),
              Location{.file = {}, .path = "--device"},
              "add e.g. --device h200-141gb-sxm; `joulecast devices` lists all"});
  }
  return find(request_.device, Location{.file = {}, .path = "--device"});
}

Result<const Device*> Collector::device_or(const std::optional<std::string>& name) {
  if (!request_.device.empty() || !name) return flag_device();
  return find(*name, Location{.file = file().string()});
}

Result<const Device*> Collector::reported_device(const std::string& name, const Location& place) {
  return request_.device.empty() ? find(name, place) : flag_device();
}

Result<const Device*> Collector::named_device(const SourceTable& table, std::size_t row,
                                              std::size_t column) {
  if (!request_.device.empty()) {
    return std::unexpected(Error{ErrorKind::usage,
                                 fmt::format("{} names the device of each row", table.file()),
                                 Location{.file = {}, .path = "--device"}, "leave the flag out"});
  }
  const std::string_view name = table.field(row, column);
  if (const auto known = found_.find(name); known != found_.end()) return known->second;
  return find(std::string(name), table.locate(row, column));
}

Measurement Collector::start(const Device& device, std::string_view operation) const {
  Measurement measurement;
  measurement.source = source_;
  measurement.device = device.id;
  measurement.software = request_.software;
  measurement.operation = operation;
  return measurement;
}

Result<void> Collector::add(Measurement measurement, const Location& place) {
  if (auto checked = check_shape(measurement.shape); !checked) {
    Error error = checked.error();
    error.where = place;
    error.where.path.clear();
    return std::unexpected(std::move(error));
  }
  measurements.push_back(std::move(measurement));
  places_.push_back({files_.size() - 1, place.line});
  return {};
}

Location Collector::locate(std::size_t measurement) const {
  const Place& place = places_[measurement];
  return Location{.file = files_[place.file].string(), .path = {}, .line = place.line, .column = 1};
}

Result<bool> has_optional_column(const CsvTable& csv, const std::string& column) {
  if (csv.has_column(column)) return true;
  std::vector<std::string> names;
  for (const std::string_view name : csv.header()) names.emplace_back(name);
  const std::string hint = did_you_mean(column, names);
  if (hint.empty()) return false;
  return std::unexpected(Error{ErrorKind::schema,
                               fmt::format("the table has no column \"{}\"", column),
                               Location{.file = csv.file(), .path = {}, .line = 1, .column = 1},
                               hint + " a renamed column may be in another unit"});
}

}  // namespace joulecast

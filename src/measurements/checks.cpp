// SPDX-License-Identifier: Apache-2.0
#include "measurements/checks.hpp"

#include "measurements/names.hpp"
#include "measurements/shape_text.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

namespace joulecast {
namespace {

// Data sheets state rates at a boost clock that some boards exceed by a few percent.
constexpr double sheet_tolerance = 1.05;
// Beyond any clock or cache, and below any real slowness: milliseconds taken for seconds or
// microseconds are a factor of 1000 off.
constexpr double impossibly_fast = 20.0;
constexpr double impossibly_slow = 1000.0;
constexpr double host_time_seconds = 50e-6;

// The fastest rate that the operands' formats allow; 0 if the sheet has none.
double peak_of(const Measurement& measurement, const Device& device) {
  const auto rate = [&](MeasuredPrecision precision) {
    const auto found = device.peak_flops_per_second.find(peak_precision(precision));
    return found == device.peak_flops_per_second.end() ? 0.0 : found->second.value.value();
  };
  double peak = rate(measurement.precision);
  // With an FP8 cache, kernels may multiply in FP8 as well.
  if (const auto* shape = std::get_if<AttentionShape>(&measurement.shape)) {
    peak = std::max(peak, rate(shape->kv_precision));
  }
  return peak;
}

// Winograd's F(4x4, 3x3) multiplies a quarter as often as the sums as they are written: 36 for 144
// (Lavin and Gray, CVPR 2016, section 4).
double least_share_of_flops(const Measurement& measurement) {
  const auto* shape = std::get_if<ConvolutionShape>(&measurement.shape);
  return shape != nullptr && shape->kernel > 1 ? 0.25 : 1.0;
}

std::string group_of(const Measurement& row) {
  std::string group = fmt::format("{}\n{}\n{}\n{}\n{}\n", row.device, row.software, row.operation,
                                  to_string(row.phase), to_string(row.precision));
  append_shape(group, row.shape);
  return group;
}

void mark_group(std::span<Measurement> measurements, const std::vector<std::size_t>& rows) {
  constexpr double too_slow = 1.5;
  double fastest = measurements[rows.front()].duration.value();
  for (const std::size_t row : rows) {
    fastest = std::min(fastest, measurements[row].duration.value());
  }
  std::size_t slow = 0;
  for (const std::size_t row : rows) {
    if (measurements[row].duration.value() <= too_slow * fastest) continue;
    measurements[row].marks.add(Mark::slower_than_repeats);
    ++slow;
  }
  // Where most disagree with the fastest, it may be the fastest that is wrong.
  if (2 * slow <= rows.size()) return;
  for (const std::size_t row : rows) measurements[row].marks.add(Mark::contradicts_repeats);
}

}  // namespace

Bounds bound_durations(const Measurement& measurement, const Device& device) {
  Bounds bounds;
  const MeasuredWork work = least_work(measurement);
  if (const double peak = peak_of(measurement, device); peak > 0.0) {
    bounds.compute = Seconds{least_share_of_flops(measurement) * work.flops.value() / peak};
  }
  if (!device.memory_bandwidth) return bounds;
  const double bandwidth = device.memory_bandwidth->value.value();
  bounds.memory = Seconds{work.bytes.value() / bandwidth};
  if (device.l2_cache) {
    const double uncached = work.bytes.value() - device.l2_cache->value.value();
    bounds.memory_uncached = Seconds{std::max(0.0, uncached) / bandwidth};
  }
  return bounds;
}

std::optional<std::string> find_unit_slip(const Measurement& measurement, const Device& device) {
  const Bounds bounds = bound_durations(measurement, device);
  const double least = std::max(bounds.compute, bounds.memory_uncached).value();
  const double whole = std::max(bounds.compute, bounds.memory).value();
  const double duration = measurement.duration.value();
  if (duration * impossibly_fast < least) {
    return fmt::format("{} s is {:.0f} times faster than {} can do this", duration,
                       least / duration, device.id);
  }
  if (whole > host_time_seconds && duration > impossibly_slow * whole) {
    return fmt::format("{} s is {:.0f} times slower than {} could do this", duration,
                       duration / whole, device.id);
  }
  return {};
}

const Device& device_of(const Measurement& measurement, const DeviceCatalogue& devices) {
  const auto found = std::ranges::find(devices.devices(), measurement.device, &Device::id);
  assert(found != devices.devices().end());
  return *found;
}

void mark_faster_than_peak(std::span<Measurement> measurements, const DeviceCatalogue& devices) {
  const Device* device = nullptr;
  for (Measurement& measurement : measurements) {
    if (device == nullptr || device->id != measurement.device) {
      device = &device_of(measurement, devices);
    }
    const Bounds bounds = bound_durations(measurement, *device);
    const Seconds least = std::max(bounds.compute, bounds.memory_uncached);
    if (measurement.duration * sheet_tolerance < least) {
      measurement.marks.add(Mark::faster_than_peak);
    }
  }
}

void mark_repeats(std::span<Measurement> measurements) {
  std::unordered_map<std::string, std::size_t> first_rows;
  std::unordered_map<std::size_t, std::vector<std::size_t>> groups;
  first_rows.reserve(measurements.size());
  for (std::size_t row = 0; row < measurements.size(); ++row) {
    const auto [first, is_new] = first_rows.try_emplace(group_of(measurements[row]), row);
    if (is_new) continue;
    std::vector<std::size_t>& group = groups[first->second];
    if (group.empty()) group.push_back(first->second);
    group.push_back(row);
  }
  // The order of the groups does not matter: no row is in two.
  for (const auto& [first, rows] : groups) mark_group(measurements, rows);
}

}  // namespace joulecast

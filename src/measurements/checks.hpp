// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which of the measurements contradict the device, each other or their neighbours? Rows are marked
// with the reason; only what must be a slip of the unit is an error.

#include <joulecast/measurement.hpp>

#include <optional>
#include <span>
#include <string>

namespace joulecast {

// What the data sheet allows: no kernel does the work of a shape in less time.
struct Bounds {
  Seconds compute{};
  Seconds memory{};           // all operands from device memory
  Seconds memory_uncached{};  // those that the last-level cache cannot hold
};
// Empty where the device's sheet lacks what is needed.
Bounds bound_durations(const Measurement& measurement, const Device& device);

// Why the duration must be in another unit than assumed; empty if it may be right.
std::optional<std::string> find_unit_slip(const Measurement& measurement, const Device& device);

// All measurements are of one device each, which `devices` holds.
void mark_faster_than_peak(std::span<Measurement> measurements, const DeviceCatalogue& devices);
void mark_repeats(std::span<Measurement> measurements);
void mark_power_labels(std::span<Measurement> measurements);

// The device with this id; requires it to exist.
const Device& device_of(const Measurement& measurement, const DeviceCatalogue& devices);

}  // namespace joulecast

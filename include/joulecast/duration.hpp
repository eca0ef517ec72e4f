// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long does one operation take on a device, by a law?
//
//   saturation: t = c / (v_max eta(c))                                  (3) and (4) of the paper
//   roofline:   t = launch + max(c / (f_c v_max), bytes / (f_b BW))     Williams et al. 2009

#include <joulecast/device.hpp>
#include <joulecast/law.hpp>
#include <joulecast/law_family.hpp>
#include <joulecast/operation.hpp>

#include <optional>

namespace joulecast {

// What the duration of an operation is bound by; `law` where the law does not tell.
enum class Bound { compute, memory, launch, law };

struct OperationDuration {
  Seconds one{};  // of one execution, above 0
  // Achieved share of the peak, in (0, 1]. Absent where there are no FLOPs or no known peak.
  std::optional<double> hef{};
  Bound bound = Bound::law;
};

// The device figures that a duration depends on.
struct DeviceRates {
  std::optional<FlopsPerSecond> peak{};  // of the operation's precision
  BytesPerSecond bandwidth{};
  // What fitted families use; absent where the data sheet lacks one of them.
  std::optional<DeviceFacts> facts{};
};

// Errors: unsupported, where the device lacks the precision or its bandwidth is unknown.
// Elementwise operations run in FP32 outside the tensor cores; where a device states no such rate
// they are taken as bound by memory.
Result<DeviceRates> find_rates(const Device& device, const Operation& operation);

// Whether the form of the law can say anything about the operation: a saturation law needs FLOPs
// and a peak.
bool law_applies(const Law& law, const Operation& operation, const DeviceRates& rates);

// Requires law_applies.
OperationDuration predict_duration(const Law& law, const Operation& operation,
                                   const DeviceRates& rates);

// Board power by the law, where it has one. Requires law_applies.
std::optional<PowerAnswer> predict_power(const Law& law, const Operation& operation,
                                         const DeviceRates& rates, Seconds duration);

std::string_view to_string(Bound bound);

}  // namespace joulecast

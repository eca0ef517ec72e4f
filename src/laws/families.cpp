// SPDX-License-Identifier: Apache-2.0
#include "laws/families.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace joulecast {
namespace {

std::vector<LawFamily> join_families() {
  std::vector<LawFamily> all = simple_families();
  for (auto part :
       {tensor_core_families(), simt_families(), elementwise_families(), host_floor_families(),
        attention_families(), moe_families(), convolution_families()}) {
    std::move(part.begin(), part.end(), std::back_inserter(all));
  }
  return all;
}

double fp32_rate(const Device& device) {
  const auto found = device.peak_flops_per_second.find(Precision::fp32);
  return found == device.peak_flops_per_second.end() ? 0.0 : found->second.value.value();
}

// A core finishes a multiplication and an addition per cycle: v_fp32 = 2 f SM cores.
double clock_of(const Device& device) {
  if (!device.fp32_cores_per_multiprocessor || !device.multiprocessors) return 0.0;
  return fp32_rate(device) /
         (2.0 * device.multiprocessors->value * device.fp32_cores_per_multiprocessor->value);
}

}  // namespace

std::span<const LawFamily> law_families() {
  static const std::vector<LawFamily> families = join_families();
  return families;
}

const LawFamily* find_family(std::string_view name) {
  const auto families = law_families();
  const auto found = std::ranges::find(families, name, &LawFamily::name);
  return found == families.end() ? nullptr : &*found;
}

Result<DeviceFacts> facts_of(const Device& device, MeasuredPrecision precision) {
  const auto missing = [&](const char* key) {
    return std::unexpected(
        Error{ErrorKind::unsupported, fmt::format("{} of {} is not known", key, device.id),
              Location{.file = device.file, .path = key}, "state it in a --device-file"});
  };
  const auto peak = find_peak(device, peak_precision(precision));
  if (!peak) return std::unexpected(peak.error());
  if (!device.memory_bandwidth) return missing("memory_bandwidth_bytes_per_second");
  if (!device.multiprocessors) return missing("multiprocessors");
  if (!device.l2_cache) return missing("l2_cache_bytes");
  if (!device.thermal_design_power) return missing("thermal_design_power_watts");
  return DeviceFacts{.peak_flops_per_second = peak->value.value(),
                     .bandwidth_bytes_per_second = device.memory_bandwidth->value.value(),
                     .multiprocessors = device.multiprocessors->value,
                     .l2_bytes = device.l2_cache->value.value(),
                     .power_limit_watts = device.thermal_design_power->value.value(),
                     .architecture = device.architecture,
                     .launch_year = static_cast<double>(device.launch_year),
                     .clock_hertz = clock_of(device),
                     .fp32_flops_per_second = fp32_rate(device)};
}

}  // namespace joulecast

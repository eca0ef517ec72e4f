// SPDX-License-Identifier: Apache-2.0
#include "metering/clocks.hpp"

#include <joulecast/meter.hpp>

namespace joulecast {

Seconds monotonic_now() { return read_clock(CLOCK_MONOTONIC); }

std::vector<ThrottleReason> throttle_reasons_in(std::uint32_t bits) {
  std::vector<ThrottleReason> reasons;
  for (std::size_t i = 0; i < all_throttle_reasons.size(); ++i) {
    if ((bits >> i & 1U) != 0) reasons.push_back(all_throttle_reasons[i]);
  }
  return reasons;
}

std::string_view to_string(SensorKind kind) {
  switch (kind) {
    case SensorKind::gpu: return "gpu";
    case SensorKind::cpu: return "cpu";
    case SensorKind::memory: return "memory";
  }
  return "unknown";
}

std::string_view to_string(PowerSource source) {
  switch (source) {
    case PowerSource::none: return "none";
    case PowerSource::instant: return "instant";
    case PowerSource::average: return "average";
    case PowerSource::counter: return "counter";
  }
  return "unknown";
}

std::string_view to_string(EnergySource source) {
  switch (source) {
    case EnergySource::none: return "none";
    case EnergySource::counter: return "counter";
    case EnergySource::integration: return "integration";
  }
  return "unknown";
}

std::string_view to_string(ThrottleReason reason) {
  switch (reason) {
    case ThrottleReason::idle: return "idle";
    case ThrottleReason::application_clocks: return "application_clocks";
    case ThrottleReason::power_cap: return "power_cap";
    case ThrottleReason::hardware_slowdown: return "hardware_slowdown";
    case ThrottleReason::sync_boost: return "sync_boost";
    case ThrottleReason::software_thermal: return "software_thermal";
    case ThrottleReason::hardware_thermal: return "hardware_thermal";
    case ThrottleReason::power_brake: return "power_brake";
    case ThrottleReason::display_clocks: return "display_clocks";
  }
  return "unknown";
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include <joulecast/duration.hpp>

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace joulecast {
namespace {

Flops flops_of(const Operation& operation) { return Flops{static_cast<double>(operation.flops)}; }

OperationDuration evaluate(const SaturationLaw& law, const Operation& operation,
                           const DeviceRates& rates) {
  const double eta = evaluate_hef(law, flops_of(operation));
  return {.one = flops_of(operation) / (*rates.peak * eta), .hef = eta, .bound = Bound::law};
}

OperationDuration evaluate(const RooflineLaw& law, const Operation& operation,
                           const DeviceRates& rates) {
  const Bytes bytes{static_cast<double>(operation.bytes_moved)};
  const Seconds traffic = bytes / (rates.bandwidth * law.bandwidth_fraction);
  const Seconds work =
      rates.peak ? flops_of(operation) / (*rates.peak * law.compute_fraction) : Seconds{0.0};
  OperationDuration duration;
  duration.one = law.launch + std::max(work, traffic);
  duration.bound = work > traffic ? Bound::compute : Bound::memory;
  if (law.launch > std::max(work, traffic)) duration.bound = Bound::launch;
  if (rates.peak && operation.flops > 0) {
    duration.hef = flops_of(operation) / (*rates.peak * duration.one);
  }
  return duration;
}

}  // namespace

Result<DeviceRates> find_rates(const Device& device, const Operation& operation) {
  if (!device.memory_bandwidth) {
    return std::unexpected(Error{
        ErrorKind::unsupported, fmt::format("the memory bandwidth of {} is not known", device.id),
        Location{.file = device.file, .path = "memory_bandwidth_bytes_per_second"},
        "state it in a --device-file"});
  }
  DeviceRates rates{.peak = std::nullopt, .bandwidth = device.memory_bandwidth->value};
  const auto peak = find_peak(device, operation.precision);
  if (peak) rates.peak = peak->value;
  if (!peak && operation.kind == OperationKind::matmul) return std::unexpected(peak.error());
  return rates;
}

bool law_applies(const Law& law, const Operation& operation, const DeviceRates& rates) {
  if (std::holds_alternative<RooflineLaw>(law.form)) return true;
  return operation.flops > 0 && rates.peak.has_value();
}

OperationDuration predict_duration(const Law& law, const Operation& operation,
                                   const DeviceRates& rates) {
  assert(law_applies(law, operation, rates));
  return std::visit([&](const auto& form) { return evaluate(form, operation, rates); }, law.form);
}

std::string_view to_string(Bound bound) {
  switch (bound) {
    case Bound::compute: return "compute";
    case Bound::memory: return "memory";
    case Bound::launch: return "launch";
    case Bound::law: return "law";
  }
  return "unknown";
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// A family asked about one shape, with parameters given by name. Devices here are unreal: one
// multiprocessor, a million FLOPs per second, endless bandwidth, so that one term of a formula
// outweighs the launch times that no bound lets vanish.

#include <joulecast/law_family.hpp>

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace joulecast {

inline DeviceFacts slow_device(std::string architecture) {
  return {.peak_flops_per_second = 1e6,
          .bandwidth_bytes_per_second = 1e40,
          .multiprocessors = 1.0,
          .l2_bytes = 1e6,
          .power_limit_watts = 100.0,
          .architecture = std::move(architecture)};
}

// Every parameter at its lowest, except those named.
inline std::vector<double> lowest_but(const LawFamily& family,
                                      std::map<std::string_view, double> values) {
  std::vector<double> parameters;
  for (const LawParameter& parameter : family.parameters) {
    const auto named = values.extract(parameter.name);
    parameters.push_back(named.empty() ? parameter.lowest : named.mapped());
  }
  if (!values.empty()) throw std::invalid_argument(std::string(values.begin()->first));
  return parameters;
}

}  // namespace joulecast

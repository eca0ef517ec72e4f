// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two times of which a roofline takes the longer; the shipped prior says which bound holds.

#include <joulecast/law.hpp>

namespace joulecast {

struct RooflineSeconds {
  double work = 0.0;  // 0 where no peak is known
  double traffic = 0.0;
};

inline RooflineSeconds roofline_seconds(const RooflineLaw& law, const LawQuestion& question) {
  const DeviceFacts& facts = question.facts;
  RooflineSeconds seconds;
  seconds.traffic = question.bytes / (law.bandwidth_fraction * facts.bandwidth_bytes_per_second);
  if (facts.peak_flops_per_second > 0.0) {
    seconds.work = question.flops / (law.compute_fraction * facts.peak_flops_per_second);
  }
  return seconds;
}

}  // namespace joulecast

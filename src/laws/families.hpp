// SPDX-License-Identifier: Apache-2.0
#pragma once

// The families by nature of the operation; one file each, `law_families` joins them. And what their
// formulas share.

#include <joulecast/law_family.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace joulecast {

std::vector<LawFamily> simple_families();
std::vector<LawFamily> tensor_core_families();
std::vector<LawFamily> simt_families();
std::vector<LawFamily> elementwise_families();
std::vector<LawFamily> host_floor_families();
std::vector<LawFamily> attention_families();
std::vector<LawFamily> moe_families();
std::vector<LawFamily> convolution_families();

// (a^q + b^q)^(1/q) for a, b >= 0: a maximum with a rounded corner. The larger is taken out, so
// that no power of a microsecond underflows.
inline double power_sum(double a, double b, double q) {
  const double larger = std::max(a, b);
  const double smaller = std::min(a, b);
  if (larger <= 0.0) return 0.0;
  return larger * std::pow(1.0 + std::pow(smaller / larger, q), 1.0 / q);
}

// x^8 and x^16 without a call of pow.
inline double eighth(double x) {
  x *= x;
  x *= x;
  return x * x;
}
inline double sixteenth(double x) {
  const double y = eighth(x);
  return y * y;
}

}  // namespace joulecast

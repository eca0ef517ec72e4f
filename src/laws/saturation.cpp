// SPDX-License-Identifier: Apache-2.0
#include <joulecast/law.hpp>

#include <cmath>

namespace joulecast {

double evaluate_hef(const SaturationLaw& law, Flops flops) {
  const double c = flops.value() / law.flops_scale;
  // expm1, since 1 - exp(-x) loses all digits for the tiny x of small operations.
  return -law.eta_max * std::expm1(-law.saturation_rate * std::pow(c, law.saturation_exponent));
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which share of a device's peak does an operation of a given size reach?
//
// The hardware efficiency factor (HEF) of an operation of c FLOPs that takes t seconds on a device
// of peak v_max is eta = (c / t) / v_max. Source: Mayaki & Charpenay, ECAI 2025,
// DOI 10.3233/FAIA250900, equation (1). A law predicts eta, and with it t = c / (v_max eta) (3).

#include <joulecast/quantities.hpp>

namespace joulecast {

// The paper's law, equation (4): eta(c) = eta_max (1 - exp(-k C^alpha)), C = c / flops_scale.
// All three parameters are positive and eta_max <= 1, so 0 < eta <= eta_max for every c > 0.
struct SaturationLaw {
  double eta_max = 0.0;              // fraction, never percent
  double saturation_rate = 0.0;      // k, per C^alpha
  double saturation_exponent = 0.0;  // alpha
  double flops_scale = 1e12;         // the paper states c in TFLOP

  bool operator==(const SaturationLaw&) const = default;
};

// The hardware efficiency factor, a fraction in (0, eta_max]. Requires flops > 0.
double evaluate_hef(const SaturationLaw& law, Flops flops);

}  // namespace joulecast

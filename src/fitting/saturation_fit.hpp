// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which saturation law describes measured efficiencies best?
//
// Least squares on eta, as the source paper fits it (DOI 10.3233/FAIA250900, equation (4)):
//   minimise  sum_i (eta_i - eta_max (1 - exp(-k C_i^alpha)))^2,  C = c / flops_scale,
// within bounds. eta_max enters linearly, so for every (k, alpha) of a coarse grid its best value
// is g'eta / g'g with g = 1 - exp(-k C^alpha) (variable projection: Golub & Pereyra, SIAM J. Numer.
// Anal. 10 (1973) 413). The best few grid points start Levenberg-Marquardt in (eta_max, ln k,
// alpha). No random numbers are involved: the same samples give the same law.

#include <joulecast/error.hpp>
#include <joulecast/law.hpp>

#include "fitting/levenberg_marquardt.hpp"

#include <span>
#include <string>
#include <vector>

namespace joulecast {

struct HefSample {
  double flops = 0.0;
  double hef = 0.0;  // fraction
};

struct SaturationFitOptions {
  double flops_scale = 1e12;
  double eta_max_lower = 1e-9, eta_max_upper = 1.0;
  double rate_lower = 1e-6, rate_upper = 1e9;
  double exponent_lower = 0.05, exponent_upper = 3.0;
  int starts = 4;  // how many of the best grid points are refined
  LevenbergMarquardtOptions solver;
};

struct SaturationFit {
  SaturationLaw law;
  double sum_of_squares = 0.0;
  double r_squared = 0.0;
  double mean_absolute_error = 0.0;  // of eta, fraction
  double minimum_flops = 0.0;        // the range the law may claim
  double maximum_flops = 0.0;
  std::size_t samples = 0;
  int iterations = 0;
  FitTermination termination = FitTermination::iteration_limit;
  // Names among eta_max, saturation_rate, saturation_exponent that the samples do not fix.
  std::vector<std::string> not_identified;
};

// An error if there are no samples or one is not positive and finite.
Result<SaturationFit> fit_saturation_law(std::span<const HefSample> samples,
                                         const SaturationFitOptions& options);

// eta and its derivatives by eta_max, ln k and alpha at C = scaled_flops.
struct SaturationDerivatives {
  double eta = 0.0;
  double by_eta_max = 0.0;
  double by_log_rate = 0.0;
  double by_exponent = 0.0;
};
SaturationDerivatives differentiate_saturation(double eta_max, double log_rate, double exponent,
                                               double scaled_flops);

}  // namespace joulecast

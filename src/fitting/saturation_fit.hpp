// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which saturation law describes measured efficiencies best?
//
// Least squares on eta, as the source paper fits it (DOI 10.3233/FAIA250900, equation (4)):
//   minimise  sum_i (eta_i - eta_max (1 - exp(-k C_i^alpha)))^2,  C = c / flops_scale,
// within bounds. eta_max enters linearly, so for every (k, alpha) of a coarse grid its best value
// is g'eta / g'g with g = 1 - exp(-k C^alpha) (variable projection: Golub & Pereyra, SIAM J. Numer.
// Anal. 10 (1973) 413). The grid covers what lies between a power law and a constant over the sizes
// measured; those of its points that no neighbour undercuts start Levenberg-Marquardt in (eta_max,
// ln k, alpha). Rows of one size count by their mean, which has the same minimum. No random numbers
// are involved: the same samples give the same law.

#include <joulecast/error.hpp>
#include <joulecast/law.hpp>

#include "fitting/levenberg_marquardt.hpp"

#include <optional>
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
  int starts = 8;  // how many of the best grid points are refined
  LevenbergMarquardtOptions solver{.step_tolerance = 1e-8, .gradient_tolerance = 1e-13};
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

// No samples, or one that is not positive and finite.
std::optional<Error> find_bad_sample(std::span<const HefSample> samples);

// Rows by size, in ascending order.
struct SizeTable {
  Eigen::ArrayXd log_size{};          // ln(FLOPs / scale)
  Eigen::ArrayXd count{};             // rows
  Eigen::ArrayXd mean{};              // of their efficiencies
  double within = 0.0;                // sum of squares about those means
  std::vector<std::size_t> places{};  // of every row, among the sizes
};
SizeTable collect_sizes(std::span<const HefSample> samples, double flops_scale);

// eta and its derivatives by eta_max, ln k and alpha at each size.
struct SaturationDerivatives {
  Eigen::ArrayXd eta{};
  Eigen::ArrayXd by_eta_max{};
  Eigen::ArrayXd by_log_rate{};
  Eigen::ArrayXd by_exponent{};
};
SaturationDerivatives differentiate_saturation(double eta_max, double log_rate, double exponent,
                                               const Eigen::ArrayXd& log_size);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which power law describes measured board power best, and how far off is it on shapes that it has
// not seen?
//
// Minimises sum_i w_i rho(ln P_i(theta) - ln measured_i), rho the pseudo-Huber loss of
// fitting/family_fit.hpp, over the parameters of the law but P_idle, in ln theta within bounds that
// are shares of the power limit: at the peak rate, at full bandwidth. Rows below the limit weigh
// more where they are few. Starts are the fit's own and rows are sorted by their content first, so
// the same rows give the same law in any order.
//
// P_idle: every row is measured while a kernel runs, so the rows fix P_idle + P_on at best. But a
// sweep's labels of kernels of a few microseconds average over the wait between them, which makes
// the lowest label of a device an upper bound of what it draws between kernels. `waiting_power`
// takes that, of all rows, doubted ones included: 126 W of 700 W on H200, 245 W of 1000 W on B200.
// It always counts as not identified.
//
// Most rows of fast kernels sit at the limit and say nothing about the work; then e_flop, e_byte
// and P_occ trade off against each other. A parameter whose 95 % interval spans a factor over 4 or
// touches a bound is named as not identified: the law's power stands, that number on its own does
// not.

#include <joulecast/law.hpp>
#include <joulecast/power_law.hpp>

#include "fitting/family_fit.hpp"

#include <span>
#include <string>
#include <vector>

namespace joulecast {

// FLOPs and bytes are those of `least_work`. All of one device and precision.
struct PowerSample {
  std::string_view operation{};
  MeasuredShape shape{};
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  double flops = 0.0;
  double bytes = 0.0;
  double seconds = 0.0;
  double watts = 0.0;
  double limit_watts = 0.0;
};

struct PowerFitOptions {
  double idle_watts = 0.0;         // P_idle, `waiting_power` of all rows of the device; required
  double huber_width = 0.04;       // d, on ln P
  std::size_t coarse_rows = 1500;  // every start is tried on so many
  int coarse_iterations = 40;
  int fine_iterations = 200;
  int bootstrap = 200;
};

struct PowerParameterInterval {
  std::string_view name{};
  ParameterInterval interval{};  // 95 %
};

struct PowerFit {
  PowerLaw law{};
  std::vector<PowerParameterInterval> intervals{};
  std::vector<std::string> not_identified{};
  double loss = 0.0;  // mean over the rows
  bool converged = false;
  // Of five folds, by shape; how tokens were dealt to experts is no part of it.
  std::vector<double> residuals{};  // ln(measured / predicted), in the order of the rows
  LawErrors errors{};
  IntervalFactors below_limit{};  // where the prediction is below `at_limit_share` of the limit
  IntervalFactors at_limit{};     // elsewhere
};

// The power that the device draws between kernels at most: the 0.1 % quantile of all labels, since
// one of them may be a misreading. Requires labels above 0, at least one.
double waiting_power(std::span<const double> watts);

// Errors: value, without rows, with one that is not positive and finite in duration, power or
// limit, or without idle power below the limit.
Result<PowerFit> fit_power(const DeviceFacts& facts, std::span<const PowerSample> samples,
                           const PowerFitOptions& options);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Measured values and their predictions -> error metrics.

#include <joulecast/validation.hpp>

#include <optional>
#include <span>
#include <vector>

namespace joulecast {

struct PredictedValue {
  double measured = 0.0;
  double predicted = 0.0;
  std::optional<IntervalFactors> interval{};  // multiples of the prediction
};

// Whether a duration, power or energy in SI units can be one. Metrics of such values are finite: no
// square of them, and no sum of squares, leaves the range of a double.
bool is_plausible(double value);

// Requires at least one value; all must be plausible.
ErrorMetrics compute_metrics(std::span<const PredictedValue> values);

// Linear between the order statistics: at position share (n - 1) of the ascending values, counted
// from 0. Hyndman & Fan 1996, DOI 10.1080/00031305.1996.10473566, type 7; 0.5 gives the median.
// Requires at least one value, ascending, and a share in [0, 1].
double quantile(std::span<const double> ascending, double share);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Plain summaries of a column, as the audit states them.

#include <vector>

namespace joulecast {

// All require at least one value.
double compute_mean(const std::vector<double>& values);
// Square root of the mean squared deviation, n in the denominator.
double compute_standard_deviation(const std::vector<double>& values);
// The mean of the two middle values where their number is even.
double compute_median(std::vector<double> values);

}  // namespace joulecast

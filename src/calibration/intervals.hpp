// SPDX-License-Identifier: Apache-2.0
#pragma once

// Between which multiples of a prediction do 90 % of measurements lie?
//
// Split-conformal intervals: with residuals r = ln(measured / predicted) of n rows that the fit has
// not seen, a new row of the same kind lies between the order statistics floor(0.05 (n + 1)) and
// ceil(0.95 (n + 1)) with a chance of 0.9 at least. Vovk, Gammerman & Shafer, Algorithmic Learning
// in a Random World, 2005, section 4.5 (a cell per kind: Mondrian).

#include <joulecast/law.hpp>

#include <span>
#include <vector>

namespace joulecast {

struct Residual {
  double predicted_seconds = 0.0;
  double intensity = 0.0;  // FLOPs per byte
  double log_ratio = 0.0;  // ln(measured / predicted)
};

// The lower factor is at most 1, the upper at least 1. Requires a residual at least.
IntervalFactors conformal_factors(std::vector<double> log_ratios);

// Up to three classes of intensity where it varies, each cut into bands of the predicted duration
// with 60 rows or more. Requires a residual at least.
std::vector<IntervalBand> conformal_bands(std::span<const Residual> residuals);

}  // namespace joulecast

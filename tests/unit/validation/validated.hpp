// SPDX-License-Identifier: Apache-2.0
#pragma once

// Laws whose predictions are known, and rows measured against them.

#include "../measurements/measured.hpp"

#include <joulecast/validation.hpp>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace joulecast {

// Half of the peak at any size: k C is beyond 40 for every product here, so eta is eta_max.
inline Law half_of_the_peak(const std::string& operation = "linear",
                            MeasuredPrecision precision = MeasuredPrecision::bf16,
                            const std::string& device = "h200-141gb-sxm") {
  Law law;
  law.id = device + "/" + std::string(to_string(precision)) + "/" + operation;
  law.device = device;
  law.operation = operation;
  law.precision = precision;
  law.form = SaturationLaw{.eta_max = 0.5, .saturation_rate = 1e9, .saturation_exponent = 1.0};
  law.interval = IntervalFactors{0.8, 1.25};
  law.sha256 = "of " + law.id;
  return law;
}

inline LawSet law_set(std::vector<Law> laws) { return {std::move(laws), Law{}, PowerPrior{}}; }

// What `half_of_the_peak` says of a product on an H200 in bf16, whose peak is 989.5 TFLOP/s.
inline double law_seconds(const MatmulShape& shape) {
  const double peak =
      find_peak(shipped_devices().find("h200-141gb-sxm").value(), Precision::bf16)->value.value();
  return 2.0 * static_cast<double>(shape.batch) * static_cast<double>(shape.m) *
         static_cast<double>(shape.n) * static_cast<double>(shape.k) / (0.5 * peak);
}

// A product that took `factor` times as long as the law says.
inline Measurement slower_than_law(const MatmulShape& shape, double factor) {
  return measured_matmul(shape, factor * law_seconds(shape));
}

inline Measurement with_mark(Measurement row, Mark mark) {
  row.marks.add(mark);
  return row;
}

// The result points to its measurements, so they are kept until the tests end.
inline Validation validated(std::vector<Measurement> rows, const LawSet& laws,
                            const ValidationOptions& options = {}) {
  static std::deque<std::vector<Measurement>> kept;
  kept.push_back(std::move(rows));
  auto validation = validate_laws(kept.back(), laws, shipped_devices(), options);
  EXPECT_TRUE(validation.has_value()) << describe(validation.error());
  return validation ? *validation : Validation{};
}

}  // namespace joulecast

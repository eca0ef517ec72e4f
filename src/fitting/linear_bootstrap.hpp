// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far do the rows fix the coefficients of a linear regression?
//
// The bootstrap (Efron, Ann. Statist. 7 (1979) 1): as many rows as there are, drawn with
// replacement, are fitted anew, and again. A regression sees its rows through sums of products
// alone, so a resample is the vector w of how often each row was drawn, and its fit follows from
//
//   S = sum_r w_r a_r a_r',   a = (1, columns, target),
//
// which takes one pass over the rows that differ and no copy of the table. Columns are standardised
// over all rows first, and for ordinary least squares made orthonormal, so that no sum cancels.

#include <joulecast/error.hpp>

#include "fitting/linear.hpp"

#include <Eigen/Core>

#include <cstdint>
#include <span>

namespace joulecast {

struct LinearResampling {
  int resamples = 1000;
  unsigned threads = 0;  // 0: as many as the machine has; the result does not depend on it
};

// One row per resample: the constant, then the coefficients in the order of the features, per unit
// of the feature. Deterministic, and independent of the order of the rows: resample b of n rows,
// in ascending order of (features, target), takes those of draw_rows (splitmix.hpp).
// Errors: as the fits of linear.hpp.
Result<Eigen::MatrixXd> resample_ordinary_least_squares(std::span<const Feature> features,
                                                        std::span<const double> target,
                                                        const LinearResampling& options);
// Each resample is standardised anew.
Result<Eigen::MatrixXd> resample_ridge(std::span<const Feature> features,
                                       std::span<const double> target, double penalty,
                                       const LinearResampling& options);
// The constant is not negative either.
Result<Eigen::MatrixXd> resample_non_negative(std::span<const Feature> features,
                                              std::span<const double> target,
                                              const LinearResampling& options);

}  // namespace joulecast

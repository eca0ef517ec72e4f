// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which straight combination of named features explains a target best?
//
//   ordinary least squares   min |y - b0 - X b|^2                         (QR with pivoting)
//   ridge                    min |y - mean - Z g|^2 + penalty |g|^2,      Z = (X - mean) / sd
//   non-negative             min |y - X b|^2 with b >= 0                  (Lawson-Hanson)
//
// Ridge follows scikit-learn's StandardScaler and Ridge: sd divides by n, the intercept is not
// penalised, coefficients are returned per unit of the feature. Non-negative least squares: C. L.
// Lawson, R. J. Hanson, Solving Least Squares Problems, 1974, chapter 23. Columns that are equal or
// proportional to each other, or combinations of others, are named: their coefficients share one
// effect in a way that the data do not decide.

#include <joulecast/error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace joulecast {

struct Feature {
  std::string name;
  std::vector<double> values;
};

struct LinearFit {
  double intercept = 0.0;
  std::vector<double> coefficients;  // in the order of the features, per unit of the feature
  double r_squared = 0.0;
  double mean_absolute_error = 0.0;
  double sum_of_squares = 0.0;
  std::size_t samples = 0;
  std::size_t rank = 0;                     // of the features, constant left out
  std::vector<std::string> not_identified;  // features that the others can replace

  [[nodiscard]] double predict(std::span<const Feature> features, std::size_t row) const;
};

// Where columns are dependent, the solution of least norm in standardised features is returned.
Result<LinearFit> fit_ordinary_least_squares(std::span<const Feature> features,
                                             std::span<const double> target);
Result<LinearFit> fit_ridge(std::span<const Feature> features, std::span<const double> target,
                            double penalty);

struct NonNegativeFit {
  std::vector<double> coefficients;
  double sum_of_squares = 0.0;
  int iterations = 0;
  bool converged = false;
};

// No intercept: give a feature of ones where one is wanted.
Result<NonNegativeFit> fit_non_negative(std::span<const Feature> features,
                                        std::span<const double> target);

// Groups of two or more features that are the same column up to a positive or negative factor.
struct ProportionalColumns {
  std::vector<std::string> names;
  std::vector<double> factors;  // of each against the first; the first is 1
};
std::vector<ProportionalColumns> find_proportional_columns(std::span<const Feature> features,
                                                           double relative_tolerance);

}  // namespace joulecast

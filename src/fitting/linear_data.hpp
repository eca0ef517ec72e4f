// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows of a linear regression as a matrix, checked and standardised.

#include <joulecast/error.hpp>

#include "fitting/linear.hpp"

#include <Eigen/Core>

#include <optional>
#include <span>

namespace joulecast {

// A standardised column closer than this to the span of the others adds nothing of its own.
inline constexpr double dependence_limit = 1e-9;

// No rows, columns of other lengths, or a value that is not finite.
std::optional<Error> find_bad_input(std::span<const Feature> features,
                                    std::span<const double> target);
std::optional<Error> find_bad_penalty(double penalty);

Eigen::VectorXd to_vector(std::span<const double> values);
Eigen::MatrixXd to_matrix(std::span<const Feature> features);

struct Standardised {
  Eigen::MatrixXd columns;  // mean 0 and variance 1, or zero where the feature is constant
  Eigen::VectorXd mean;
  Eigen::VectorXd deviation;  // 1 for a constant feature
};
Standardised standardise(const Eigen::MatrixXd& raw);

}  // namespace joulecast

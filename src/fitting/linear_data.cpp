// SPDX-License-Identifier: Apache-2.0
#include "fitting/linear_data.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace joulecast {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

std::optional<Error> find_bad_input(std::span<const Feature> features,
                                    std::span<const double> target) {
  if (target.empty() || features.empty()) {
    return Error{ErrorKind::value, "a regression needs at least one row and one feature", {}, ""};
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::ranges::all_of(target, finite)) {
    return Error{ErrorKind::value, "the target holds a value that is not finite", {}, ""};
  }
  for (const Feature& feature : features) {
    if (feature.values.size() != target.size()) {
      return Error{ErrorKind::value,
                   fmt::format("feature {} has {} rows, the target {}", feature.name,
                               feature.values.size(), target.size()),
                   {},
                   ""};
    }
    if (!std::ranges::all_of(feature.values, finite)) {
      return Error{ErrorKind::value,
                   fmt::format("feature {} holds a value that is not finite", feature.name),
                   {},
                   ""};
    }
  }
  return std::nullopt;
}

VectorXd to_vector(std::span<const double> values) {
  return Eigen::Map<const VectorXd>(values.data(), static_cast<Index>(values.size()));
}

MatrixXd to_matrix(std::span<const Feature> features) {
  MatrixXd columns(static_cast<Index>(features.front().values.size()),
                   static_cast<Index>(features.size()));
  for (Index i = 0; i < columns.cols(); ++i) {
    columns.col(i) = to_vector(features[static_cast<std::size_t>(i)].values);
  }
  return columns;
}

std::optional<Error> find_bad_penalty(double penalty) {
  if (penalty > 0.0 && std::isfinite(penalty)) return std::nullopt;
  return Error{ErrorKind::value,
               fmt::format("the ridge penalty must be positive, got {}", penalty),
               {},
               "use ordinary least squares for no penalty"};
}

Standardised standardise(const MatrixXd& raw) {
  Standardised out{raw, raw.colwise().mean().transpose(), VectorXd::Ones(raw.cols())};
  for (Index i = 0; i < raw.cols(); ++i) {
    out.columns.col(i).array() -= out.mean[i];
    const double rms = out.columns.col(i).norm() / std::sqrt(static_cast<double>(raw.rows()));
    // What centring leaves of a constant is rounding, not information.
    if (rms <= 1e-14 * std::abs(out.mean[i])) {
      out.columns.col(i).setZero();
    } else {
      out.deviation[i] = rms;
      out.columns.col(i) /= rms;
    }
  }
  return out;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "fitting/linear.hpp"

#include "fitting/linear_data.hpp"

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

namespace joulecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Feature i is replaceable if the others reproduce it (a constant one, if the intercept does).
std::vector<std::string> find_replaceable(const Standardised& data,
                                          std::span<const Feature> features) {
  std::vector<std::string> names;
  for (Index i = 0; i < data.columns.cols(); ++i) {
    MatrixXd others(data.columns.rows(), data.columns.cols() - 1);
    others << data.columns.leftCols(i), data.columns.rightCols(data.columns.cols() - 1 - i);
    const VectorXd column = data.columns.col(i);
    VectorXd rest = column;
    if (others.cols() > 0) {
      rest -= others * Eigen::CompleteOrthogonalDecomposition<MatrixXd>(others).solve(column);
    }
    const double limit = dependence_limit * std::sqrt(static_cast<double>(column.size()));
    if (rest.norm() <= limit) names.push_back(features[static_cast<std::size_t>(i)].name);
  }
  return names;
}

LinearFit finish(const Standardised& data, std::span<const Feature> features,
                 const VectorXd& target, const VectorXd& standardised) {
  const VectorXd coefficients = standardised.cwiseQuotient(data.deviation);
  const double mean = target.mean();
  const VectorXd centred = (target.array() - mean).matrix();
  const VectorXd residuals = centred - data.columns * standardised;
  LinearFit fit;
  fit.intercept = mean - data.mean.dot(coefficients);
  fit.coefficients.assign(coefficients.begin(), coefficients.end());
  fit.sum_of_squares = residuals.squaredNorm();
  const double total = centred.squaredNorm();
  fit.r_squared = total > 0.0 ? 1.0 - fit.sum_of_squares / total : 0.0;
  fit.mean_absolute_error = residuals.cwiseAbs().mean();
  fit.samples = static_cast<std::size_t>(target.size());
  fit.not_identified = find_replaceable(data, features);
  fit.rank = static_cast<std::size_t>(
      Eigen::ColPivHouseholderQR<MatrixXd>(data.columns).setThreshold(dependence_limit).rank());
  return fit;
}

}  // namespace

double LinearFit::predict(std::span<const Feature> features, std::size_t row) const {
  double value = intercept;
  for (std::size_t i = 0; i < features.size(); ++i) {
    value += coefficients[i] * features[i].values[row];
  }
  return value;
}

Result<LinearFit> fit_ordinary_least_squares(std::span<const Feature> features,
                                             std::span<const double> target) {
  if (auto bad = find_bad_input(features, target)) return std::unexpected(std::move(*bad));
  const Standardised data = standardise(to_matrix(features));
  const VectorXd y = to_vector(target);
  Eigen::CompleteOrthogonalDecomposition<MatrixXd> solver;
  solver.setThreshold(dependence_limit);
  solver.compute(data.columns);
  return finish(data, features, y, solver.solve((y.array() - y.mean()).matrix()));
}

Result<LinearFit> fit_ridge(std::span<const Feature> features, std::span<const double> target,
                            double penalty) {
  if (auto bad = find_bad_input(features, target)) return std::unexpected(std::move(*bad));
  if (auto bad = find_bad_penalty(penalty)) return std::unexpected(std::move(*bad));
  const Standardised data = standardise(to_matrix(features));
  const VectorXd y = to_vector(target);
  MatrixXd normal = data.columns.transpose() * data.columns;
  normal.diagonal().array() += penalty;
  const VectorXd moment = data.columns.transpose() * (y.array() - y.mean()).matrix();
  return finish(data, features, y, normal.llt().solve(moment));
}

std::vector<ProportionalColumns> find_proportional_columns(std::span<const Feature> features,
                                                           double relative_tolerance) {
  std::vector<ProportionalColumns> groups;
  std::vector<bool> taken(features.size(), false);
  for (std::size_t i = 0; i < features.size(); ++i) {
    const VectorXd first = to_vector(features[i].values);
    ProportionalColumns group{{features[i].name}, {1.0}};
    for (std::size_t j = i + 1; j < features.size() && !taken[i]; ++j) {
      const VectorXd other = to_vector(features[j].values);
      if (taken[j] || other.size() != first.size() || !(first.norm() > 0.0)) continue;
      const double factor = first.dot(other) / first.squaredNorm();
      if (!(other.norm() > 0.0) ||
          (other - factor * first).norm() > relative_tolerance * other.norm()) {
        continue;
      }
      taken[j] = true;
      group.names.push_back(features[j].name);
      group.factors.push_back(factor);
    }
    if (group.names.size() > 1) groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "fitting/power_problem.hpp"

#include "fitting/splitmix.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <utility>

namespace joulecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double label_noise = 0.01;  // of ln P, at least
constexpr double normal_quantile = 1.96;
constexpr double shortest_column = 1e-12;
constexpr double smallest_eigenvalue = 1e-12;  // of columns of unit length

MatrixXd regular(MatrixXd normal) {
  normal.diagonal().array() += smallest_eigenvalue;
  return normal;
}

// Standard errors in units of the columns, for independent errors of `label_noise`.
VectorXd noise_floor(const MatrixXd& jacobian) {
  const MatrixXd normal = regular(jacobian.transpose() * jacobian);
  const MatrixXd inverse = normal.ldlt().solve(MatrixXd::Identity(normal.rows(), normal.cols()));
  return label_noise * inverse.diagonal().cwiseSqrt();
}

// The widest of the drawn values and `reach` either side of none.
std::pair<double, double> central_range(std::vector<double> drawn, double reach) {
  if (drawn.empty()) return {-reach, reach};
  std::ranges::sort(drawn);
  const auto last = static_cast<double>(drawn.size() - 1);
  return {std::min(-reach, drawn[static_cast<std::size_t>(0.025 * last)]),
          std::max(reach, drawn[static_cast<std::size_t>(std::ceil(0.975 * last))])};
}

}  // namespace

// ln P and its derivatives by ln theta. With y = (c/q)^s: ln P = ln c - ln(1 + y)/s, hence
//   dlnP/dln q = y/(1+y),  dlnP/dln c = 1/(1+y),  dlnP/dln s = ln(1+y)/s - y/(1+y) ln(c/q).
// Where y < 1 the same from 1/y, as y may overflow otherwise.
double log_power(const PowerRow& row, double idle_watts, const PowerShares& shares,
                 PowerShares& slopes) {
  double q = idle_watts;
  for (Index j = 0; j < power_demand_terms; ++j) {
    q += shares[j] * row.watts_per_share[static_cast<std::size_t>(j)];
  }
  const double c = shares[power_fraction_place] * row.limit;
  const double s = shares[power_sharpness_place];
  const double gap = std::log(c / q);
  const double small = std::exp(-s * std::abs(gap));  // of y and 1/y
  const double rest = std::log1p(small) / s;
  const double of_demand = gap > 0.0 ? 1.0 / (1.0 + small) : small / (1.0 + small);
  for (Index j = 0; j < power_demand_terms; ++j) {
    slopes[j] = of_demand * shares[j] * row.watts_per_share[static_cast<std::size_t>(j)] / q;
  }
  slopes[power_fraction_place] = 1.0 - of_demand;
  // ln(1+y)/s = max(0, gap) + rest.
  slopes[power_sharpness_place] = std::max(0.0, gap) + rest - of_demand * gap;
  return std::min(std::log(q), std::log(c)) - rest;
}

PowerProblem::PowerProblem(std::vector<PowerRow> rows, double idle_watts, double huber_width)
    : rows_(std::move(rows)), idle_watts_(idle_watts), huber_width_(huber_width) {
  problem_.lower.resize(power_parameter_count);
  problem_.upper.resize(power_parameter_count);
  for (Index j = 0; j < power_parameter_count; ++j) {
    const PowerParameter& parameter = power_parameters[static_cast<std::size_t>(j)];
    problem_.lower[j] = std::log(parameter.lowest);
    problem_.upper[j] = std::log(parameter.highest);
  }
  problem_.evaluate = [this](const VectorXd& at, VectorXd& residuals, MatrixXd& jacobian) {
    evaluate(at, residuals, jacobian);
  };
}

PowerMinimum PowerProblem::minimize(const PowerShares& start, int iterations) const {
  const VectorXd from =
      start.array().log().matrix().cwiseMax(problem_.lower).cwiseMin(problem_.upper);
  PowerMinimum minimum;
  minimum.summary = minimize_least_squares(problem_, from,
                                           {.max_iterations = iterations, .step_tolerance = 1e-6});
  minimum.shares = minimum.summary.parameters.array().exp();
  minimum.loss = minimum.summary.sum_of_squares / static_cast<double>(rows_.size());
  return minimum;
}

std::array<ParameterInterval, power_parameter_count> PowerProblem::intervals(
    const PowerMinimum& minimum, int resamples) const {
  VectorXd residuals;
  MatrixXd jacobian;
  const VectorXd& centre = minimum.summary.parameters;
  evaluate(centre, residuals, jacobian);
  const VectorXd lengths = jacobian.colwise().norm().cwiseMax(shortest_column);
  jacobian *= lengths.cwiseInverse().asDiagonal();
  const VectorXd reach = normal_quantile * noise_floor(jacobian).cwiseQuotient(lengths);
  std::array<std::vector<double>, power_parameter_count> steps;
  std::uint64_t state = 0x9E3779B97F4A7C15ULL;  // fixed: the same rows give the same intervals
  for (int b = 0; b < resamples; ++b) {
    const MatrixXd weighted = draw_counts(state).asDiagonal() * jacobian;
    const MatrixXd normal = regular(weighted.transpose() * jacobian);
    const VectorXd step = normal.ldlt().solve(-(weighted.transpose() * residuals));
    for (Index j = 0; j < power_parameter_count; ++j) {
      steps[static_cast<std::size_t>(j)].push_back(step[j] / lengths[j]);
    }
  }
  std::array<ParameterInterval, power_parameter_count> result;
  for (Index j = 0; j < power_parameter_count; ++j) {
    const auto place = static_cast<std::size_t>(j);
    const auto [lower, upper] = central_range(std::move(steps[place]), reach[j]);
    result[place] = {std::exp(std::max(centre[j] + lower, problem_.lower[j])),
                     std::exp(std::min(centre[j] + upper, problem_.upper[j]))};
  }
  return result;
}

void PowerProblem::evaluate(const VectorXd& logarithms, VectorXd& residuals,
                            MatrixXd& jacobian) const {
  residuals.resize(static_cast<Index>(rows_.size()));
  jacobian.resize(static_cast<Index>(rows_.size()), power_parameter_count);
  const PowerShares shares = logarithms.array().exp();
  PowerShares slopes;
  for (Index i = 0; i < residuals.size(); ++i) {
    const PowerRow& row = rows_[static_cast<std::size_t>(i)];
    const double r = log_power(row, idle_watts_, shares, slopes) - row.log_watts;
    // The residual s with s^2 = rho(r), and ds/dr = rho'(r) / (2 s); rho cancels near 0, so
    // 2 d^2 (root - 1) is written as 2 r^2 / (root + 1).
    const double root = std::sqrt(1.0 + r * r / (huber_width_ * huber_width_));
    const double scale = std::sqrt(2.0 / (root + 1.0));  // |s| / |r|
    const double weight = std::sqrt(row.weight);
    residuals[i] = weight * r * scale;
    jacobian.row(i) = weight / (root * scale) * slopes.transpose();
  }
}

VectorXd PowerProblem::draw_counts(std::uint64_t& state) const {
  VectorXd counts = VectorXd::Zero(static_cast<Index>(rows_.size()));
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    counts[static_cast<Index>(next_random(state) % rows_.size())] += 1.0;
  }
  return counts;
}

}  // namespace joulecast

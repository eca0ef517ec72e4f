// SPDX-License-Identifier: Apache-2.0
#include "fitting/family_fit.hpp"

#include "fitting/splitmix.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

namespace joulecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// The step of a forward difference in ln theta: large enough to see past the kinks of a minimum
// over tiles, small enough for a derivative.
constexpr double difference = 1e-3;

class Problem {
 public:
  Problem(const LawFamily& family, const DeviceFacts& facts, std::span<const LawSample> samples,
          double huber_width)
      : family_(family), facts_(facts), samples_(samples), width_(huber_width) {
    for (std::size_t i = 0; i < family.parameters.size(); ++i) {
      if (family.parameters[i].lowest < family.parameters[i].highest) free_.push_back(i);
    }
  }

  [[nodiscard]] const std::vector<std::size_t>& free() const { return free_; }

  FamilyFit minimize(std::span<const double> start, int iterations, int bootstrap = 0) const {
    VectorXd u(static_cast<Index>(free_.size()));
    LeastSquaresProblem problem;
    problem.lower = u;
    problem.upper = u;
    for (std::size_t j = 0; j < free_.size(); ++j) {
      const LawParameter& parameter = family_.parameters[free_[j]];
      const auto at = static_cast<Index>(j);
      problem.lower[at] = std::log(parameter.lowest);
      problem.upper[at] = std::log(parameter.highest);
      u[at] = std::clamp(std::log(start[free_[j]]), problem.lower[at], problem.upper[at]);
    }
    const std::vector<double> base(start.begin(), start.end());
    problem.evaluate = [&](const VectorXd& at, VectorXd& residuals, MatrixXd& jacobian) {
      evaluate(base, at, residuals, jacobian);
    };
    const LevenbergMarquardtSummary summary =
        minimize_least_squares(problem, u, {.max_iterations = iterations, .step_tolerance = 1e-5});
    FamilyFit fit;
    fit.parameters = values(base, summary.parameters);
    fit.loss = summary.sum_of_squares / static_cast<double>(samples_.size());
    fit.converged = summary.converged();
    if (bootstrap > 0) fit.intervals = resample(base, summary, problem, bootstrap);
    for (std::size_t j = 0; j < free_.size(); ++j) {
      if (!summary.identified[j]) {
        fit.not_identified.emplace_back(family_.parameters[free_[j]].name);
      }
    }
    return fit;
  }

 private:
  [[nodiscard]] std::vector<double> values(std::vector<double> base, const VectorXd& u) const {
    for (std::size_t j = 0; j < free_.size(); ++j) {
      base[free_[j]] = std::exp(u[static_cast<Index>(j)]);
    }
    return base;
  }

  // Each resample draws as many rows as there are, with replacement, and takes the Gauss-Newton
  // step from the optimum that its rows ask for. A parameter at a bound is held there.
  [[nodiscard]] std::vector<ParameterInterval> resample(const std::vector<double>& base,
                                                        const LevenbergMarquardtSummary& summary,
                                                        const LeastSquaresProblem& problem,
                                                        int bootstrap) const {
    VectorXd residuals;
    MatrixXd jacobian;
    problem.evaluate(summary.parameters, residuals, jacobian);
    const Index rows = jacobian.rows();
    const Index columns = jacobian.cols();
    std::vector<std::vector<double>> drawn(static_cast<std::size_t>(columns));
    std::uint64_t state = 0x9E3779B97F4A7C15ULL;  // fixed: the same rows give the same intervals
    VectorXd counts(rows);
    const auto step_of = [&] {
      const MatrixXd weighted = counts.asDiagonal() * jacobian;
      MatrixXd normal = weighted.transpose() * jacobian;
      normal.diagonal().array() += 1e-9 * normal.diagonal().maxCoeff() + 1e-300;
      return VectorXd(normal.ldlt().solve(-(weighted.transpose() * residuals)));
    };
    // The optimum of a formula with edges need not be a root of the gradient: what all rows
    // together would still move is no uncertainty.
    counts.setOnes();
    const VectorXd common = step_of();
    for (int b = 0; b < bootstrap; ++b) {
      counts.setZero();
      for (Index i = 0; i < rows; ++i) {
        counts[static_cast<Index>(next_random(state) % static_cast<std::uint64_t>(rows))] += 1.0;
      }
      const VectorXd step = step_of() - common;
      for (Index j = 0; j < columns; ++j) {
        drawn[static_cast<std::size_t>(j)].push_back(
            std::clamp(summary.parameters[j] + step[j], problem.lower[j], problem.upper[j]));
      }
    }
    std::vector<ParameterInterval> intervals;
    for (const double value : base) intervals.push_back({value, value});
    for (std::size_t j = 0; j < free_.size(); ++j) {
      std::vector<double>& values = drawn[j];
      std::ranges::sort(values);
      const auto at = [&](double share) {
        return std::exp(
            values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))]);
      };
      intervals[free_[j]] = {at(0.025), at(0.975)};
    }
    return intervals;
  }

  void evaluate(const std::vector<double>& base, const VectorXd& u, VectorXd& residuals,
                MatrixXd& jacobian) const {
    const auto rows = static_cast<Index>(samples_.size());
    const auto columns = static_cast<Index>(free_.size());
    residuals.resize(rows);
    jacobian.resize(rows, columns);
    std::vector<std::vector<double>> moved;
    for (Index j = 0; j < columns; ++j) {
      VectorXd shifted = u;
      shifted[j] += difference;
      moved.push_back(values(base, shifted));
    }
    const std::vector<double> centre = values(base, u);
    for (Index i = 0; i < rows; ++i) {
      const LawSample& sample = samples_[static_cast<std::size_t>(i)];
      const LawQuestion question = question_of(sample, facts_);
      const double logarithm = std::log(family_.seconds(centre, question));
      const double r = logarithm - std::log(sample.seconds);
      const double root = std::sqrt(1.0 + r * r / (width_ * width_));
      // The residual s with s^2 = rho(r), and ds/dr = rho'(r) / (2 s).
      const double size = std::sqrt(2.0 * width_ * width_ * (root - 1.0));
      const double s = std::copysign(size, r);
      const double slope = size > 0.0 ? std::abs(r) / (root * size) : 1.0;
      const double weight = std::sqrt(sample.weight);
      residuals[i] = weight * s;
      for (Index j = 0; j < columns; ++j) {
        const double there =
            std::log(family_.seconds(moved[static_cast<std::size_t>(j)], question));
        jacobian(i, j) = weight * slope * (there - logarithm) / difference;
      }
    }
  }

  const LawFamily& family_;
  const DeviceFacts& facts_;
  std::span<const LawSample> samples_;
  double width_;
  std::vector<std::size_t> free_;
};

// Every n-th sample, so that about `most` remain; the order of the samples decides which.
std::vector<LawSample> thin(std::span<const LawSample> samples, std::size_t most) {
  if (samples.size() <= most) return {samples.begin(), samples.end()};
  std::vector<LawSample> kept;
  const double stride = static_cast<double>(samples.size()) / static_cast<double>(most);
  for (std::size_t i = 0; i < most; ++i) {
    kept.push_back(samples[static_cast<std::size_t>(static_cast<double>(i) * stride)]);
  }
  return kept;
}

Result<void> check(std::span<const LawSample> samples) {
  const auto fail = [](std::string message) {
    return std::unexpected(
        Error{ErrorKind::value, std::move(message), Location{}, "give measured durations above 0"});
  };
  if (samples.empty()) return fail("there are no rows to fit a law to");
  for (const LawSample& sample : samples) {
    // Written so that NaN fails as well.
    if (!(sample.seconds > 0.0 && std::isfinite(sample.seconds))) {
      return fail(fmt::format("a duration is not positive and finite: {}", sample.seconds));
    }
  }
  return {};
}

}  // namespace

Result<FamilyFit> refine_family(const LawFamily& family, const DeviceFacts& facts,
                                std::span<const LawSample> samples,
                                std::span<const double> parameters,
                                const FamilyFitOptions& options) {
  if (auto checked = check(samples); !checked) return std::unexpected(checked.error());
  const std::vector<LawSample> rows = thin(samples, options.fine_rows);
  return Problem(family, facts, rows, options.huber_width)
      .minimize(parameters, options.fine_iterations, options.bootstrap);
}

Result<FamilyFit> fit_family(const LawFamily& family, const DeviceFacts& facts,
                             std::span<const LawSample> samples, const FamilyFitOptions& options) {
  if (auto checked = check(samples); !checked) return std::unexpected(checked.error());
  std::vector<std::vector<double>> starts(1);
  for (const LawParameter& parameter : family.parameters) starts[0].push_back(parameter.start);
  starts.insert(starts.end(), family.other_starts.begin(), family.other_starts.end());
  const std::vector<LawSample> rows = thin(samples, options.coarse_rows);
  const Problem coarse(family, facts, rows, options.huber_width);
  FamilyFit best;
  best.loss = std::numeric_limits<double>::infinity();
  for (const std::vector<double>& start : starts) {
    FamilyFit fit = coarse.minimize(start, options.coarse_iterations);
    if (fit.loss < best.loss) best = std::move(fit);
  }
  return refine_family(family, facts, samples, best.parameters, options);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "fitting/levenberg_marquardt.hpp"

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <optional>

namespace joulecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// A column of the scaled Jacobian closer than this to the span of the others carries no
// information of its own: the parameter would move by 1e6 times the noise.
constexpr double independence_limit = 1e-6;

class Minimizer {
 public:
  Minimizer(const LeastSquaresProblem& problem, const VectorXd& start,
            const LevenbergMarquardtOptions& options)
      : problem_(problem), options_(options), parameters_(start) {
    problem_.evaluate(parameters_, residuals_, jacobian_);
    sum_of_squares_ = residuals_.squaredNorm();
  }

  LevenbergMarquardtSummary run() {
    int iteration = 0;
    auto termination = FitTermination::iteration_limit;
    for (; iteration < options_.max_iterations; ++iteration) {
      if (const auto stop = iterate()) {
        termination = *stop;
        break;
      }
    }
    return {parameters_, sum_of_squares_, iteration, termination, find_identified()};
  }

 private:
  std::optional<FitTermination> iterate() {
    const VectorXd gradient = jacobian_.transpose() * residuals_;
    const std::vector<Index> free = find_free(gradient);
    if (largest_cosine(gradient, free) <= options_.gradient_tolerance) {
      return FitTermination::small_gradient;
    }
    const VectorXd step = compute_step(gradient, free);
    if (is_small(step)) return FitTermination::small_step;
    return try_step(step, gradient);
  }

  // The parameters that may move downhill without leaving the box.
  [[nodiscard]] std::vector<Index> find_free(const VectorXd& gradient) const {
    std::vector<Index> free;
    for (Index i = 0; i < parameters_.size(); ++i) {
      const bool held_low = parameters_[i] <= problem_.lower[i] && gradient[i] > 0.0;
      const bool held_high = parameters_[i] >= problem_.upper[i] && gradient[i] < 0.0;
      if (!held_low && !held_high) free.push_back(i);
    }
    return free;
  }

  [[nodiscard]] double largest_cosine(const VectorXd& gradient,
                                      const std::vector<Index>& free) const {
    const double length = std::sqrt(sum_of_squares_);
    double largest = 0.0;
    for (const Index i : free) {
      const double scale = jacobian_.col(i).norm() * length;
      if (scale > 0.0) largest = std::max(largest, std::abs(gradient[i]) / scale);
    }
    return largest;
  }

  [[nodiscard]] VectorXd compute_step(const VectorXd& gradient,
                                      const std::vector<Index>& free) const {
    const MatrixXd columns = jacobian_(Eigen::all, free);
    MatrixXd normal = columns.transpose() * columns;
    // A column of zeros has no scale of its own; any positive number keeps the system solvable.
    const VectorXd scale = normal.diagonal().cwiseMax(std::numeric_limits<double>::min());
    normal.diagonal() += damping_ * scale;
    const VectorXd direction = normal.ldlt().solve(-gradient(free).eval());
    VectorXd step = VectorXd::Zero(parameters_.size());
    step(free) = direction;
    return (parameters_ + step).cwiseMax(problem_.lower).cwiseMin(problem_.upper) - parameters_;
  }

  [[nodiscard]] bool is_small(const VectorXd& step) const {
    const auto scale = parameters_.array().abs() + options_.step_tolerance;
    return (step.array().abs() <= options_.step_tolerance * scale).all();
  }

  std::optional<FitTermination> try_step(const VectorXd& step, const VectorXd& gradient) {
    VectorXd residuals;
    MatrixXd jacobian;
    const VectorXd candidate = parameters_ + step;
    problem_.evaluate(candidate, residuals, jacobian);
    const double sum = residuals.squaredNorm();
    // The linear model promises -2 g'd - |J d|^2.
    const double promised = -2.0 * gradient.dot(step) - (jacobian_ * step).squaredNorm();
    if (!std::isfinite(sum) || sum >= sum_of_squares_) return reject(promised);
    shrink_damping((sum_of_squares_ - sum) / promised);
    parameters_ = candidate;
    residuals_ = residuals;
    jacobian_ = jacobian;
    sum_of_squares_ = sum;
    return std::nullopt;
  }

  std::optional<FitTermination> reject(double promised) {
    if (std::abs(promised) <= 1e-15 * sum_of_squares_) return FitTermination::no_improvement;
    damping_ *= growth_;
    growth_ *= 2.0;
    if (damping_ > 1e30) return FitTermination::no_improvement;
    return std::nullopt;
  }

  void shrink_damping(double gain) {
    damping_ *= std::max(1.0 / 3.0, 1.0 - std::pow(2.0 * std::min(gain, 1.0) - 1.0, 3.0));
    damping_ = std::max(damping_, 1e-16);
    growth_ = 2.0;
  }

  // Columns of R in J = Q R have the same products as those of J, and few rows.
  [[nodiscard]] std::vector<bool> find_identified() const {
    if (!options_.identify)
      return std::vector<bool>(static_cast<std::size_t>(parameters_.size()), true);
    MatrixXd columns = jacobian_;
    if (columns.rows() > columns.cols()) {
      columns = Eigen::HouseholderQR<MatrixXd>(jacobian_)
                    .matrixQR()
                    .topRows(jacobian_.cols())
                    .triangularView<Eigen::Upper>();
    }
    std::vector<bool> identified;
    for (Index i = 0; i < parameters_.size(); ++i) {
      const bool at_bound =
          parameters_[i] <= problem_.lower[i] || parameters_[i] >= problem_.upper[i];
      identified.push_back(!at_bound && stands_alone(columns, i));
    }
    return identified;
  }

  // Whether column i keeps a part orthogonal to all the others.
  [[nodiscard]] static bool stands_alone(const MatrixXd& columns, Index i) {
    const double length = columns.col(i).norm();
    if (!(length > 0.0)) return false;
    if (columns.cols() == 1) return true;
    MatrixXd others(columns.rows(), columns.cols() - 1);
    others << columns.leftCols(i), columns.rightCols(columns.cols() - 1 - i);
    for (Index j = 0; j < others.cols(); ++j) {
      const double norm = others.col(j).norm();
      if (norm > 0.0) others.col(j) /= norm;
    }
    const VectorXd column = columns.col(i) / length;
    const Eigen::JacobiSVD<MatrixXd> svd(others, Eigen::ComputeThinU | Eigen::ComputeThinV);
    return (column - others * svd.solve(column)).norm() > independence_limit;
  }

  const LeastSquaresProblem& problem_;
  const LevenbergMarquardtOptions& options_;
  VectorXd parameters_;
  VectorXd residuals_;
  MatrixXd jacobian_;
  double sum_of_squares_ = 0.0;
  double damping_ = 1e-3;
  double growth_ = 2.0;
};

}  // namespace

std::string_view to_string(FitTermination termination) {
  switch (termination) {
    case FitTermination::small_gradient: return "small_gradient";
    case FitTermination::small_step: return "small_step";
    case FitTermination::no_improvement: return "no_improvement";
    case FitTermination::iteration_limit: return "iteration_limit";
  }
  return "unknown";
}

LevenbergMarquardtSummary minimize_least_squares(const LeastSquaresProblem& problem,
                                                 const VectorXd& start,
                                                 const LevenbergMarquardtOptions& options) {
  assert(problem.lower.size() == start.size() && problem.upper.size() == start.size());
  assert((start.array() >= problem.lower.array()).all() &&
         (start.array() <= problem.upper.array()).all());
  return Minimizer{problem, start, options}.run();
}

}  // namespace joulecast

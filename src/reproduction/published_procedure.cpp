// SPDX-License-Identifier: Apache-2.0
#include "reproduction/published_procedure.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <unsupported/Eigen/NonLinearOptimization>
#include <unsupported/Eigen/NumericalDiff>

namespace joulecast {
namespace {

// The interface that Eigen's MINPACK port asks for; its names are not ours to choose.
class Residuals {
 public:
  using Scalar = double;
  using InputType = Eigen::VectorXd;
  using ValueType = Eigen::VectorXd;
  using JacobianType = Eigen::MatrixXd;
  enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };

  explicit Residuals(std::span<const PercentSample> samples) : samples_(samples) {}

  [[nodiscard]] static int inputs() { return 3; }
  [[nodiscard]] int values() const { return static_cast<int>(samples_.size()); }

  // Written as in the paper, 1 - exp and all: its rounding is part of where the routine stops.
  int operator()(const InputType& p, ValueType& residuals) const {
    Eigen::Index i = 0;
    for (const PercentSample& sample : samples_) {
      residuals[i++] =
          p[0] * (1.0 - std::exp(-p[1] * std::pow(sample.teraflop, p[2]))) - sample.percent;
    }
    return 0;
  }

 private:
  std::span<const PercentSample> samples_;
};

}  // namespace

ProcedureResult fit_as_published(std::span<const PercentSample> samples) {
  assert(samples.size() >= 3);
  const double largest = std::ranges::max_element(samples, {}, &PercentSample::percent)->percent;
  Eigen::VectorXd parameters = Eigen::Vector3d{largest, 1e4, 0.8};
  const Residuals residuals{samples};
  Eigen::NumericalDiff<Residuals> differentiated{residuals};
  Eigen::LevenbergMarquardt<Eigen::NumericalDiff<Residuals>> solver{differentiated};
  solver.parameters.maxfev = 100000;
  const auto status = solver.minimize(parameters);
  using enum Eigen::LevenbergMarquardtSpace::Status;
  const bool converged = status == RelativeReductionTooSmall || status == RelativeErrorTooSmall ||
                         status == RelativeErrorAndReductionTooSmall || status == CosinusTooSmall ||
                         status == FtolTooSmall || status == XtolTooSmall || status == GtolTooSmall;
  const bool finite = parameters.allFinite();
  return {{parameters[0], parameters[1], parameters[2]}, converged && finite};
}

}  // namespace joulecast

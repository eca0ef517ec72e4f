// SPDX-License-Identifier: Apache-2.0
#include "fitting/levenberg_marquardt.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace joulecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double unbounded = std::numeric_limits<double>::infinity();

// NIST StRD, dataset Misra1a (Misra 1978, dental research): y = b1 (1 - exp(-b2 x)).
// https://www.itl.nist.gov/div898/strd/nls/data/misra1a.shtml
constexpr std::array misra_x{77.6,  114.9, 141.1, 190.8, 239.9, 289.0, 332.8,
                             378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0};
constexpr std::array misra_y{10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02,
                             44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78};

LeastSquaresProblem misra1a() {
  LeastSquaresProblem problem;
  problem.lower = VectorXd::Constant(2, -unbounded);
  problem.upper = VectorXd::Constant(2, unbounded);
  problem.evaluate = [](const VectorXd& b, VectorXd& r, MatrixXd& jacobian) {
    r.resize(14);
    jacobian.resize(14, 2);
    for (std::size_t i = 0; i < misra_x.size(); ++i) {
      const auto row = static_cast<Index>(i);
      const double decay = std::exp(-b[1] * misra_x[i]);
      r[row] = b[0] * (1.0 - decay) - misra_y[i];
      jacobian.row(row) << 1.0 - decay, b[0] * misra_x[i] * decay;
    }
  };
  return problem;
}

TEST(LevenbergMarquardt, ReachesTheCertifiedValuesOfMisra1aFromBothStarts) {
  for (const auto& start : {Eigen::Vector2d{500.0, 1e-4}, Eigen::Vector2d{250.0, 5e-4}}) {
    const auto fit = minimize_least_squares(misra1a(), start, {});
    EXPECT_TRUE(fit.converged());
    EXPECT_NEAR(fit.parameters[0], 2.3894212918E+02, 1e-9 * 2.3894212918E+02);
    EXPECT_NEAR(fit.parameters[1], 5.5015643181E-04, 1e-9 * 5.5015643181E-04);
    EXPECT_NEAR(fit.sum_of_squares, 1.2455138894E-01, 1e-9);
    EXPECT_TRUE(fit.identified[0] && fit.identified[1]);
  }
}

// With b1 held at or below 200 (under its optimum of 238.9) the best point lies on that bound, and
// the gradient there must push against it while b2 is optimal given b1.
TEST(LevenbergMarquardt, StopsAtABoundAndSaysThatItIsNotIdentified) {
  LeastSquaresProblem problem = misra1a();
  problem.upper[0] = 200.0;
  const auto fit = minimize_least_squares(problem, Eigen::Vector2d{150.0, 5e-4}, {});
  EXPECT_TRUE(fit.converged());
  EXPECT_EQ(fit.parameters[0], 200.0);
  EXPECT_FALSE(fit.identified[0]);
  VectorXd r;
  MatrixXd jacobian;
  problem.evaluate(fit.parameters, r, jacobian);
  EXPECT_LT(jacobian.col(0).dot(r), 0.0);
  EXPECT_NEAR(jacobian.col(1).dot(r) / (jacobian.col(1).norm() * r.norm()), 0.0, 1e-9);
}

// NIST StRD, BoxBOD: the same law on six points, with a start (1, 1) from which many solvers run
// away. https://www.itl.nist.gov/div898/strd/nls/data/boxbod.shtml
TEST(LevenbergMarquardt, ReachesTheCertifiedValuesOfBoxBod) {
  static constexpr std::array x{1.0, 2.0, 3.0, 5.0, 7.0, 10.0};
  static constexpr std::array y{109.0, 149.0, 149.0, 191.0, 213.0, 224.0};
  LeastSquaresProblem problem = misra1a();
  problem.evaluate = [](const VectorXd& b, VectorXd& r, MatrixXd& jacobian) {
    r.resize(6);
    jacobian.resize(6, 2);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto row = static_cast<Index>(i);
      const double decay = std::exp(-b[1] * x[i]);
      r[row] = b[0] * (1.0 - decay) - y[i];
      jacobian.row(row) << 1.0 - decay, b[0] * x[i] * decay;
    }
  };
  const auto fit = minimize_least_squares(problem, Eigen::Vector2d{100.0, 0.75}, {});
  EXPECT_TRUE(fit.converged());
  EXPECT_NEAR(fit.parameters[0], 2.1380940889E+02, 1e-7);
  EXPECT_NEAR(fit.parameters[1], 5.4723748542E-01, 1e-9);
  EXPECT_NEAR(fit.sum_of_squares, 1.1680088766E+03, 1e-6);
}

TEST(LevenbergMarquardt, ReportsTheIterationLimit) {
  LevenbergMarquardtOptions options;
  options.max_iterations = 1;
  const auto fit = minimize_least_squares(misra1a(), Eigen::Vector2d{500.0, 1e-4}, options);
  EXPECT_FALSE(fit.converged());
  EXPECT_EQ(to_string(fit.termination), "iteration_limit");
}

// r = (p + q) - 1 fixes the sum of p and q only.
TEST(LevenbergMarquardt, NamesParametersThatOnlyActTogether) {
  LeastSquaresProblem problem = misra1a();
  problem.evaluate = [](const VectorXd& b, VectorXd& r, MatrixXd& jacobian) {
    r = VectorXd::Constant(3, b[0] + b[1] - 1.0);
    jacobian = MatrixXd::Ones(3, 2);
  };
  const auto fit = minimize_least_squares(problem, Eigen::Vector2d{0.0, 0.0}, {});
  EXPECT_NEAR(fit.parameters.sum(), 1.0, 1e-9);
  EXPECT_FALSE(fit.identified[0] || fit.identified[1]);
}

}  // namespace
}  // namespace joulecast

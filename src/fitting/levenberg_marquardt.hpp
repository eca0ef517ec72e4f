// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which parameters within bounds make a model's residuals smallest in the least-squares sense?
//
// Levenberg-Marquardt: each step solves (J'J + mu D) d = -J'r, D = diag(J'J), over the parameters
// that are free; one that sits at a bound and is pushed outward is held there for the step, and a
// step that would leave the box is cut back to it. mu follows the gain ratio (Nielsen's rule).
// Source: K. Madsen, H. B. Nielsen, O. Tingleff, Methods for Non-Linear Least Squares Problems,
// 2nd ed., 2004, section 3.2; the projection onto bounds: C. Kanzow, N. Yamashita, M. Fukushima,
// J. Comput. Appl. Math. 172 (2004), section 3.

#include <Eigen/Core>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace joulecast {

struct LeastSquaresProblem {
  // Writes the residuals and, row by row, their derivatives by each parameter.
  std::function<void(const Eigen::VectorXd& parameters, Eigen::VectorXd& residuals,
                     Eigen::MatrixXd& jacobian)>
      evaluate;
  Eigen::VectorXd lower;
  Eigen::VectorXd upper;
};

struct LevenbergMarquardtOptions {
  int max_iterations = 500;
  double step_tolerance = 1e-13;      // relative to each parameter
  double gradient_tolerance = 1e-15;  // on the cosine between residuals and a column of J
  bool identify = true;               // whether to find out what the data fix; else all are said to
};

enum class FitTermination {
  small_gradient,   // the residuals are orthogonal to every free direction
  small_step,       // no parameter moved by more than its tolerance
  no_improvement,   // the sum of squares stopped falling at the limit of the arithmetic
  iteration_limit,  // not converged: the result must not be trusted
};

std::string_view to_string(FitTermination termination);

struct LevenbergMarquardtSummary {
  Eigen::VectorXd parameters;
  double sum_of_squares = 0.0;
  int iterations = 0;
  FitTermination termination = FitTermination::iteration_limit;
  // Whether the data fix each parameter: false at a bound, and where its column of the Jacobian is
  // a combination of the others, so that another value with others would fit as well.
  std::vector<bool> identified;

  [[nodiscard]] bool converged() const { return termination != FitTermination::iteration_limit; }
};

// Requires a start within the bounds, and at least one residual.
LevenbergMarquardtSummary minimize_least_squares(const LeastSquaresProblem& problem,
                                                 const Eigen::VectorXd& start,
                                                 const LevenbergMarquardtOptions& options);

}  // namespace joulecast

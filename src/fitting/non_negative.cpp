// SPDX-License-Identifier: Apache-2.0
// Lawson & Hanson's active set: columns enter one by one where the gradient asks for them, and
// leave again where the unconstrained solution of the chosen ones would turn negative.
#include "fitting/linear.hpp"

#include "fitting/linear_data.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <optional>

namespace joulecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

class ActiveSet {
 public:
  ActiveSet(const MatrixXd& columns, const VectorXd& target)
      : columns_(columns), target_(target), x_(VectorXd::Zero(columns.cols())) {
    // The gradient of an exact solution is rounding of this size.
    tolerance_ = 1e-12 * target.norm();
  }

  // The column whose increase lowers the error most; none when the KKT conditions hold.
  [[nodiscard]] std::optional<Index> find_entering() const {
    const VectorXd gradient = columns_.transpose() * (target_ - columns_ * x_);
    std::optional<Index> best;
    for (Index i = 0; i < x_.size(); ++i) {
      if (is_chosen(i) || is_barred(i) || gradient[i] <= tolerance_) continue;
      if (!best || gradient[i] > gradient[*best]) best = i;
    }
    return best;
  }

  void enter(Index column) {
    chosen_.push_back(column);
    std::ranges::sort(chosen_);
    while (!settle()) {
    }
    // A column that rounding alone asked for leaves at once; barred, it cannot cycle.
    if (is_chosen(column)) {
      barred_.clear();
    } else {
      barred_.push_back(column);
    }
  }

  [[nodiscard]] const VectorXd& solution() const { return x_; }

 private:
  [[nodiscard]] bool is_chosen(Index i) const {
    return std::ranges::find(chosen_, i) != chosen_.end();
  }
  [[nodiscard]] bool is_barred(Index i) const {
    return std::ranges::find(barred_, i) != barred_.end();
  }

  // Solves over the chosen columns; walks there until the first coefficient would turn negative
  // and drops that one. True once nothing had to be dropped.
  bool settle() {
    const MatrixXd chosen = columns_(Eigen::all, chosen_);
    const VectorXd aim = Eigen::CompleteOrthogonalDecomposition<MatrixXd>(chosen).solve(target_);
    double share = 1.0;
    Index blocking = -1;
    for (Index i = 0; i < aim.size(); ++i) {
      const double now = x_[chosen_[static_cast<std::size_t>(i)]];
      if (aim[i] > 0.0) continue;
      const double reach = now > aim[i] ? now / (now - aim[i]) : 0.0;
      if (blocking >= 0 && reach >= share) continue;
      share = reach;
      blocking = i;
    }
    VectorXd next = VectorXd::Zero(x_.size());
    next(chosen_) = x_(chosen_) + share * (aim - x_(chosen_));
    x_ = next;
    if (blocking < 0) return true;
    x_[chosen_[static_cast<std::size_t>(blocking)]] = 0.0;
    chosen_.erase(chosen_.begin() + blocking);
    return chosen_.empty();
  }

  const MatrixXd& columns_;
  const VectorXd& target_;
  VectorXd x_;
  std::vector<Index> chosen_;
  std::vector<Index> barred_;
  double tolerance_ = 0.0;
};

}  // namespace

Result<NonNegativeFit> fit_non_negative(std::span<const Feature> features,
                                        std::span<const double> target) {
  if (auto bad = find_bad_input(features, target)) return std::unexpected(std::move(*bad));
  const MatrixXd columns = to_matrix(features);
  // Columns of length one make the gradients comparable; a column of zeros stays out.
  VectorXd length = columns.colwise().norm().transpose();
  for (double& value : length) value = value > 0.0 ? value : 1.0;
  const MatrixXd scaled = columns * length.cwiseInverse().asDiagonal();
  const VectorXd y = to_vector(target);
  ActiveSet set(scaled, y);
  NonNegativeFit fit;
  const int limit = 10 * static_cast<int>(features.size()) + 10;
  for (; fit.iterations < limit && !fit.converged; ++fit.iterations) {
    const auto entering = set.find_entering();
    fit.converged = !entering;
    if (entering) set.enter(*entering);
  }
  const VectorXd coefficients = set.solution().cwiseQuotient(length);
  fit.coefficients.assign(coefficients.begin(), coefficients.end());
  fit.sum_of_squares = (y - scaled * set.solution()).squaredNorm();
  return fit;
}

}  // namespace joulecast

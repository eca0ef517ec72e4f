// SPDX-License-Identifier: Apache-2.0
#include "fitting/linear_bootstrap.hpp"

#include "fitting/linear_data.hpp"
#include "fitting/parallel.hpp"
#include "fitting/splitmix.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

namespace joulecast {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Products of two columns that are summed together: ten registers of two doubles, which leaves
// enough of the sixteen of x86-64 for the rest.
constexpr Index block_width = 20;
using Block = Eigen::Array<double, block_width, 1>;

// The rows in ascending order of (features, target), so that their order in the table says nothing.
struct SortedRows {
  MatrixXd features;
  VectorXd target;
  std::vector<std::uint32_t> places;  // of every row, among the distinct ones
};

SortedRows sort_rows(std::span<const Feature> features, std::span<const double> target) {
  std::vector<std::size_t> order(target.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto compare = [&](std::size_t a, std::size_t b) {
    for (const Feature& feature : features) {
      const auto ordering = feature.values[a] <=> feature.values[b];
      if (ordering != 0) return ordering;
    }
    return target[a] <=> target[b];
  };
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return compare(a, b) < 0; });
  SortedRows sorted{MatrixXd(static_cast<Index>(order.size()), static_cast<Index>(features.size())),
                    VectorXd(static_cast<Index>(order.size())),
                    {}};
  std::uint32_t place = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && compare(order[i - 1], order[i]) != 0) ++place;
    sorted.places.push_back(place);
    const auto row = static_cast<Index>(i);
    for (Index j = 0; j < sorted.features.cols(); ++j) {
      sorted.features(row, j) = features[static_cast<std::size_t>(j)].values[order[i]];
    }
    sorted.target[row] = target[order[i]];
  }
  return sorted;
}

// Sums over resamples of w a a' with a = (1, columns).
class ResampledProducts {
 public:
  // Copies of a row share one place, so that what is summed is as short as the table is varied.
  ResampledProducts(const MatrixXd& columns, std::vector<std::uint32_t> places)
      : width_(columns.cols()), places_(std::move(places)), distinct_(places_.back() + 1U) {
    fill_products(columns);
  }

  // (1 + columns) squared; entry (0, 0) is the number of rows.
  [[nodiscard]] MatrixXd draw(std::uint64_t resample) const {
    const std::vector<double> counts = draw_counts(resample);
    MatrixXd sums(width_ + 1, width_ + 1);
    sums(0, 0) = static_cast<double>(places_.size());
    std::size_t pair = 0;
    for (Index block = 0; block < block_count_; ++block) {
      const Block sum = add_up(block, counts);
      for (Index k = 0; k < block_width && pair < pairs_.size(); ++k, ++pair) {
        const auto [i, j] = pairs_[pair];
        sums(i, j) = sum[k];
        sums(j, i) = sum[k];
      }
    }
    return sums;
  }

 private:
  void fill_products(const MatrixXd& columns) {
    for (Index i = 0; i <= width_; ++i) {
      for (Index j = std::max<Index>(i, 1); j <= width_; ++j) pairs_.emplace_back(i, j);
    }
    const auto pair_count = static_cast<Index>(pairs_.size());
    block_count_ = (pair_count + block_width - 1) / block_width;
    const auto rows = static_cast<Index>(distinct_);
    products_.setZero(block_width, block_count_ * rows);
    for (Index row = 0; row < columns.rows(); ++row) {
      const Index r = places_[static_cast<std::size_t>(row)];
      for (Index pair = 0; pair < pair_count; ++pair) {
        const auto [i, j] = pairs_[static_cast<std::size_t>(pair)];
        products_(pair % block_width, pair / block_width * rows + r) =
            (i == 0 ? 1.0 : columns(row, i - 1)) * columns(row, j - 1);
      }
    }
  }

  [[nodiscard]] std::vector<double> draw_counts(std::uint64_t resample) const {
    std::vector<double> counts(distinct_, 0.0);
    draw_rows(resample, places_.size(), [&](std::size_t row) { counts[places_[row]] += 1.0; });
    return counts;
  }

  [[nodiscard]] Block add_up(Index block, const std::vector<double>& counts) const {
    const auto rows = static_cast<Index>(counts.size());
    const double* next = products_.data() + block * rows * block_width;
    Block sum = Block::Zero();
    for (const double count : counts) {
      sum += count * Eigen::Map<const Block, Eigen::Aligned16>(next);
      next += block_width;
    }
    return sum;
  }

  Index width_;
  Index block_count_ = 0;
  std::vector<std::uint32_t> places_;  // of every row, among the distinct ones
  std::size_t distinct_;
  std::vector<std::pair<Index, Index>> pairs_;  // what is multiplied, i <= j
  MatrixXd products_;                           // block after block, row after row
};

// Moments of a resample about its own means: of the columns, and with the last one, the target.
// With Most at hand, the moments of up to so many columns need no memory of the heap.
template <int Most>
struct Centred {
  using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1, Eigen::ColMajor, Most, 1>;
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, Most, Most>;

  Vector means;
  double target_mean = 0.0;
  Matrix covariance;
  Vector with_target;

  explicit Centred(const MatrixXd& sums) {
    const double n = sums(0, 0);
    const Index p = sums.cols() - 2;
    means = sums.row(0).segment(1, p).transpose() / n;
    target_mean = sums(0, p + 1) / n;
    covariance = sums.block(1, 1, p, p) / n;
    covariance.noalias() -= means.lazyProduct(means.transpose());
    with_target = sums.col(p + 1).segment(1, p) / n - means * target_mean;
  }
};
constexpr int few_columns = 8;

// Constant and slopes of the standardised columns.
template <int Most>
void solve_ridge(const Centred<Most>& moments, double penalty_per_row, VectorXd& solution) {
  // What centring leaves of a column that is constant in this resample is rounding.
  const typename Centred<Most>::Vector inverse = moments.covariance.diagonal().unaryExpr(
      [](double variance) { return variance > 1e-13 ? 1.0 / std::sqrt(variance) : 0.0; });
  typename Centred<Most>::Matrix normal =
      inverse.asDiagonal() * moments.covariance * inverse.asDiagonal();
  normal.diagonal().array() += penalty_per_row;
  typename Centred<Most>::Vector slopes = inverse.cwiseProduct(moments.with_target);
  normal.llt().solveInPlace(slopes);
  slopes = slopes.cwiseProduct(inverse).eval();
  solution[0] = moments.target_mean - moments.means.dot(slopes);
  solution.tail(slopes.size()) = slopes;
}

MatrixXd beside(const MatrixXd& columns, const VectorXd& target) {
  MatrixXd both(columns.rows(), columns.cols() + 1);
  both << columns, target;
  return both;
}

// `solve` makes (constant, coefficients) of the sums of one resample.
MatrixXd resample_with(const ResampledProducts& products, const LinearResampling& options,
                       Index terms, const std::function<void(const MatrixXd&, VectorXd&)>& solve) {
  MatrixXd drawn(terms, options.resamples);
  in_parallel(static_cast<std::size_t>(options.resamples), options.threads, [&](std::size_t b) {
    VectorXd solution(terms);
    solve(products.draw(b), solution);
    drawn.col(static_cast<Index>(b)) = solution;
  });
  return drawn.transpose();
}

}  // namespace

// With Z = Q T, Q'Q = 1, the columns are those of Q; where Z lacks rank, the solution of least norm
// is T^+ times theirs.
Result<MatrixXd> resample_ordinary_least_squares(std::span<const Feature> features,
                                                 std::span<const double> target,
                                                 const LinearResampling& options) {
  if (auto bad = find_bad_input(features, target)) return std::unexpected(std::move(*bad));
  const SortedRows sorted = sort_rows(features, target);
  const Standardised data = standardise(sorted.features);
  const VectorXd& y = sorted.target;
  Eigen::ColPivHouseholderQR<MatrixXd> factors(data.columns);
  factors.setThreshold(dependence_limit);
  const Index rank = factors.rank();
  const double scale = std::sqrt(static_cast<double>(y.size()));
  const MatrixXd q = factors.householderQ() * MatrixXd::Identity(y.size(), rank) * scale;
  const MatrixXd t = q.transpose() * data.columns / (scale * scale);
  MatrixXd back = MatrixXd::Zero(data.columns.cols(), rank);
  if (rank > 0) back = t.completeOrthogonalDecomposition().pseudoInverse();
  const double mean = y.mean();
  const auto solve = [&](const MatrixXd& sums, VectorXd& solution) {
    const Centred<Eigen::Dynamic> moments(sums);
    VectorXd gamma = VectorXd::Zero(rank);
    if (rank > 0) {
      gamma = moments.covariance.completeOrthogonalDecomposition().solve(moments.with_target);
    }
    const VectorXd coefficients = (back * gamma).cwiseQuotient(data.deviation);
    solution << mean + moments.target_mean - moments.means.dot(gamma) - coefficients.dot(data.mean),
        coefficients;
  };
  return resample_with({beside(q, (y.array() - mean).matrix()), sorted.places}, options,
                       data.columns.cols() + 1, solve);
}

Result<MatrixXd> resample_ridge(std::span<const Feature> features, std::span<const double> target,
                                double penalty, const LinearResampling& options) {
  if (auto bad = find_bad_input(features, target)) return std::unexpected(std::move(*bad));
  if (auto bad = find_bad_penalty(penalty)) return std::unexpected(std::move(*bad));
  const SortedRows sorted = sort_rows(features, target);
  const Standardised data = standardise(sorted.features);
  const VectorXd& y = sorted.target;
  const double mean = y.mean();
  const double penalty_per_row = penalty / static_cast<double>(y.size());
  const auto solve = [&](const MatrixXd& sums, VectorXd& solution) {
    if (sums.cols() <= few_columns + 2) {
      solve_ridge(Centred<few_columns>(sums), penalty_per_row, solution);
    } else {
      solve_ridge(Centred<Eigen::Dynamic>(sums), penalty_per_row, solution);
    }
    auto coefficients = solution.tail(data.columns.cols());
    coefficients = coefficients.cwiseQuotient(data.deviation).eval();
    solution[0] += mean - coefficients.dot(data.mean);
  };
  return resample_with({beside(data.columns, (y.array() - mean).matrix()), sorted.places}, options,
                       data.columns.cols() + 1, solve);
}

// With S = V L V', the columns of L^1/2 V' have the same products, so the same problem in as many
// rows as there are columns.
Result<MatrixXd> resample_non_negative(std::span<const Feature> features,
                                       std::span<const double> target,
                                       const LinearResampling& options) {
  if (auto bad = find_bad_input(features, target)) return std::unexpected(std::move(*bad));
  const SortedRows sorted = sort_rows(features, target);
  MatrixXd columns = beside(sorted.features, sorted.target);
  const double root = std::sqrt(static_cast<double>(target.size()));
  VectorXd scale = columns.colwise().norm().transpose() / root;
  for (double& value : scale) value = value > 0.0 ? value : 1.0;
  columns = columns * scale.cwiseInverse().asDiagonal();
  const Index count = columns.cols() - 1;
  const auto solve = [&](const MatrixXd& sums, VectorXd& solution) {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(sums);
    const MatrixXd rows = eigen.eigenvalues().cwiseMax(0.0).cwiseSqrt().asDiagonal() *
                          eigen.eigenvectors().transpose();
    const auto column = [&](Index i) {
      return std::vector<double>(rows.col(i).begin(), rows.col(i).end());
    };
    std::vector<Feature> reduced;
    for (Index i = 0; i <= count; ++i) reduced.push_back({"", column(i)});
    const auto fit = fit_non_negative(reduced, column(count + 1));
    for (Index i = 0; i <= count; ++i) {
      solution[i] = fit->coefficients[static_cast<std::size_t>(i)] * scale[count] /
                    (i == 0 ? 1.0 : scale[i - 1]);
    }
  };
  return resample_with({columns, sorted.places}, options, count + 1, solve);
}

}  // namespace joulecast

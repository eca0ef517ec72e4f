// SPDX-License-Identifier: Apache-2.0
#include "fitting/saturation_bootstrap.hpp"

#include "fitting/parallel.hpp"
#include "fitting/splitmix.hpp"

#include <Eigen/Cholesky>
#include <Eigen/LU>

#include <algorithm>
#include <cmath>

namespace joulecast {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::Matrix3d;
using Eigen::Vector3d;

constexpr int most_steps = 60;
// A step that promises less, relative to the sum of squares, is a small fraction of what another
// resample would change.
constexpr double least_promise = 1e-11;

// Sum of squares, half its gradient, and J'J, at one law.
struct NormalEquations {
  double sum_of_squares = 0.0;
  Vector3d gradient;
  Matrix3d matrix;
};

// The law at one place: efficiencies, J and its products, size by size.
struct Linearised {
  ArrayXd eta;
  Eigen::Matrix<double, Eigen::Dynamic, 3> by_parameter;
  Eigen::Matrix<double, Eigen::Dynamic, 6> by_pair;

  Linearised(const Vector3d& p, const SizeTable& sizes)
      : by_parameter(sizes.log_size.size(), 3), by_pair(sizes.log_size.size(), 6) {
    const auto d = differentiate_saturation(p[0], p[1], p[2], sizes.log_size);
    eta = d.eta;
    by_parameter.col(0) = d.by_eta_max;
    by_parameter.col(1) = d.by_log_rate;
    by_parameter.col(2) = d.by_exponent;
    for (Index i = 0, pair = 0; i < 3; ++i) {
      for (Index j = i; j < 3; ++j, ++pair) {
        by_pair.col(pair) = by_parameter.col(i).cwiseProduct(by_parameter.col(j));
      }
    }
  }
};

NormalEquations sum_up(const Linearised& at, const ArrayXd& counts, const ArrayXd& means) {
  const ArrayXd off = at.eta - means;
  const Eigen::VectorXd weighted = counts * off;
  NormalEquations out;
  out.sum_of_squares = weighted.dot(off.matrix());
  for (Index i = 0; i < 3; ++i) out.gradient[i] = weighted.dot(at.by_parameter.col(i));
  for (Index i = 0, pair = 0; i < 3; ++i) {
    for (Index j = i; j < 3; ++j, ++pair) {
      out.matrix(i, j) = out.matrix(j, i) = counts.matrix().dot(at.by_pair.col(pair));
    }
  }
  return out;
}

struct Box {
  Vector3d lower;
  Vector3d upper;
};

// The step over the parameters that are free. One that would leave the box goes to its bound, and
// the others take that into account; one that sits there and is pushed outward stays.
Vector3d step_of(const NormalEquations& at, const Vector3d& p, const Box& box, double damping) {
  Matrix3d matrix = at.matrix;
  Vector3d gradient = at.gradient;
  matrix.diagonal() *= 1.0 + damping;
  const auto fix = [&](Index i, double move) {
    gradient += matrix.col(i) * move;
    matrix.row(i).setZero();
    matrix.col(i).setZero();
    matrix(i, i) = 1.0;
    gradient[i] = -move;
  };
  for (Index i = 0; i < 3; ++i) {
    const bool held = (p[i] <= box.lower[i] && gradient[i] > 0.0) ||
                      (p[i] >= box.upper[i] && gradient[i] < 0.0) || !(at.matrix(i, i) > 0.0);
    if (held) fix(i, 0.0);
  }
  Vector3d step = -matrix.ldlt().solve(gradient);
  for (int round = 0; round < 2; ++round) {
    for (Index i = 0; i < 3; ++i) {
      const double there = std::clamp(p[i] + step[i], box.lower[i], box.upper[i]);
      if (there != p[i] + step[i]) fix(i, there - p[i]);
    }
    step = -matrix.ldlt().solve(gradient);
  }
  return (p + step).cwiseMax(box.lower).cwiseMin(box.upper) - p;
}

Vector3d minimize(Vector3d p, NormalEquations at, const Box& box, const auto& evaluate_at) {
  double damping = 1e-10;
  for (int i = 0; i < most_steps; ++i) {
    const Vector3d step = step_of(at, p, box, damping);
    const double promise = -2.0 * at.gradient.dot(step) - step.dot(at.matrix * step);
    if (promise <= least_promise * at.sum_of_squares && damping <= 1e-3) break;
    const NormalEquations there = evaluate_at(p + step);
    if (there.sum_of_squares < at.sum_of_squares) {
      p += step;
      at = there;
      damping = std::max(1e-10, 0.1 * damping);
    } else {
      damping = std::max(1e-4, 10.0 * damping);
      if (damping > 1e10) break;
    }
  }
  return p;
}

}  // namespace

Result<std::vector<SaturationLaw>> resample_saturation_law(std::span<const HefSample> samples,
                                                           const SaturationFit& fit,
                                                           const SaturationFitOptions& options,
                                                           const SaturationResampling& how) {
  if (auto bad = find_bad_sample(samples)) return std::unexpected(std::move(*bad));
  const SizeTable sizes = collect_sizes(samples, options.flops_scale);
  const Box box{{options.eta_max_lower, std::log(options.rate_lower), options.exponent_lower},
                {options.eta_max_upper, std::log(options.rate_upper), options.exponent_upper}};
  const Vector3d start =
      Vector3d{fit.law.eta_max, std::log(fit.law.saturation_rate), fit.law.saturation_exponent}
          .cwiseMax(box.lower)
          .cwiseMin(box.upper);
  const Linearised common(start, sizes);
  std::vector<SaturationLaw> laws(static_cast<std::size_t>(how.resamples));
  in_parallel(laws.size(), how.threads, [&](std::size_t b) {
    ArrayXd counts = ArrayXd::Zero(sizes.log_size.size());
    ArrayXd means = ArrayXd::Zero(sizes.log_size.size());
    draw_rows(b, samples.size(), [&](std::size_t row) {
      const auto place = static_cast<Index>(sizes.places[row]);
      counts[place] += 1.0;
      means[place] += samples[row].hef;
    });
    means /= counts.max(1.0);
    const Vector3d p = minimize(start, sum_up(common, counts, means), box, [&](const Vector3d& at) {
      return sum_up(Linearised(at, sizes), counts, means);
    });
    laws[b] = {p[0], std::exp(p[1]), p[2], options.flops_scale};
  });
  return laws;
}

}  // namespace joulecast

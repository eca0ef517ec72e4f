// SPDX-License-Identifier: Apache-2.0
#include "fitting/saturation_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <set>

namespace joulecast {
namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr int rate_steps = 46;
constexpr int exponent_steps = 36;

struct GridPoint {
  double sum_of_squares = 0.0;
  VectorXd parameters;  // eta_max, ln k, alpha
};

std::optional<Error> find_bad_sample(std::span<const HefSample> samples) {
  if (samples.empty()) {
    return Error{ErrorKind::value, "a law cannot be fitted to no samples", {}, ""};
  }
  for (const HefSample& sample : samples) {
    const bool good = std::isfinite(sample.flops) && std::isfinite(sample.hef) &&
                      sample.flops > 0.0 && sample.hef >= 0.0;
    if (good) continue;
    return Error{ErrorKind::value,
                 fmt::format("a sample of {} FLOPs at efficiency {} cannot be fitted", sample.flops,
                             sample.hef),
                 {},
                 "FLOPs must be positive, efficiencies not negative"};
  }
  return std::nullopt;
}

// The best eta_max for one (k, alpha), and what it leaves.
GridPoint project(std::span<const HefSample> samples, const SaturationFitOptions& options,
                  double log_rate, double exponent) {
  double g_eta = 0.0;
  double g_g = 0.0;
  double eta_eta = 0.0;
  for (const HefSample& sample : samples) {
    const double c = sample.flops / options.flops_scale;
    const double g = -std::expm1(-std::exp(log_rate) * std::pow(c, exponent));
    g_eta += g * sample.hef;
    g_g += g * g;
    eta_eta += sample.hef * sample.hef;
  }
  const double best = g_g > 0.0 ? g_eta / g_g : 0.0;
  const double eta_max = std::clamp(best, options.eta_max_lower, options.eta_max_upper);
  const double sum = eta_eta - 2.0 * eta_max * g_eta + eta_max * eta_max * g_g;
  return {sum, Eigen::Vector3d{eta_max, log_rate, exponent}};
}

std::vector<GridPoint> scan(std::span<const HefSample> samples,
                            const SaturationFitOptions& options) {
  const double log_lower = std::log(options.rate_lower);
  const double log_upper = std::log(options.rate_upper);
  std::vector<GridPoint> points;
  for (int i = 0; i < rate_steps; ++i) {
    const double log_rate = log_lower + (log_upper - log_lower) * i / (rate_steps - 1);
    for (int j = 0; j < exponent_steps; ++j) {
      const double exponent =
          options.exponent_lower +
          (options.exponent_upper - options.exponent_lower) * j / (exponent_steps - 1);
      points.push_back(project(samples, options, log_rate, exponent));
    }
  }
  std::ranges::stable_sort(points, {}, &GridPoint::sum_of_squares);
  points.resize(std::min<std::size_t>(points.size(), static_cast<std::size_t>(options.starts)));
  return points;
}

LeastSquaresProblem make_problem(std::span<const HefSample> samples,
                                 const SaturationFitOptions& options) {
  LeastSquaresProblem problem;
  problem.lower =
      Eigen::Vector3d{options.eta_max_lower, std::log(options.rate_lower), options.exponent_lower};
  problem.upper =
      Eigen::Vector3d{options.eta_max_upper, std::log(options.rate_upper), options.exponent_upper};
  const double scale = options.flops_scale;
  problem.evaluate = [samples, scale](const VectorXd& p, VectorXd& residuals,
                                      Eigen::MatrixXd& jacobian) {
    residuals.resize(static_cast<Index>(samples.size()));
    jacobian.resize(residuals.size(), 3);
    for (Index i = 0; i < residuals.size(); ++i) {
      const HefSample& sample = samples[static_cast<std::size_t>(i)];
      const auto d = differentiate_saturation(p[0], p[1], p[2], sample.flops / scale);
      residuals[i] = d.eta - sample.hef;
      jacobian.row(i) << d.by_eta_max, d.by_log_rate, d.by_exponent;
    }
  };
  return problem;
}

LevenbergMarquardtSummary refine(std::span<const HefSample> samples,
                                 const SaturationFitOptions& options) {
  const LeastSquaresProblem problem = make_problem(samples, options);
  std::optional<LevenbergMarquardtSummary> best;
  for (const GridPoint& start : scan(samples, options)) {
    // Clamped, because a bound computed twice may differ in its last bit.
    const VectorXd inside = start.parameters.cwiseMax(problem.lower).cwiseMin(problem.upper);
    auto summary = minimize_least_squares(problem, inside, options.solver);
    if (!best || summary.sum_of_squares < best->sum_of_squares) best = std::move(summary);
  }
  return *best;
}

void describe_quality(std::span<const HefSample> samples, SaturationFit& fit) {
  double mean = 0.0;
  for (const HefSample& sample : samples) mean += sample.hef;
  mean /= static_cast<double>(samples.size());
  double total = 0.0;
  double absolute = 0.0;
  for (const HefSample& sample : samples) {
    total += (sample.hef - mean) * (sample.hef - mean);
    absolute += std::abs(evaluate_hef(fit.law, Flops{sample.flops}) - sample.hef);
  }
  fit.r_squared = total > 0.0 ? 1.0 - fit.sum_of_squares / total : 0.0;
  fit.mean_absolute_error = absolute / static_cast<double>(samples.size());
  fit.samples = samples.size();
  const auto [low, high] = std::ranges::minmax_element(samples, {}, &HefSample::flops);
  fit.minimum_flops = low->flops;
  fit.maximum_flops = high->flops;
}

// Three parameters need three different sizes, whatever the Jacobian looks like in rounding.
bool has_three_sizes(std::span<const HefSample> samples) {
  std::set<double> sizes;
  for (const HefSample& sample : samples) sizes.insert(sample.flops);
  return sizes.size() >= 3;
}

}  // namespace

// eta = m (1 - e^-x), x = k C^a: d/dm = 1 - e^-x; with dx/d(ln k) = x and dx/da = x ln C,
// d/d(ln k) = m e^-x x and d/da = m e^-x x ln C.
SaturationDerivatives differentiate_saturation(double eta_max, double log_rate, double exponent,
                                               double scaled_flops) {
  const double x = std::exp(log_rate) * std::pow(scaled_flops, exponent);
  const double share = -std::expm1(-x);
  // x e^-x is 0 for huge x; written out, inf * 0 would be NaN.
  const double slope = x < 700.0 ? eta_max * std::exp(-x) * x : 0.0;
  return {eta_max * share, share, slope, slope * std::log(scaled_flops)};
}

Result<SaturationFit> fit_saturation_law(std::span<const HefSample> samples,
                                         const SaturationFitOptions& options) {
  if (auto bad = find_bad_sample(samples)) return std::unexpected(std::move(*bad));
  const LevenbergMarquardtSummary best = refine(samples, options);
  SaturationFit fit;
  fit.law = {best.parameters[0], std::exp(best.parameters[1]), best.parameters[2],
             options.flops_scale};
  fit.sum_of_squares = best.sum_of_squares;
  fit.iterations = best.iterations;
  fit.termination = best.termination;
  const bool enough = has_three_sizes(samples);
  constexpr std::array names{"eta_max", "saturation_rate", "saturation_exponent"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!enough || !best.identified[i]) fit.not_identified.emplace_back(names[i]);
  }
  describe_quality(samples, fit);
  return fit;
}

}  // namespace joulecast

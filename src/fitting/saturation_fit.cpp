// SPDX-License-Identifier: Apache-2.0
#include "fitting/saturation_fit.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

namespace joulecast {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::VectorXd;

// Steps of the exponent; the rate goes up by factors of eight.
constexpr Index exponent_steps = 14;
constexpr Index most_bins = 64;
constexpr double least_work = 1e-7;  // k C^alpha below which the law is a power of C
constexpr double most_work = 36.0;   // and above which it is constant, to the last bit
constexpr LevenbergMarquardtOptions rough_solver{
    .max_iterations = 6, .step_tolerance = 1e-2, .gradient_tolerance = 1e-4, .identify = false};

// Samples of about the same size as one: enough to find out where to start.
SizeTable merge_sizes(const SizeTable& sizes) {
  const Index count = sizes.log_size.size();
  if (count <= most_bins) return sizes;
  const double low = sizes.log_size[0];
  const double width = (sizes.log_size[count - 1] - low) / static_cast<double>(most_bins);
  SizeTable bins{ArrayXd::Zero(most_bins), ArrayXd::Zero(most_bins), ArrayXd::Zero(most_bins), 0.0};
  Index used = 0;
  Index last = -1;
  for (Index i = 0; i < count; ++i) {
    const Index bin =
        std::min(static_cast<Index>((sizes.log_size[i] - low) / width), most_bins - 1);
    if (bin != last) ++used;
    last = bin;
    const Index at = used - 1;
    bins.count[at] += sizes.count[i];
    bins.log_size[at] += sizes.count[i] * sizes.log_size[i];
    bins.mean[at] += sizes.count[i] * sizes.mean[i];
  }
  bins.count.conservativeResize(used);
  bins.log_size = ArrayXd(bins.log_size.head(used) / bins.count);
  bins.mean = ArrayXd(bins.mean.head(used) / bins.count);
  return bins;
}

struct GridPoint {
  double sum_of_squares = std::numeric_limits<double>::infinity();
  Eigen::Vector3d parameters;  // eta_max, ln k, alpha
};

// Row after row for one exponent: k C^alpha at the largest size goes from `least_work` up by
// factors of eight, until that of the smallest is above `most_work`. With e = exp(-k C^alpha) the
// next row is e^8. The best eta_max of a point is g'eta / g'g, g = 1 - e.
std::vector<GridPoint> scan_exponent(const SizeTable& sizes, const SaturationFitOptions& options,
                                     double exponent) {
  const Index last = sizes.log_size.size() - 1;
  const double step = std::log(8.0);
  double log_rate = std::log(least_work) - exponent * sizes.log_size[last];
  const double end = std::log(most_work) - exponent * sizes.log_size[0];
  ArrayXd e = (-(log_rate + exponent * sizes.log_size).exp()).exp();
  const double eta_eta = (sizes.count * sizes.mean * sizes.mean).sum();
  ArrayXd g(e.size());
  ArrayXd weighted(e.size());
  const auto point_at = [&](double rate) {
    g = 1.0 - e;
    weighted = sizes.count * g;
    const double g_eta = (weighted * sizes.mean).sum();
    const double g_g = (weighted * g).sum();
    const double best = g_g > 0.0 ? g_eta / g_g : 0.0;
    const double eta_max = std::clamp(best, options.eta_max_lower, options.eta_max_upper);
    return GridPoint{eta_eta - 2.0 * eta_max * g_eta + eta_max * eta_max * g_g,
                     Eigen::Vector3d{eta_max, rate, exponent}};
  };
  const double lower = std::log(options.rate_lower);
  const double upper = std::log(options.rate_upper);
  std::vector<GridPoint> points;
  points.reserve(static_cast<std::size_t>((end - log_rate) / step) + 3);
  for (; log_rate < end + step && log_rate <= upper; log_rate += step) {
    points.push_back(log_rate < lower ? GridPoint{} : point_at(log_rate));
    e = e.square().square().square();
  }
  if (log_rate > upper) {
    e = (-(upper + exponent * sizes.log_size).exp()).exp();
    points.push_back(point_at(upper));
  }
  return points;
}

// The points of the grid that no neighbour undercuts, best first.
std::vector<GridPoint> find_starts(const SizeTable& sizes, const SaturationFitOptions& options) {
  std::vector<std::vector<GridPoint>> grid;
  const double width = options.exponent_upper - options.exponent_lower;
  for (Index j = 0; j < exponent_steps; ++j) {
    const double share = static_cast<double>(j) / static_cast<double>(exponent_steps - 1);
    grid.push_back(scan_exponent(sizes, options, options.exponent_lower + width * share));
  }
  const auto sum_at = [&](std::size_t j, std::size_t i) {
    const bool inside = j < grid.size() && i < grid[j].size();
    return inside ? grid[j][i].sum_of_squares : std::numeric_limits<double>::infinity();
  };
  std::vector<GridPoint> starts;
  for (std::size_t j = 0; j < grid.size(); ++j) {
    for (std::size_t i = 0; i < grid[j].size(); ++i) {
      double least = std::numeric_limits<double>::infinity();
      // Below zero the index wraps around, and lies outside as well.
      for (const std::size_t down : {j - 1, j, j + 1}) {
        for (const std::size_t across : {i - 1, i, i + 1}) {
          least = std::min(least, sum_at(down, across));
        }
      }
      const double sum = grid[j][i].sum_of_squares;
      if (std::isfinite(sum) && sum <= least) starts.push_back(grid[j][i]);
    }
  }
  // Where the bounds leave no point of the grid, their middle.
  if (starts.empty()) {
    starts.push_back({0.0, Eigen::Vector3d{0.5 * (options.eta_max_lower + options.eta_max_upper),
                                           0.5 * std::log(options.rate_lower * options.rate_upper),
                                           options.exponent_lower + 0.5 * width}});
  }
  std::ranges::stable_sort(starts, {}, &GridPoint::sum_of_squares);
  starts.resize(std::min<std::size_t>(starts.size(), static_cast<std::size_t>(options.starts)));
  // Where the sizes show a power law alone, other starts would creep along a valley towards it.
  const auto first = [](const std::vector<GridPoint>& row) { return row.front().sum_of_squares; };
  const GridPoint power_law = std::ranges::min_element(grid, {}, first)->front();
  if (std::isfinite(power_law.sum_of_squares)) starts.push_back(power_law);
  return starts;
}

LeastSquaresProblem make_problem(const SizeTable& sizes, const SaturationFitOptions& options) {
  LeastSquaresProblem problem;
  problem.lower =
      Eigen::Vector3d{options.eta_max_lower, std::log(options.rate_lower), options.exponent_lower};
  problem.upper =
      Eigen::Vector3d{options.eta_max_upper, std::log(options.rate_upper), options.exponent_upper};
  problem.evaluate = [&sizes, root = ArrayXd(sizes.count.sqrt())](
                         const VectorXd& p, VectorXd& residuals, Eigen::MatrixXd& jacobian) {
    const auto d = differentiate_saturation(p[0], p[1], p[2], sizes.log_size);
    residuals = root * (d.eta - sizes.mean);
    jacobian.resize(residuals.size(), 3);
    jacobian.col(0) = root * d.by_eta_max;
    jacobian.col(1) = root * d.by_log_rate;
    jacobian.col(2) = root * d.by_exponent;
  };
  return problem;
}

// A rough minimum from each start on the merged sizes, and from the best of them the exact one.
LevenbergMarquardtSummary refine(const SizeTable& sizes, const SaturationFitOptions& options) {
  const SizeTable merged = merge_sizes(sizes);
  const LeastSquaresProblem rough = make_problem(merged, options);
  std::optional<LevenbergMarquardtSummary> best;
  for (const GridPoint& start : find_starts(merged, options)) {
    // Clamped, because a bound computed twice may differ in its last bit.
    const VectorXd inside = start.parameters.cwiseMax(rough.lower).cwiseMin(rough.upper);
    auto summary = minimize_least_squares(rough, inside, rough_solver);
    if (!best || summary.sum_of_squares < best->sum_of_squares) best = std::move(summary);
  }
  return minimize_least_squares(make_problem(sizes, options), best->parameters, options.solver);
}

void describe_quality(std::span<const HefSample> samples, const SizeTable& sizes,
                      SaturationFit& fit) {
  double mean = 0.0;
  for (const HefSample& sample : samples) mean += sample.hef;
  mean /= static_cast<double>(samples.size());
  double total = 0.0;
  double absolute = 0.0;
  const ArrayXd predicted =
      differentiate_saturation(fit.law.eta_max, std::log(fit.law.saturation_rate),
                               fit.law.saturation_exponent, sizes.log_size)
          .eta;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const HefSample& sample = samples[i];
    total += (sample.hef - mean) * (sample.hef - mean);
    absolute += std::abs(predicted[static_cast<Index>(sizes.places[i])] - sample.hef);
  }
  fit.r_squared = total > 0.0 ? 1.0 - fit.sum_of_squares / total : 0.0;
  fit.mean_absolute_error = absolute / static_cast<double>(samples.size());
  fit.samples = samples.size();
  const auto [low, high] = std::ranges::minmax_element(samples, {}, &HefSample::flops);
  fit.minimum_flops = low->flops;
  fit.maximum_flops = high->flops;
}

// The sizes in the order in which they first occur, and for each row which one it has. A table of
// slots that is at least half empty: rows are many, sizes few, and sorting all rows takes longer
// than the search for a start.
std::vector<double> find_distinct(std::span<const HefSample> samples,
                                  std::vector<std::size_t>& places) {
  constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  const std::size_t slots = std::bit_ceil(2 * samples.size());
  const int shift = 64 - std::countr_zero(slots);
  std::vector<std::size_t> table(slots, none);
  std::vector<double> flops;
  places.reserve(samples.size());
  for (const HefSample& sample : samples) {
    std::size_t slot =
        (std::bit_cast<std::uint64_t>(sample.flops) * 0x9E3779B97F4A7C15ULL) >> shift;
    while (table[slot] != none && flops[table[slot]] != sample.flops) {
      slot = (slot + 1) & (slots - 1);
    }
    if (table[slot] == none) {
      table[slot] = flops.size();
      flops.push_back(sample.flops);
    }
    places.push_back(table[slot]);
  }
  return flops;
}

}  // namespace

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

// The mean of the rows of one size stands for them: what they differ by, no law explains.
SizeTable collect_sizes(std::span<const HefSample> samples, double flops_scale) {
  SizeTable sizes;
  std::vector<double> flops = find_distinct(samples, sizes.places);
  std::vector<std::size_t> order(flops.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return flops[i]; });
  std::vector<std::size_t> ranks(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) ranks[order[i]] = i;
  for (std::size_t& place : sizes.places) place = ranks[place];
  std::ranges::sort(flops);
  const auto count = static_cast<Index>(flops.size());
  sizes.log_size = (Eigen::Map<const ArrayXd>(flops.data(), count) / flops_scale).log();
  sizes.count = ArrayXd::Zero(count);
  sizes.mean = ArrayXd::Zero(count);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto place = static_cast<Index>(sizes.places[i]);
    sizes.count[place] += 1.0;
    sizes.mean[place] += samples[i].hef;
  }
  sizes.mean /= sizes.count;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double off = samples[i].hef - sizes.mean[static_cast<Index>(sizes.places[i])];
    sizes.within += off * off;
  }
  return sizes;
}

// eta = m (1 - e^-x), x = k C^a: d/dm = 1 - e^-x; with dx/d(ln k) = x and dx/da = x ln C,
// d/d(ln k) = m e^-x x and d/da = m e^-x x ln C.
SaturationDerivatives differentiate_saturation(double eta_max, double log_rate, double exponent,
                                               const Eigen::ArrayXd& log_size) {
  // x e^-x is 0 for huge x; written out, inf * 0 would be NaN.
  const ArrayXd x = (log_rate + exponent * log_size).exp().min(700.0);
  const ArrayXd e = (-x).exp();
  SaturationDerivatives d;
  // 1 - e^-x has no digits left where x is small; three terms of its series have 13.
  d.by_eta_max = (x < 1e-4).select(x * (1.0 - x * (0.5 - x / 6.0)), 1.0 - e);
  d.eta = eta_max * d.by_eta_max;
  d.by_log_rate = eta_max * e * x;
  d.by_exponent = d.by_log_rate * log_size;
  return d;
}

Result<SaturationFit> fit_saturation_law(std::span<const HefSample> samples,
                                         const SaturationFitOptions& options) {
  if (auto bad = find_bad_sample(samples)) return std::unexpected(std::move(*bad));
  const SizeTable sizes = collect_sizes(samples, options.flops_scale);
  const LevenbergMarquardtSummary best = refine(sizes, options);
  SaturationFit fit;
  fit.law = {best.parameters[0], std::exp(best.parameters[1]), best.parameters[2],
             options.flops_scale};
  fit.sum_of_squares = best.sum_of_squares + sizes.within;
  fit.iterations = best.iterations;
  fit.termination = best.termination;
  // Three parameters need three different sizes, whatever the Jacobian looks like in rounding.
  const bool enough = sizes.log_size.size() >= 3;
  constexpr std::array names{"eta_max", "saturation_rate", "saturation_exponent"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!enough || !best.identified[i]) fit.not_identified.emplace_back(names[i]);
  }
  describe_quality(samples, sizes, fit);
  return fit;
}

}  // namespace joulecast

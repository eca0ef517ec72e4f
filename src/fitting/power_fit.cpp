// SPDX-License-Identifier: Apache-2.0
#include "fitting/power_fit.hpp"

#include "fitting/power_problem.hpp"
#include "fitting/shape_hash.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr int folds = 5;
constexpr std::size_t fewest_rows_of_a_cell = 20;
constexpr double widest_interval = 4.0;
constexpr double most_weight = 4.0;
constexpr double beyond = 1.0 + 1e-9;  // of a bound, to see past the rounding of exp and log

PowerQuestion question_of(const DeviceFacts& facts, const PowerSample& sample) {
  const LawQuestion question{sample.operation, sample.shape, sample.precision,
                             sample.flops,     sample.bytes, facts};
  PowerQuestion asked = power_question(question, sample.seconds);
  asked.power_limit_watts = sample.limit_watts;
  return asked;
}

// What a share of one is in SI units, as the law has it.
std::array<double, power_demand_terms> units_of(const DeviceFacts& facts) {
  const double limit = facts.power_limit_watts;
  const double bandwidth = facts.bandwidth_bytes_per_second;
  return {limit, limit, limit / facts.peak_flops_per_second, limit / bandwidth};
}

PowerLaw law_of(const DeviceFacts& facts, double idle_watts, const PowerShares& shares) {
  const auto units = units_of(facts);
  return {.power_limit_watts = facts.power_limit_watts,
          .idle_watts = idle_watts,
          .active_watts = shares[0] * units[0],
          .occupancy_watts = shares[1] * units[1],
          .joules_per_flop = shares[2] * units[2],
          .joules_per_byte = shares[3] * units[3],
          .limit_fraction = shares[power_fraction_place],
          .sharpness = shares[power_sharpness_place]};
}

PowerRow row_of(const DeviceFacts& facts, const PowerSample& sample) {
  const PowerQuestion asked = question_of(facts, sample);
  const auto units = units_of(facts);
  const double t = sample.seconds;
  return {.watts_per_share = {units[0], units[1] * asked.occupied_fraction,
                              units[2] * asked.flops / t, units[3] * asked.bytes / t},
          .limit = sample.limit_watts,
          .log_watts = std::log(sample.watts)};
}

PowerShares start_of(std::size_t which) {
  PowerShares start;
  for (Eigen::Index j = 0; j < start.size(); ++j) {
    start[j] = power_parameters[static_cast<std::size_t>(j)].starts[which];
  }
  return start;
}

std::vector<PowerRow> thin(const std::vector<PowerRow>& rows, std::size_t most) {
  if (rows.size() <= most) return rows;
  std::vector<PowerRow> kept;
  for (std::size_t i = 0; i < most; ++i) kept.push_back(rows[i * rows.size() / most]);
  return kept;
}

PowerMinimum fit_rows(const std::vector<PowerRow>& rows, const PowerFitOptions& options) {
  const PowerProblem coarse(thin(rows, options.coarse_rows), options.idle_watts,
                            options.huber_width);
  PowerMinimum best;
  for (std::size_t i = 0; i < power_parameters[0].starts.size(); ++i) {
    PowerMinimum minimum = coarse.minimize(start_of(i), options.coarse_iterations);
    if (minimum.loss < best.loss) best = std::move(minimum);
  }
  const PowerProblem fine(rows, options.idle_watts, options.huber_width);
  return fine.minimize(best.shares, options.fine_iterations);
}

// Sorted by content. `places` leads back to the caller's rows.
struct Rows {
  std::vector<std::size_t> places;
  std::vector<std::uint64_t> hashes;
  std::vector<PowerRow> rows;
};

// Rows below the limit tell about the work. Where they are few they weigh more, so that they carry
// a third of all weight, but never so much that a handful rules the law.
void weigh_rows(std::vector<PowerRow>& rows) {
  const auto below = [](const PowerRow& row) {
    return row.log_watts < std::log(at_limit_share * row.limit);
  };
  const auto few = static_cast<double>(std::ranges::count_if(rows, below));
  const double others = static_cast<double>(rows.size()) - few;
  const double weight = std::clamp(0.5 * others / std::max(few, 1.0), 1.0, most_weight);
  for (PowerRow& row : rows) {
    if (below(row)) row.weight = weight;
  }
}

Rows sort_rows(const DeviceFacts& facts, std::span<const PowerSample> samples) {
  std::vector<std::uint64_t> hashes;
  for (const PowerSample& sample : samples)
    hashes.push_back(hash_of_shape(shape_key(sample.shape), power_basis));
  Rows sorted;
  sorted.places.resize(samples.size());
  std::iota(sorted.places.begin(), sorted.places.end(), 0U);
  std::ranges::sort(sorted.places, {}, [&](std::size_t i) {
    return std::tuple(hashes[i], samples[i].seconds, samples[i].watts, samples[i].limit_watts);
  });
  for (const std::size_t i : sorted.places) {
    sorted.hashes.push_back(hashes[i]);
    sorted.rows.push_back(row_of(facts, samples[i]));
  }
  weigh_rows(sorted.rows);
  return sorted;
}

struct HeldOut {
  double residual = 0.0;
  bool below_limit = false;
};

// Each row predicted by the law of the folds that its shape is not in. A fold takes few rows away,
// so it starts where the whole ended.
std::vector<HeldOut> hold_out(const Rows& sorted, const PowerShares& start,
                              const PowerFitOptions& options) {
  std::vector<HeldOut> held(sorted.rows.size());
  const auto fold_of = [&](std::size_t i) { return sorted.hashes[i] % folds; };
  for (std::uint64_t fold = 0; fold < folds; ++fold) {
    std::vector<PowerRow> others;
    for (std::size_t i = 0; i < sorted.rows.size(); ++i) {
      if (fold_of(i) != fold) others.push_back(sorted.rows[i]);
    }
    const PowerShares shares = others.empty()
                                   ? start
                                   : PowerProblem(others, options.idle_watts, options.huber_width)
                                         .minimize(start, options.fine_iterations)
                                         .shares;
    PowerShares slopes;
    for (std::size_t i = 0; i < sorted.rows.size(); ++i) {
      if (fold_of(i) != fold) continue;
      const PowerRow& row = sorted.rows[i];
      const double predicted = log_power(row, options.idle_watts, shares, slopes);
      held[i] = {row.log_watts - predicted, predicted < std::log(at_limit_share * row.limit)};
    }
  }
  return held;
}

// Split conformal quantiles on either side, 5 % beyond each: Lei, G'Sell, Rinaldo, Tibshirani &
// Wasserman 2018, DOI 10.1080/01621459.2017.1307116.
IntervalFactors factors_of(std::vector<double> residuals) {
  std::ranges::sort(residuals);
  const auto n = static_cast<double>(residuals.size());
  const auto lower = static_cast<std::size_t>(std::max(1.0, std::floor(0.05 * (n + 1.0))));
  const auto upper = static_cast<std::size_t>(std::min(n, std::ceil(0.95 * (n + 1.0))));
  return {std::exp(residuals[lower - 1]), std::exp(residuals[upper - 1])};
}

void describe_errors(const std::vector<HeldOut>& held, PowerFit& fit) {
  std::vector<double> all;
  std::vector<double> below;
  std::vector<double> at;
  std::vector<double> relative;
  for (const HeldOut& row : held) {
    all.push_back(row.residual);
    (row.below_limit ? below : at).push_back(row.residual);
    relative.push_back(std::abs(std::exp(-row.residual) - 1.0));
  }
  fit.below_limit = factors_of(below.size() < fewest_rows_of_a_cell ? all : below);
  fit.at_limit = factors_of(at.size() < fewest_rows_of_a_cell ? all : at);
  std::ranges::sort(relative);
  const auto n = static_cast<double>(relative.size());
  fit.errors = {
      .rows = static_cast<std::int64_t>(relative.size()),
      .mean_absolute_percentage_error = std::accumulate(relative.begin(), relative.end(), 0.0) / n,
      .median_absolute_percentage_error = relative[relative.size() / 2]};
}

// In SI units, as the law has them.
void describe_parameters(const DeviceFacts& facts, const PowerProblem& problem,
                         const PowerMinimum& minimum, const PowerFitOptions& options,
                         PowerFit& fit) {
  const auto units = units_of(facts);
  const auto intervals = problem.intervals(minimum, options.bootstrap);
  fit.not_identified.emplace_back("idle_watts");
  for (std::size_t j = 0; j < intervals.size(); ++j) {
    const auto [lower, upper] = intervals[j];
    const double unit = j < units.size() ? units[j] : 1.0;
    fit.intervals.push_back({power_parameters[j].name, {unit * lower, unit * upper}});
    const bool at_bound =
        lower < beyond * power_parameters[j].lowest || beyond * upper > power_parameters[j].highest;
    if (at_bound || !minimum.summary.identified[j] || upper > widest_interval * lower) {
      fit.not_identified.emplace_back(power_parameters[j].name);
    }
  }
}

Result<void> check(std::span<const PowerSample> samples, const DeviceFacts& facts,
                   const PowerFitOptions& options) {
  const auto fail = [](std::string message, std::string remedy) {
    return std::unexpected(
        Error{ErrorKind::value, std::move(message), Location{}, std::move(remedy)});
  };
  if (samples.empty()) {
    return fail("there are no rows to fit a power law to", "give rows with board power");
  }
  // Written so that NaN fails as well.
  const auto positive = [](double value) { return value > 0.0 && std::isfinite(value); };
  for (const PowerSample& sample : samples) {
    if (!positive(sample.seconds) || !positive(sample.watts) || !positive(sample.limit_watts)) {
      return fail(fmt::format("duration {}, power {} or power limit {} is not positive and finite",
                              sample.seconds, sample.watts, sample.limit_watts),
                  "give durations, powers and limits above 0");
    }
  }
  if (!positive(options.idle_watts) || !(options.idle_watts < facts.power_limit_watts)) {
    return fail(fmt::format("the idle power {} is not between 0 and the power limit {}",
                            options.idle_watts, facts.power_limit_watts),
                "give what the board draws between kernels, in watts");
  }
  return {};
}

}  // namespace

double waiting_power(std::span<const double> watts) {
  std::vector<double> sorted(watts.begin(), watts.end());
  const auto place = static_cast<std::ptrdiff_t>(0.001 * static_cast<double>(sorted.size()));
  std::ranges::nth_element(sorted, sorted.begin() + place);
  return sorted[static_cast<std::size_t>(place)];
}

Result<PowerFit> fit_power(const DeviceFacts& facts, std::span<const PowerSample> samples,
                           const PowerFitOptions& options) {
  if (auto checked = check(samples, facts, options); !checked) {
    return std::unexpected(checked.error());
  }
  const Rows sorted = sort_rows(facts, samples);
  const PowerMinimum minimum = fit_rows(sorted.rows, options);
  PowerFit fit;
  fit.law = law_of(facts, options.idle_watts, minimum.shares);
  fit.loss = minimum.loss;
  fit.converged = minimum.summary.converged();
  const PowerProblem problem(sorted.rows, options.idle_watts, options.huber_width);
  describe_parameters(facts, problem, minimum, options, fit);
  const std::vector<HeldOut> held = hold_out(sorted, minimum.shares, options);
  describe_errors(held, fit);
  fit.residuals.resize(held.size());
  for (std::size_t i = 0; i < held.size(); ++i) fit.residuals[sorted.places[i]] = held[i].residual;
  return fit;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "validation/metrics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace joulecast {
namespace {

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// 1 - SS_res / SS_tot. A mean of equal numbers may miss them by its last digit, so whether they
// vary is asked of the numbers.
std::optional<double> explained_variance(std::span<const double> measured,
                                         std::span<const double> predicted) {
  const auto [lowest, highest] = std::ranges::minmax_element(measured);
  if (*lowest == *highest) return std::nullopt;
  const double centre = mean(measured);
  double residual = 0.0;
  double total = 0.0;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    residual += (measured[i] - predicted[i]) * (measured[i] - predicted[i]);
    total += (measured[i] - centre) * (measured[i] - centre);
  }
  return 1.0 - residual / total;
}

std::optional<double> covered_share(std::span<const PredictedValue> values) {
  std::size_t covered = 0;
  for (const PredictedValue& value : values) {
    if (!value.interval) return std::nullopt;
    if (value.measured >= value.predicted * value.interval->lower &&
        value.measured <= value.predicted * value.interval->upper) {
      ++covered;
    }
  }
  return static_cast<double>(covered) / static_cast<double>(values.size());
}

}  // namespace

bool is_plausible(double value) { return value >= 1e-30 && value <= 1e30; }

double quantile(std::span<const double> ascending, double share) {
  assert(!ascending.empty() && share >= 0.0 && share <= 1.0);
  const double place = share * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  return std::lerp(ascending[below], ascending[above], place - std::floor(place));
}

ErrorMetrics compute_metrics(std::span<const PredictedValue> values) {
  assert(!values.empty());
  std::vector<double> measured;
  std::vector<double> predicted;
  std::vector<double> relative;
  for (const PredictedValue& value : values) {
    assert(is_plausible(value.measured) && is_plausible(value.predicted));
    measured.push_back(value.measured);
    predicted.push_back(value.predicted);
    relative.push_back((value.predicted - value.measured) / value.measured);
  }
  ErrorMetrics metrics{.count = static_cast<std::int64_t>(values.size()), .bias = mean(relative)};
  metrics.r2 = explained_variance(measured, predicted);
  for (std::vector<double>* column : {&measured, &predicted}) {
    for (double& value : *column) value = std::log(value);
  }
  metrics.r2_log = explained_variance(measured, predicted);
  for (double& error : relative) error = std::abs(error);
  std::ranges::sort(relative);
  metrics.mape = mean(relative);
  metrics.median_ape = quantile(relative, 0.5);
  metrics.p90_ape = quantile(relative, 0.9);
  metrics.coverage_90 = covered_share(values);
  return metrics;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "validation/metrics.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace joulecast {
namespace {

// Measured 1, 2, 4, 8 s; predicted 1.1, 1.8, 4, 10 s. By hand:
//   e = +0.1, -0.1, 0, +0.25;  MAPE = 0.45 / 4 = 0.1125;  bias = 0.25 / 4 = 0.0625
//   |e| ascending 0, 0.1, 0.1, 0.25: median (0.1 + 0.1) / 2; p90 at place 0.9 * 3 = 2.7, that is
//   0.1 + 0.7 * 0.15 = 0.205
//   R^2: mean 3.75; SS_tot = 2.75^2 + 1.75^2 + 0.25^2 + 4.25^2 = 28.75
//        SS_res = 0.1^2 + 0.2^2 + 0 + 2^2 = 4.05;  1 - 4.05 / 28.75 = 0.85913043478260866
//   of the logarithms, in units of ln 2: measured 0, 1, 2, 3, so SS_tot = 5 (ln 2)^2;
//        SS_res = (ln 1.1)^2 + (ln 0.9)^2 + (ln 1.25)^2
std::vector<PredictedValue> four_values() { return {{1, 1.1}, {2, 1.8}, {4, 4}, {8, 10}}; }

TEST(Metrics, EqualThoseDerivedByHand) {
  const ErrorMetrics metrics = compute_metrics(four_values());
  EXPECT_EQ(metrics.count, 4);
  EXPECT_NEAR(metrics.mape, 0.1125, 1e-15);
  EXPECT_NEAR(metrics.median_ape, 0.1, 1e-15);
  EXPECT_NEAR(metrics.p90_ape, 0.205, 1e-15);
  EXPECT_NEAR(metrics.bias, 0.0625, 1e-15);
  EXPECT_NEAR(metrics.r2.value(), 1.0 - 4.05 / 28.75, 1e-15);
  const auto square = [](double x) { return x * x; };
  const double residual = square(std::log(1.1)) + square(std::log(0.9)) + square(std::log(1.25));
  EXPECT_NEAR(metrics.r2_log.value(), 1.0 - residual / (5.0 * square(std::log(2.0))), 1e-15);
  EXPECT_FALSE(metrics.coverage_90.has_value());
}

// Twelve values of six decades against numpy 1.24.2:
//   t = np.array([...]); p = t * np.array([...]); e = p / t - 1
//   np.mean(abs(e)), np.median(abs(e)), np.percentile(abs(e), 90), np.mean(e),
//   1 - ((t - p)**2).sum() / ((t - t.mean())**2).sum(), the same of np.log
TEST(Metrics, EqualThoseOfNumpy) {
  const std::array measured = {3e-6, 7.5e-6, 2e-5, 4.1e-5, 9e-5, 3.3e-4,
                               8e-4, 2.2e-3, 7e-3, 3.1e-2, 0.21, 1.7};
  const std::array factors = {1.4, 0.75, 1.02, 0.99, 1.31, 0.6, 1.05, 0.97, 1.11, 0.93, 1.2, 0.88};
  std::vector<PredictedValue> values;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    values.push_back({measured[i], measured[i] * factors[i], IntervalFactors{0.8, 1.25}});
  }
  const ErrorMetrics metrics = compute_metrics(values);
  EXPECT_NEAR(metrics.mape, 0.16416666666666666, 1e-14);
  EXPECT_NEAR(metrics.median_ape, 0.11500000000000005, 1e-14);
  EXPECT_NEAR(metrics.p90_ape, 0.39099999999999996, 1e-14);
  EXPECT_NEAR(metrics.bias, 0.017500000000000016, 1e-14);
  EXPECT_NEAR(metrics.r2.value(), 0.9834265182358073, 1e-13);
  EXPECT_NEAR(metrics.r2_log.value(), 0.9968425916229134, 1e-13);
  // 1 / factor leaves [0.8, 1.25] for 1.4, 0.75, 1.31 and 0.6.
  EXPECT_NEAR(metrics.coverage_90.value(), 8.0 / 12.0, 1e-15);
}

TEST(Metrics, CoverageCountsTheBoundsAndNeedsEveryInterval) {
  const IntervalFactors half_to_double{0.5, 2.0};
  std::vector<PredictedValue> values = {{1.0, 2.0, half_to_double},  // at the lower bound
                                        {4.0, 2.0, half_to_double},  // at the upper
                                        {0.99, 2.0, half_to_double},
                                        {4.01, 2.0, half_to_double}};
  EXPECT_EQ(compute_metrics(values).coverage_90, 0.5);
  values[0].interval.reset();
  EXPECT_FALSE(compute_metrics(values).coverage_90.has_value());
}

TEST(Metrics, StateNoR2WhereNothingVaries) {
  const ErrorMetrics one = compute_metrics(std::vector<PredictedValue>{{2.0, 3.0}});
  EXPECT_FALSE(one.r2.has_value());
  EXPECT_FALSE(one.r2_log.has_value());
  EXPECT_EQ(one.mape, 0.5);
  EXPECT_EQ(one.p90_ape, 0.5);
  // 0.1 + 0.1 + 0.1 is not 0.3: their mean differs from each, and SS_tot is not 0.
  const ErrorMetrics alike =
      compute_metrics(std::vector<PredictedValue>{{0.1, 0.2}, {0.1, 0.1}, {0.1, 0.1}});
  EXPECT_FALSE(alike.r2.has_value());
  EXPECT_FALSE(alike.r2_log.has_value());
}

TEST(Metrics, OfAPerfectLawAreThoseOfOne) {
  std::vector<PredictedValue> values;
  for (int i = 1; i <= 50; ++i) values.push_back({0.1 * i, 0.1 * i, IntervalFactors{1.0, 1.0}});
  const ErrorMetrics metrics = compute_metrics(values);
  EXPECT_EQ(metrics.mape, 0.0);
  EXPECT_EQ(metrics.bias, 0.0);
  EXPECT_EQ(metrics.r2, 1.0);
  EXPECT_EQ(metrics.r2_log, 1.0);
  EXPECT_EQ(metrics.coverage_90, 1.0);
}

// Neither the order of the rows nor the unit of time matters.
TEST(Metrics, DoNotDependOnOrderOrUnit) {
  std::vector<PredictedValue> values = four_values();
  const ErrorMetrics before = compute_metrics(values);
  std::swap(values[0], values[3]);
  for (PredictedValue& value : values) {
    value.measured *= 1024.0;
    value.predicted *= 1024.0;
  }
  const ErrorMetrics after = compute_metrics(values);
  EXPECT_NEAR(after.mape, before.mape, 1e-15);
  EXPECT_NEAR(after.p90_ape, before.p90_ape, 1e-15);
  EXPECT_NEAR(after.bias, before.bias, 1e-15);
  EXPECT_NEAR(after.r2.value(), before.r2.value(), 1e-14);
  EXPECT_NEAR(after.r2_log.value(), before.r2_log.value(), 1e-14);
}

// The least and the largest values that are let in, against each other.
TEST(Metrics, StayFiniteAtTheBoundsOfWhatIsPlausible) {
  const std::vector<PredictedValue> values = {
      {1e-30, 1e30, IntervalFactors{}}, {1e30, 1e-30, IntervalFactors{}}, {1.0, 1.0, {}}};
  const ErrorMetrics metrics = compute_metrics(values);
  for (const double value : {metrics.mape, metrics.median_ape, metrics.p90_ape, metrics.bias,
                             metrics.r2.value(), metrics.r2_log.value()}) {
    EXPECT_TRUE(std::isfinite(value));
  }
  // The smallest difference that there is.
  const ErrorMetrics tiny =
      compute_metrics(std::vector<PredictedValue>{{1e-30, 1.0}, {std::nextafter(1e-30, 1.0), 1.0}});
  EXPECT_TRUE(std::isfinite(tiny.r2.value()));
}

TEST(Metrics, OnlyPhysicalMagnitudesArePlausible) {
  EXPECT_TRUE(is_plausible(1e-9));
  EXPECT_TRUE(is_plausible(1e-30));
  EXPECT_TRUE(is_plausible(1e30));
  for (const double value : {0.0, -1.0, 9e-31, 2e30, HUGE_VAL, std::nan("")}) {
    EXPECT_FALSE(is_plausible(value)) << value;
  }
}

// Type 7 of Hyndman & Fan, as numpy's percentile: [10, 20, 40] at 0.25 is half way from 10 to 20.
TEST(Quantile, IsLinearBetweenOrderStatistics) {
  const std::array values = {10.0, 20.0, 40.0};
  EXPECT_EQ(quantile(values, 0.0), 10.0);
  EXPECT_EQ(quantile(values, 0.25), 15.0);
  EXPECT_EQ(quantile(values, 0.5), 20.0);
  EXPECT_EQ(quantile(values, 0.75), 30.0);
  EXPECT_EQ(quantile(values, 1.0), 40.0);
  EXPECT_EQ(quantile(std::array{7.0}, 0.9), 7.0);
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "calibration/intervals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace joulecast {
namespace {

// ln ratios 0.01 .. 1.99 in steps of 0.02, centred: n = 99, ranks floor(0.05 * 100) = 5 and
// ceil(0.95 * 100) = 95 from 1: -0.98 + 4 * 0.02 = -0.90 and -0.98 + 94 * 0.02 = 0.90.
TEST(ConformalFactors, AreTheOrderStatisticsOfTheResiduals) {
  std::vector<double> ratios;
  for (int i = 0; i < 99; ++i) ratios.push_back(-0.98 + 0.02 * ((i * 37) % 99));
  const IntervalFactors factors = conformal_factors(ratios);
  EXPECT_NEAR(factors.lower, std::exp(-0.90), 1e-12);
  EXPECT_NEAR(factors.upper, std::exp(0.90), 1e-12);
}

// Of ten rows no rank lies outside the fifth and the ninety-fifth hundredth: the outermost count.
TEST(ConformalFactors, OfFewRowsReachTheOutermost) {
  const IntervalFactors factors =
      conformal_factors({0.5, -0.3, 0.1, 0.0, -0.1, 0.2, 0.3, -0.2, 0.4, -0.05});
  EXPECT_NEAR(factors.lower, std::exp(-0.3), 1e-12);
  EXPECT_NEAR(factors.upper, std::exp(0.5), 1e-12);
}

// A law that is always too slow still states an interval that holds its own prediction.
TEST(ConformalFactors, HoldThePrediction) {
  const IntervalFactors factors = conformal_factors({-0.2, -0.3, -0.25});
  EXPECT_NEAR(factors.lower, std::exp(-0.3), 1e-12);
  EXPECT_EQ(factors.upper, 1.0);
}

std::vector<Residual> residuals(int count, double intensity, double size) {
  std::vector<Residual> all;
  for (int i = 0; i < count; ++i) {
    // Long durations scatter half as much.
    const double duration = 1e-5 * (1 + i);
    const double scatter = i < count / 2 ? size : size / 2.0;
    all.push_back({duration, intensity, scatter * (i % 2 == 0 ? 1.0 : -1.0)});
  }
  return all;
}

TEST(ConformalBands, AreNarrowWhereTheLawIsGood) {
  const auto bands = conformal_bands(residuals(600, 10.0, 0.4));
  ASSERT_GE(bands.size(), 4U);
  EXPECT_NEAR(bands.front().factors.upper, std::exp(0.4), 1e-12);
  EXPECT_NEAR(bands.back().factors.upper, std::exp(0.2), 1e-12);
  EXPECT_EQ(bands.back().below.value(), std::numeric_limits<double>::infinity());
  for (std::size_t i = 1; i < bands.size(); ++i) EXPECT_GT(bands[i].below, bands[i - 1].below);
}

TEST(ConformalBands, TellIntensitiesApart) {
  std::vector<Residual> all = residuals(400, 1.0, 0.4);
  for (const Residual& residual : residuals(400, 100.0, 0.1)) all.push_back(residual);
  Law law;
  law.bands = conformal_bands(all);
  EXPECT_NEAR(interval_for(law, Seconds{2e-5}, 1.0)->upper, std::exp(0.4), 1e-12);
  EXPECT_NEAR(interval_for(law, Seconds{2e-5}, 100.0)->upper, std::exp(0.1), 1e-12);
}

// Every row of the calibration lies in a band; at least 90 % of them inside its factors.
TEST(ConformalBands, CoverWhatTheyWereMadeOf) {
  const auto all = residuals(1000, 10.0, 0.3);
  Law law;
  law.bands = conformal_bands(all);
  int inside = 0;
  for (const Residual& residual : all) {
    const auto factors =
        interval_for(law, Seconds{residual.predicted_seconds}, residual.intensity).value();
    const double ratio = std::exp(residual.log_ratio);
    if (ratio >= factors.lower * (1.0 - 1e-12) && ratio <= factors.upper * (1.0 + 1e-12)) ++inside;
  }
  EXPECT_GE(inside, 900);
}

TEST(ConformalBands, OfOneRowAreOne) {
  EXPECT_EQ(conformal_bands(residuals(1, 10.0, 0.1)).size(), 1U);
}

}  // namespace
}  // namespace joulecast

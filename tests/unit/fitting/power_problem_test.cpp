// SPDX-License-Identifier: Apache-2.0
#include "fitting/power_problem.hpp"

#include <joulecast/power_law.hpp>

#include <cmath>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

// Terms of 500 W, 300 W, 900 W and 400 W at a share of one.
PowerRow row_of(double limit) {
  return {.watts_per_share = {500.0, 300.0, 900.0, 400.0}, .limit = limit};
}

PowerShares shares_of(double sharpness) {
  PowerShares shares;
  shares << 0.1, 0.2, 0.5, 0.3, 0.98, sharpness;
  return shares;
}

// 100 W idle and 50 + 60 + 450 + 120 W of the terms: 780 W, below, at and far above the limit.
TEST(PowerProblem, LogPowerIsThatOfTheLaw) {
  for (const double limit : {100.0, 780.0, 1000.0, 20000.0}) {
    for (const double sharpness : {2.0, 40.0}) {
      const PowerLaw law{.idle_watts = 780.0, .limit_fraction = 0.98, .sharpness = sharpness};
      const PowerQuestion question{.duration_seconds = 1.0, .power_limit_watts = limit};
      PowerShares slopes;
      EXPECT_NEAR(log_power(row_of(limit), 100.0, shares_of(sharpness), slopes),
                  std::log(evaluate_power(law, question)), 1e-12);
    }
  }
}

TEST(PowerProblem, SlopesAreThoseOfFiniteDifferences) {
  constexpr double step = 1e-5;
  for (const double limit : {100.0, 700.0, 800.0, 1000.0, 20000.0}) {
    for (const double sharpness : {2.0, 12.0, 40.0}) {
      const PowerRow row = row_of(limit);
      const PowerShares shares = shares_of(sharpness);
      PowerShares slopes;
      PowerShares unused;
      log_power(row, 100.0, shares, slopes);
      for (Eigen::Index j = 0; j < shares.size(); ++j) {
        PowerShares up = shares;
        PowerShares down = shares;
        up[j] *= std::exp(step);
        down[j] *= std::exp(-step);
        const double difference =
            (log_power(row, 100.0, up, unused) - log_power(row, 100.0, down, unused)) /
            (2.0 * step);
        EXPECT_NEAR(slopes[j], difference, 1e-8) << "parameter " << j << ", limit " << limit;
      }
    }
  }
}

// Four rows that hold one term each, far below the limit, fix the four of the demand and nothing of
// the limit. ln P = ln(100 + x_j w): with labels off by 1 % and P = 200 W of which half are the
// term's, ln x_j is off by 2 %: 1.96 * 0.02 to either side, as the rows have no scatter.
TEST(PowerProblem, IntervalsReachAsFarAsLabelNoise) {
  PowerShares truth;
  truth << 0.1, 0.2, 0.5, 0.3, 0.98, 40.0;
  std::vector<PowerRow> rows;
  for (std::size_t j = 0; j < 4; ++j) {
    PowerRow row{.limit = 1e6, .log_watts = std::log(200.0)};
    row.watts_per_share[j] = 100.0 / truth[static_cast<Eigen::Index>(j)];
    rows.push_back(row);
  }
  const PowerProblem problem(rows, 100.0, 0.04);
  const PowerMinimum minimum = problem.minimize(truth, 50);
  for (const int resamples : {0, 50}) {
    const auto intervals = problem.intervals(minimum, resamples);
    for (std::size_t j = 0; j < 4; ++j) {
      const double value = truth[static_cast<Eigen::Index>(j)];
      EXPECT_NEAR(std::log(intervals[j].upper / value), 0.0392, 1e-6);
      EXPECT_NEAR(std::log(intervals[j].lower / value), -0.0392, 1e-6);
    }
    EXPECT_NEAR(intervals[4].lower, 0.95, 1e-9);
    EXPECT_NEAR(intervals[4].upper, 1.0, 1e-9);
    EXPECT_NEAR(intervals[5].lower, 2.0, 1e-9);
  }
}

}  // namespace
}  // namespace joulecast

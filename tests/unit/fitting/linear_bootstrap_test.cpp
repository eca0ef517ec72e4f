// SPDX-License-Identifier: Apache-2.0
#include "fitting/linear_bootstrap.hpp"

#include "fitting/splitmix.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <numeric>

namespace joulecast {
namespace {

struct BootstrapTable {
  std::vector<Feature> features;
  std::vector<double> target;
};

// 60 rows of made-up features in ascending order of the first, every third one twice.
BootstrapTable made_up_table() {
  BootstrapTable table{{{"a", {}}, {"b", {}}, {"c", {}}}, {}};
  std::uint64_t state = 7;
  const auto uniform = [&] { return static_cast<double>(next_random(state) >> 11U) * 0x1p-53; };
  for (int i = 0; i < 60; ++i) {
    const int copies = i % 3 == 0 ? 2 : 1;
    const double b = 1e3 * uniform();
    const double c = 2.0 + uniform();
    const double noise = uniform();
    for (int copy = 0; copy < copies; ++copy) {
      table.features[0].values.push_back(i);
      table.features[1].values.push_back(b);
      table.features[2].values.push_back(c);
      table.target.push_back(5.0 + 2.0 * i + 0.01 * b - 3.0 * c + noise);
    }
  }
  return table;
}

// The rows that resample b of a table in ascending order draws, written out anew.
BootstrapTable take_rows(const BootstrapTable& table, std::uint64_t b) {
  BootstrapTable drawn{table.features, {}};
  for (Feature& feature : drawn.features) feature.values.clear();
  std::uint64_t state = b;
  std::uint64_t random = 0;
  const std::uint64_t rows = table.target.size();
  for (std::uint64_t i = 0; i < rows; ++i) {
    random = i % 2 == 0 ? next_random(state) : random >> 32U;
    const std::size_t row = ((random & 0xFFFFFFFFU) * rows) >> 32U;
    for (std::size_t j = 0; j < drawn.features.size(); ++j) {
      drawn.features[j].values.push_back(table.features[j].values[row]);
    }
    drawn.target.push_back(table.target[row]);
  }
  return drawn;
}

void expect_same(const Eigen::MatrixXd& drawn, Eigen::Index b, double constant,
                 const std::vector<double>& coefficients) {
  EXPECT_NEAR(drawn(b, 0), constant, 1e-10 * (1.0 + std::abs(constant))) << b;
  for (std::size_t j = 0; j < coefficients.size(); ++j) {
    EXPECT_NEAR(drawn(b, static_cast<Eigen::Index>(j) + 1), coefficients[j],
                1e-10 * (1.0 + std::abs(coefficients[j])))
        << b << " " << j;
  }
}

// The oracle is the fit itself, given the rows that were drawn.
TEST(LinearBootstrap, GivesWhatTheFitGivesForTheRowsDrawn) {
  const BootstrapTable table = made_up_table();
  const LinearResampling options{.resamples = 20, .threads = 1};
  const auto plain = resample_ordinary_least_squares(table.features, table.target, options).value();
  const auto ridge = resample_ridge(table.features, table.target, 5.0, options).value();
  const auto non_negative = resample_non_negative(table.features, table.target, options).value();
  ASSERT_EQ(plain.rows(), 20);
  ASSERT_EQ(plain.cols(), 4);
  for (Eigen::Index b = 0; b < 20; ++b) {
    BootstrapTable rows = take_rows(table, static_cast<std::uint64_t>(b));
    const auto one = fit_ordinary_least_squares(rows.features, rows.target).value();
    expect_same(plain, b, one.intercept, one.coefficients);
    const auto two = fit_ridge(rows.features, rows.target, 5.0).value();
    expect_same(ridge, b, two.intercept, two.coefficients);
    rows.features.insert(rows.features.begin(),
                         Feature{"constant", std::vector<double>(rows.target.size(), 1.0)});
    const auto three = fit_non_negative(rows.features, rows.target).value();
    const double constant = three.coefficients.front();
    expect_same(non_negative, b, constant,
                {three.coefficients.begin() + 1, three.coefficients.end()});
  }
}

TEST(LinearBootstrap, DependsNeitherOnTheOrderOfTheRowsNorOnTheThreads) {
  const BootstrapTable table = made_up_table();
  BootstrapTable turned = table;
  for (Feature& feature : turned.features) std::ranges::reverse(feature.values);
  std::ranges::reverse(turned.target);
  const auto one =
      resample_ridge(table.features, table.target, 1.0, {.resamples = 50, .threads = 1}).value();
  const auto two =
      resample_ridge(turned.features, turned.target, 1.0, {.resamples = 50, .threads = 3}).value();
  EXPECT_EQ(one, two);
}

// Twins share the effect evenly in every resample of least norm; a constant column has none.
TEST(LinearBootstrap, TakesTheSolutionOfLeastNormWhereColumnsAreTwins) {
  BootstrapTable table = made_up_table();
  table.features = {table.features[0],
                    table.features[0],
                    {"constant", std::vector<double>(table.target.size(), 3.0)}};
  const auto drawn =
      resample_ordinary_least_squares(table.features, table.target, {.resamples = 10}).value();
  for (Eigen::Index b = 0; b < 10; ++b) {
    EXPECT_NEAR(drawn(b, 1), drawn(b, 2), 1e-12);
    EXPECT_EQ(drawn(b, 3), 0.0);
  }
}

// sd of the mean of n values is s / sqrt(n); of 4000 resamples its own relative error is
// 1 / sqrt(8000) = 1.1 %, of which five are allowed.
TEST(LinearBootstrap, SpreadsAMeanByItsStandardError) {
  const BootstrapTable table = made_up_table();
  const std::vector<Feature> constant{{"constant", std::vector<double>(table.target.size(), 1.0)}};
  const auto drawn =
      resample_ordinary_least_squares(constant, table.target, {.resamples = 4000}).value();
  const auto n = static_cast<double>(table.target.size());
  const double mean = std::reduce(table.target.begin(), table.target.end()) / n;
  double squares = 0.0;
  for (const double value : table.target) squares += (value - mean) * (value - mean);
  const double expected = std::sqrt(squares) / n;
  const double spread = std::sqrt((drawn.col(0).array() - drawn.col(0).mean()).square().mean());
  EXPECT_NEAR(spread / expected, 1.0, 0.056);
}

TEST(LinearBootstrap, RejectsWhatTheFitsReject) {
  const std::vector<Feature> features{{"a", {1, 2}}};
  EXPECT_FALSE(resample_ridge(features, std::vector{1.0, 2.0}, 0.0, {}).has_value());
  EXPECT_FALSE(resample_ordinary_least_squares(features, std::vector{1.0}, {}).has_value());
  EXPECT_FALSE(resample_non_negative({}, std::vector{1.0}, {}).has_value());
}

}  // namespace
}  // namespace joulecast

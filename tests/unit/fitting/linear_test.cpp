// SPDX-License-Identifier: Apache-2.0
#include "fitting/linear.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::ElementsAre;

// NIST StRD, dataset Longley (J. W. Longley, JASA 62 (1967) 819): total employment against six
// economic series that are almost collinear.
// https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml
std::vector<Feature> longley() {
  return {{"deflator",
           {83, 88.5, 88.2, 89.5, 96.2, 98.1, 99, 100, 101.2, 104.6, 108.4, 110.8, 112.6, 114.2,
            115.7, 116.9}},
          {"gnp",
           {234289, 259426, 258054, 284599, 328975, 346999, 365385, 363112, 397469, 419180, 442769,
            444546, 482704, 502601, 518173, 554894}},
          {"unemployed",
           {2356, 2325, 3682, 3351, 2099, 1932, 1870, 3578, 2904, 2822, 2936, 4681, 3813, 3931,
            4806, 4007}},
          {"armed_forces",
           {1590, 1456, 1616, 1650, 3099, 3594, 3547, 3350, 3048, 2857, 2798, 2637, 2552, 2514,
            2572, 2827}},
          {"population",
           {107608, 108632, 109773, 110929, 112075, 113270, 115094, 116219, 117388, 118734, 120445,
            121950, 123366, 125368, 127852, 130081}},
          {"year",
           {1947, 1948, 1949, 1950, 1951, 1952, 1953, 1954, 1955, 1956, 1957, 1958, 1959, 1960,
            1961, 1962}}};
}
const std::vector<double> employed{60323, 61122, 60171, 61187, 63221, 63639, 64989, 63761,
                                   66019, 67857, 68169, 66513, 68655, 69564, 69331, 70551};

TEST(OrdinaryLeastSquares, ReachesTheCertifiedDigitsOfLongley) {
  const auto fit = fit_ordinary_least_squares(longley(), employed).value();
  const std::array certified{15.0618722713733,  -0.358191792925910E-01, -2.02022980381683,
                             -1.03322686717359, -0.511041056535807E-01, 1829.15146461355};
  EXPECT_NEAR(fit.intercept / -3482258.63459582, 1.0, 1e-9);
  for (std::size_t i = 0; i < certified.size(); ++i) {
    EXPECT_NEAR(fit.coefficients[i] / certified[i], 1.0, 1e-9) << i;
  }
  EXPECT_NEAR(fit.r_squared, 0.995479004577296, 1e-12);
  EXPECT_NEAR(fit.sum_of_squares / 836424.055505915, 1.0, 1e-10);
  EXPECT_TRUE(fit.not_identified.empty());
}

// b = 2 x + 1 repeats x: only their joint effect is fixed, the predictions are unaffected.
TEST(OrdinaryLeastSquares, NamesColumnsThatOthersReplace) {
  const std::vector<Feature> features{
      {"x", {1, 2, 3, 4}}, {"other", {1, -1, 2, 0}}, {"double_x", {3, 5, 7, 9}}};
  const std::vector<double> target{1, 2, 3, 4};
  const auto fit = fit_ordinary_least_squares(features, target).value();
  EXPECT_THAT(fit.not_identified, ElementsAre("x", "double_x"));
  EXPECT_EQ(fit.rank, 2U);
  for (std::size_t row = 0; row < 4; ++row) {
    EXPECT_NEAR(fit.predict(features, row), target[row], 1e-12);
  }
}

TEST(OrdinaryLeastSquares, AConstantFeatureIsReplacedByTheIntercept) {
  const std::vector<Feature> features{{"x", {1, 2, 4}}, {"always", {0.1, 0.1, 0.1}}};
  const auto fit = fit_ordinary_least_squares(features, std::vector{3.0, 5.0, 9.0}).value();
  EXPECT_THAT(fit.not_identified, ElementsAre("always"));
  EXPECT_NEAR(fit.coefficients[0], 2.0, 1e-12);
  EXPECT_NEAR(fit.intercept, 1.0, 1e-12);
}

// One feature z = (-1, 1) standardised, y = (-1, 1) + 5: g = z'y / (z'z + a) = 2 / (2 + 2) = 1/2;
// x = 10 z, so the coefficient is 1/20 per unit; x has mean 100: intercept 5 - 100/20 = 0.
TEST(Ridge, ShrinksStandardisedCoefficientsByHand) {
  const std::vector<Feature> features{{"x", {90, 110}}};
  const auto fit = fit_ridge(features, std::vector{4.0, 6.0}, 2.0).value();
  EXPECT_NEAR(fit.coefficients[0], 0.05, 1e-15);
  EXPECT_NEAR(fit.intercept, 0.0, 1e-13);
}

// Twin columns: the penalty splits their effect evenly.
TEST(Ridge, SharesAnEffectBetweenTwins) {
  const std::vector<Feature> features{{"a", {1, 2, 3, 5}}, {"b", {1, 2, 3, 5}}};
  const auto fit = fit_ridge(features, std::vector{2.0, 4.0, 6.0, 10.0}, 1e-6).value();
  EXPECT_NEAR(fit.coefficients[0], fit.coefficients[1], 1e-9);
  EXPECT_NEAR(fit.coefficients[0] + fit.coefficients[1], 2.0, 1e-5);
  EXPECT_THAT(fit.not_identified, ElementsAre("a", "b"));
  EXPECT_FALSE(fit_ridge(features, std::vector{2.0, 4.0, 6.0, 10.0}, 0.0).has_value());
}

// Optimality (Karush, Kuhn, Tucker): x >= 0, gradient A'(y - A x) <= 0, and zero where x > 0.
TEST(NonNegative, SatisfiesTheOptimalityConditionsOnRandomProblems) {
  std::uint64_t state = 42;
  const auto next = [&state] {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state >> 11U) / 9007199254740992.0 - 0.4;
  };
  for (int problem = 0; problem < 200; ++problem) {
    std::vector<Feature> features(8, Feature{"f", std::vector<double>(12)});
    std::vector<double> target(12);
    for (auto& feature : features) {
      for (double& value : feature.values) value = next();
    }
    if (problem % 5 == 0) features[3] = features[1];  // twins must not make it cycle
    for (double& value : target) value = next();
    const auto fit = fit_non_negative(features, target).value();
    ASSERT_TRUE(fit.converged);
    std::vector<double> residuals = target;
    for (std::size_t i = 0; i < target.size(); ++i) {
      for (std::size_t j = 0; j < features.size(); ++j) {
        residuals[i] -= features[j].values[i] * fit.coefficients[j];
      }
    }
    for (std::size_t j = 0; j < features.size(); ++j) {
      double gradient = 0.0;
      for (std::size_t i = 0; i < target.size(); ++i) {
        gradient += features[j].values[i] * residuals[i];
      }
      EXPECT_GE(fit.coefficients[j], 0.0);
      EXPECT_LE(gradient, 1e-9);
      EXPECT_NEAR(fit.coefficients[j] > 0.0 ? gradient : 0.0, 0.0, 1e-9);
    }
  }
}

TEST(NonNegative, LeavesOutWhatWouldBeNegativeAndAColumnOfZeros) {
  const std::vector<Feature> features{{"up", {1, 0, 1}}, {"down", {0, 1, 0}}, {"none", {0, 0, 0}}};
  const auto fit = fit_non_negative(features, std::vector{2.0, -1.0, 2.0}).value();
  EXPECT_THAT(fit.coefficients, ElementsAre(testing::DoubleEq(2.0), 0.0, 0.0));
  EXPECT_DOUBLE_EQ(fit.sum_of_squares, 1.0);
}

TEST(ProportionalColumns, AreNamedWithTheirFactor) {
  const std::vector<Feature> features{
      {"seconds", {1, 2, 3}}, {"other", {1, 0, 1}}, {"micro", {1e6, 2e6, 3e6}}};
  const auto groups = find_proportional_columns(features, 1e-12);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_THAT(groups[0].names, ElementsAre("seconds", "micro"));
  EXPECT_NEAR(groups[0].factors[1], 1e6, 1e-6);
}

TEST(LinearFits, RejectMissingRowsAndNumbersThatAreNotFinite) {
  const std::vector<Feature> ragged{{"x", {1, 2}}};
  const std::vector<Feature> broken{{"x", {1, NAN, 3}}};
  const std::vector<double> target{1, 2, 3};
  EXPECT_FALSE(fit_ordinary_least_squares({}, target).has_value());
  for (const auto& features : {ragged, broken}) {
    EXPECT_FALSE(fit_ordinary_least_squares(features, target).has_value());
    EXPECT_FALSE(fit_ridge(features, target, 1.0).has_value());
    EXPECT_FALSE(fit_non_negative(features, target).has_value());
  }
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "fitting/saturation_fit.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

namespace joulecast {
namespace {

std::vector<HefSample> sample_law(const SaturationLaw& law, double lowest, double highest,
                                  int count) {
  std::vector<HefSample> samples;
  for (int i = 0; i < count; ++i) {
    const double flops = lowest * std::pow(highest / lowest, i / (count - 1.0));
    samples.push_back({flops, evaluate_hef(law, Flops{flops})});
  }
  return samples;
}

// Laws of the size the paper found, from dense products (k = 10) to elementwise work (k = 17544).
TEST(SaturationFit, RecoversTheLawThatMadeTheSamples) {
  const std::array laws{SaturationLaw{0.6938, 10.37, 0.78}, SaturationLaw{0.8193, 9.21, 0.40},
                        SaturationLaw{0.000965, 17544.28, 0.94}, SaturationLaw{0.9, 0.5, 1.3}};
  const std::array ranges{std::pair{2e9, 6e11}, std::pair{8e8, 2e11}, std::pair{1e4, 4e8},
                          std::pair{1e10, 2e13}};
  for (std::size_t i = 0; i < laws.size(); ++i) {
    const auto samples = sample_law(laws[i], ranges[i].first, ranges[i].second, 60);
    const auto fit = fit_saturation_law(samples, {});
    ASSERT_TRUE(fit.has_value());
    EXPECT_NE(fit->termination, FitTermination::iteration_limit);
    EXPECT_NEAR(fit->law.eta_max / laws[i].eta_max, 1.0, 1e-6);
    EXPECT_NEAR(fit->law.saturation_rate / laws[i].saturation_rate, 1.0, 1e-6);
    EXPECT_NEAR(fit->law.saturation_exponent / laws[i].saturation_exponent, 1.0, 1e-6);
    EXPECT_NEAR(fit->r_squared, 1.0, 1e-9);
    EXPECT_TRUE(fit->not_identified.empty());
    EXPECT_EQ(fit->minimum_flops, samples.front().flops);
    EXPECT_EQ(fit->samples, 60U);
  }
}

// At the optimum of noisy samples no small change of any parameter may lower the sum of squares.
TEST(SaturationFit, IsALocalMinimumUnderNoise) {
  auto samples = sample_law({0.6, 8.0, 0.8}, 1e9, 1e12, 80);
  std::uint64_t state = 7;
  for (HefSample& sample : samples) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    sample.hef *= 1.0 + 0.1 * (static_cast<double>(state >> 11U) / 9007199254740992.0 - 0.5);
  }
  const auto fit = fit_saturation_law(samples, {}).value();
  const auto sum_at = [&](SaturationLaw law) {
    double sum = 0.0;
    for (const auto& s : samples) sum += std::pow(evaluate_hef(law, Flops{s.flops}) - s.hef, 2);
    return sum;
  };
  EXPECT_NEAR(sum_at(fit.law), fit.sum_of_squares, 1e-12);
  for (const double factor : {0.999, 1.001}) {
    for (double SaturationLaw::* parameter :
         {&SaturationLaw::eta_max, &SaturationLaw::saturation_rate,
          &SaturationLaw::saturation_exponent}) {
      SaturationLaw moved = fit.law;
      moved.*parameter *= factor;
      EXPECT_GT(sum_at(moved), fit.sum_of_squares);
    }
  }
}

// Central differences have an error of h^2, here about 1e-10 of the value.
TEST(SaturationFit, DerivativesAgreeWithFiniteDifferences) {
  for (const double c : {1e-6, 1e-3, 0.5, 20.0}) {
    const double m = 0.7;
    const double log_k = 2.0;
    const double a = 0.8;
    const double h = 1e-5;
    const Eigen::ArrayXd size = Eigen::ArrayXd::Constant(1, std::log(c));
    const auto d = differentiate_saturation(m, log_k, a, size);
    const auto eta = [&size](double m_, double k_, double a_) {
      return differentiate_saturation(m_, k_, a_, size).eta[0];
    };
    const double by_m = (eta(m + h, log_k, a) - eta(m - h, log_k, a)) / (2 * h);
    const double by_k = (eta(m, log_k + h, a) - eta(m, log_k - h, a)) / (2 * h);
    const double by_a = (eta(m, log_k, a + h) - eta(m, log_k, a - h)) / (2 * h);
    EXPECT_NEAR(d.by_eta_max[0], by_m, 1e-9);
    EXPECT_NEAR(d.by_log_rate[0], by_k, 1e-9);
    EXPECT_NEAR(d.by_exponent[0], by_a, 1e-8);
    EXPECT_NEAR(d.eta[0], evaluate_hef({m, std::exp(log_k), a, 1.0}, Flops{c}), 1e-15);
  }
}

// Wherever the knee lies and whatever the noise, a search a hundred times finer finds nothing
// lower.
TEST(SaturationFit, FindsTheGlobalMinimum) {
  std::uint64_t state = 11;
  const auto uniform = [&state] {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state >> 11U) / 9007199254740992.0;
  };
  for (int problem = 0; problem < 40; ++problem) {
    const double exponent = 0.2 + 1.6 * uniform();
    const double knee = std::pow(10.0, 6.0 + 7.0 * uniform());
    const SaturationLaw law{std::pow(10.0, -3.0 * uniform()), std::pow(knee / 1e12, -exponent),
                            exponent};
    auto samples = sample_law(law, 1e7, 1e12, 60);
    const double noise = 0.4 * uniform();
    for (HefSample& sample : samples) sample.hef *= 1.0 + noise * (uniform() - 0.5);
    const auto fit = fit_saturation_law(samples, {}).value();
    const SizeTable sizes = collect_sizes(samples, 1e12);
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i <= 300; ++i) {
      const double log_rate = std::log(1e-6) + std::log(1e15) * i / 300;
      for (int j = 0; j <= 150; ++j) {
        const Eigen::ArrayXd g =
            differentiate_saturation(1.0, log_rate, 0.05 + 2.95 * j / 150, sizes.log_size).eta;
        const double best = std::clamp((g * sizes.mean).sum() / g.square().sum(), 1e-9, 1.0);
        least = std::min(least, (best * g - sizes.mean).square().sum());
      }
    }
    EXPECT_LE(fit.sum_of_squares, least * (1.0 + 1e-9)) << problem;
  }
}

// Far below saturation eta = (eta_max k) C^alpha: only the product is fixed by such samples.
TEST(SaturationFit, SaysThatSmallSizesDoNotFixTheMaximum) {
  std::vector<HefSample> samples;
  for (int i = 0; i < 20; ++i) {
    const double flops = 1e6 * std::pow(1.3, i);
    samples.push_back({flops, 1e-3 * std::pow(flops / 1e12, 0.9)});
  }
  const auto fit = fit_saturation_law(samples, {}).value();
  EXPECT_THAT(fit.not_identified, testing::IsSupersetOf({"eta_max"}));
}

TEST(SaturationFit, SaysThatTwoSizesFixNothing) {
  const std::array<HefSample, 4> samples{{{1e9, 0.1}, {1e9, 0.11}, {1e10, 0.3}, {1e10, 0.29}}};
  EXPECT_EQ(fit_saturation_law(samples, {}).value().not_identified.size(), 3U);
}

TEST(SaturationFit, NeverExceedsThePeak) {
  const auto fit = fit_saturation_law(sample_law({1.5, 5.0, 0.8}, 1e9, 1e12, 30), {}).value();
  EXPECT_LE(fit.law.eta_max, 1.0);
  EXPECT_THAT(fit.not_identified, testing::Contains("eta_max"));
}

TEST(SaturationFit, RejectsSamplesThatCannotBe) {
  EXPECT_FALSE(fit_saturation_law({}, {}).has_value());
  for (const HefSample bad : {HefSample{0.0, 0.5}, HefSample{-1.0, 0.5}, HefSample{1e9, -0.1},
                              HefSample{1e9, std::numeric_limits<double>::quiet_NaN()}}) {
    EXPECT_FALSE(fit_saturation_law({&bad, 1}, {}).has_value());
  }
}

TEST(SaturationFit, GivesTheSameBitsAgain) {
  const auto samples = sample_law({0.6, 8.0, 0.8}, 1e9, 1e12, 40);
  const auto one = fit_saturation_law(samples, {}).value();
  const auto two = fit_saturation_law(samples, {}).value();
  EXPECT_EQ(one.law, two.law);
}

}  // namespace
}  // namespace joulecast

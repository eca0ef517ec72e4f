// SPDX-License-Identifier: Apache-2.0
#include "fitting/saturation_bootstrap.hpp"

#include "fitting/splitmix.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

// 40 sizes, three noisy rows each.
std::vector<HefSample> noisy_rows(const SaturationLaw& law, double noise) {
  std::vector<HefSample> samples;
  std::uint64_t state = 3;
  for (int i = 0; i < 120; ++i) {
    const double flops = 1e8 * std::pow(10.0, i / 3 / 10.0);
    const double u = static_cast<double>(next_random(state) >> 11U) * 0x1p-53;
    samples.push_back({flops, evaluate_hef(law, Flops{flops}) * (1.0 + noise * (u - 0.5))});
  }
  return samples;
}

// The oracle is the fit itself, given the rows that were drawn.
TEST(SaturationBootstrap, GivesWhatTheFitGivesForTheRowsDrawn) {
  for (const SaturationLaw& law : {SaturationLaw{0.7, 8.0, 0.8}, SaturationLaw{0.02, 30.0, 0.6},
                                   SaturationLaw{1.0, 4.0, 1.2}}) {
    const auto samples = noisy_rows(law, 0.2);
    const auto fit = fit_saturation_law(samples, {}).value();
    const auto laws = resample_saturation_law(samples, fit, {}, {.resamples = 30}).value();
    ASSERT_EQ(laws.size(), 30U);
    for (std::size_t b = 0; b < laws.size(); ++b) {
      std::vector<HefSample> drawn;
      draw_rows(b, samples.size(), [&](std::size_t row) { drawn.push_back(samples[row]); });
      ASSERT_EQ(drawn.size(), samples.size());
      const auto expected = fit_saturation_law(drawn, {}).value();
      EXPECT_NEAR(laws[b].eta_max / expected.law.eta_max, 1.0, 1e-5) << b;
      EXPECT_NEAR(laws[b].saturation_rate / expected.law.saturation_rate, 1.0, 1e-4) << b;
      EXPECT_NEAR(laws[b].saturation_exponent / expected.law.saturation_exponent, 1.0, 1e-5) << b;
    }
  }
}

TEST(SaturationBootstrap, DoesNotDependOnTheThreads) {
  const auto samples = noisy_rows({0.7, 8.0, 0.8}, 0.1);
  const auto fit = fit_saturation_law(samples, {}).value();
  const auto one = resample_saturation_law(samples, fit, {}, {.resamples = 50, .threads = 1});
  const auto three = resample_saturation_law(samples, fit, {}, {.resamples = 50, .threads = 3});
  EXPECT_EQ(*one, *three);
}

TEST(SaturationBootstrap, RejectsWhatTheFitRejects) {
  EXPECT_FALSE(resample_saturation_law({}, {}, {}, {}).has_value());
}

}  // namespace
}  // namespace joulecast

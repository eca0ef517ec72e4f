// SPDX-License-Identifier: Apache-2.0
#include <joulecast/law.hpp>

#include <cmath>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

// Worked example of the paper, model A, QKV projections on the A100:
// c = 6 B S D^2 = 6 * 64 * 320 * 512^2 = 32,212,254,720 FLOPs = 0.03221225472 TFLOP;
// 10.37 * 0.03221225472^0.78 = 0.711068...; 0.6938 (1 - exp(-0.711068)) = 0.353...
// The paper prints 35.31 percent.
TEST(SaturationLaw, GivesTheEfficiencyOfThePaperSWorkedExample) {
  const SaturationLaw law{0.6938, 10.37, 0.78};
  EXPECT_NEAR(evaluate_hef(law, Flops{32'212'254'720.0}), 0.3531, 0.5e-4);
}

TEST(SaturationLaw, KeepsItsDigitsWhereTheNaiveFormLosesThem) {
  // For x = k C^alpha = 1e-12 the series is x - x^2/2: relative error of 1 - exp(-x) would be 1e-4.
  const SaturationLaw law{1.0, 1.0, 1.0, 1e12};
  EXPECT_DOUBLE_EQ(evaluate_hef(law, Flops{1.0}), 1e-12 - 0.5e-24);
}

TEST(SaturationLaw, StaysWithinItsMaximumAndGrowsWithSize) {
  const SaturationLaw law{0.8, 10.0, 0.7};
  double previous = 0.0;
  for (double flops = 1.0; flops < 1e18; flops *= 3.0) {
    const double eta = evaluate_hef(law, Flops{flops});
    EXPECT_GE(eta, previous);
    EXPECT_GT(eta, 0.0);
    EXPECT_LE(eta, law.eta_max);
    previous = eta;
  }
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "family_question.hpp"

#include <gtest/gtest.h>

namespace joulecast {
namespace {

const LawFamily& family() { return *find_family("convolution"); }

double seconds_of(const ConvolutionShape& shape) {
  const auto parameters =
      lowest_but(family(), {{"eta", 1.0}, {"fused_eta", 1.0}, {"large_eta", 1.0}});
  const MeasuredShape question = shape;
  const DeviceFacts facts = slow_device("Ampere");
  return family().seconds(parameters,
                          {"convolution", question, MeasuredPrecision::fp32, 0.0, 0.0, facts});
}

// 16 x 16 positions x 128 channels over 64: two tiles of 128 x 128, each 2 * 128 * 128 * 64 FLOPs
// at a rate lessened by sigma (16/128 + 16/128) = 0.001 / 4; together 2 * 2097152 * 1.00025 / 1e6
// s.
TEST(ConvolutionFamily, IsATiledProductWhereFiltersAreSinglePixels) {
  EXPECT_NEAR(seconds_of({1, 64, 128, 16, 16, 1, 1, 0, 1}), 4.195353, 1e-5);
}

// 8 images of 16 x 16 are 8 * 4 * 4 = 128 squares of 4 x 4: F(4 x 4, 3 x 3) is 36 products of
// 128 x 128 over 64, 36 * 2097152 * 1.00025 / 1e6 s: a quarter of 2 * 2048 * 128 * 9 * 64 FLOPs.
TEST(ConvolutionFamily, TakesAQuarterOfTheMultiplicationsByWinograd) {
  EXPECT_NEAR(seconds_of({8, 64, 128, 16, 16, 3, 1, 1, 1}), 75.516346, 1e-4);
}

// With a stride of 2 there is no Winograd: 8 * 8 * 8 positions = 4 tiles, over 9 * 64 numbers.
TEST(ConvolutionFamily, HasNoWinogradForStrides) {
  EXPECT_NEAR(seconds_of({8, 64, 128, 16, 16, 3, 2, 1, 1}), 4.0 * 9.0 * 2.097152 * 1.00025, 1e-4);
}

// A group of its own per channel: 256 products of 64 positions x 1 channel over 9 numbers, which
// take 16. The least tile with 64 rows is 64 x 64: 256 * 2 * 64 * 64 * 16 * 1.0005 / 1e6 s.
TEST(ConvolutionFamily, GivesEachGroupItsTiles) {
  EXPECT_NEAR(seconds_of({1, 256, 256, 8, 8, 3, 1, 1, 256}), 33.571209, 1e-4);
}

}  // namespace
}  // namespace joulecast

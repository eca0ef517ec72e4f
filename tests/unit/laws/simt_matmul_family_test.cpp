// SPDX-License-Identifier: Apache-2.0
#include "family_question.hpp"

#include <gtest/gtest.h>

namespace joulecast {
namespace {

double seconds_of(std::string_view operation, const MatmulShape& shape, const DeviceFacts& facts) {
  const LawFamily& family = *find_family("simt_matmul");
  const auto parameters =
      lowest_but(family, {{"eta", 1.0}, {"whole_waves", 1.0}, {"slow_down_seconds", 0.1}});
  const MeasuredShape question = shape;
  return family.seconds(parameters,
                        {operation, question, MeasuredPrecision::fp32, 0.0, 0.0, facts});
}

// s = 1.0001 and tau = 0.1 s are as near to no slow-down as the bounds allow.
double slowed(double t) { return t * (1.0 + 1e-4 * t / (t + 0.1)); }

// Pascal has the one tile of 128 columns x 64 rows for batches. 8 + 1 steps of K, at a rate
// lessened by sigma (16/128 + 16/64) = 0.000375: 2 * 128 * 64 * 9 * 1.000375 / 1e6 s = 0.1475113 s.
TEST(SimtMatmulFamily, RoundsUpToTilesAndFillsThePipeline) {
  const DeviceFacts facts = slow_device("Pascal");
  const double one = seconds_of("batched_matmul", {1, 64, 128, 8}, facts);
  EXPECT_NEAR(one, slowed(0.1475113 + 5e-7), 1e-6);
  EXPECT_NEAR(seconds_of("batched_matmul", {1, 64, 129, 1}, facts), slowed(2.0 * 0.1475113), 2e-6);
}

// On 8 multiprocessors one tile of 64 x 64 over 1024 leaves seven idle; K split in 8 has 128 + 1
// steps a part: 2 * 64 * 64 * 129 * (1 + 0.001 (16/64 + 16/64)) / (1e6 / 8) s. Other tiles of
// Pascal's menu, 32 x 128 and 128 x 32, fill two or more waves with more FLOPs.
TEST(SimtMatmulFamily, SplitsTheSumWhereTilesAreFew) {
  DeviceFacts facts = slow_device("Pascal");
  facts.multiprocessors = 8.0;
  const double expected = 2.0 * 64.0 * 64.0 * 129.0 * 1.0005 * 8.0 / 1e6;
  EXPECT_NEAR(seconds_of("linear", {1, 64, 64, 1024}, facts), slowed(expected), 1e-5);
  // Batched products are never split.
  facts.architecture = "Volta";
  EXPECT_GT(seconds_of("batched_matmul", {1, 64, 64, 1024}, facts), 7.0 * expected);
}

}  // namespace
}  // namespace joulecast

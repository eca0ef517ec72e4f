// SPDX-License-Identifier: Apache-2.0
// Encoders: what Hopper's kernel does where nothing is masked. Causal counts are in
// attention_blocks_test.cpp.
#include "family_question.hpp"

#include <gtest/gtest.h>

namespace joulecast {
namespace {

constexpr double eta = 0.1;  // far below the power limit, which is the peak

double encoder_seconds(std::int64_t sequence, std::int64_t head_size) {
  const LawFamily& family = *find_family("fused_attention");
  const auto parameters = lowest_but(family, {{"eta", eta}, {"eta_power", 1.0}});
  AttentionShape shape{1024, sequence, sequence, 16, 16, head_size, false, 0};
  const MeasuredShape question = shape;
  const DeviceFacts facts = slow_device("Hopper");
  return family.seconds(parameters,
                        {"encoder_attention", question, MeasuredPrecision::bf16, 0.0, 0.0, facts});
}

// 16384 heads of one tile of 192 queries over one block of 192 keys, kappa = 0.01 blocks around it,
// each 4 * 192 * 192 * (64 + 1) FLOPs at 1e5 per second: 16384 * 1.01 * 9584640 / 1e5 s.
TEST(AttentionFamily, WalksOverLongBlocksWithoutAMask) {
  const double expected = 16384.0 * 1.01 * 9584640.0 / 1e5;
  EXPECT_NEAR(encoder_seconds(192, 64), expected, 1e-5 * expected);
}

// One query more: two tiles of two blocks, 4 + 2 * 0.01 in place of 1.01.
TEST(AttentionFamily, PaysForWholeTilesAndBlocks) {
  EXPECT_NEAR(encoder_seconds(193, 64) / encoder_seconds(192, 64), 4.02 / 1.01, 1e-5);
}

// 72 and 80 run as 96; 144 keys are one block.
TEST(AttentionFamily, FillsHeadsUpToASizeOfTheKernel) {
  EXPECT_NEAR(encoder_seconds(144, 72) / encoder_seconds(144, 96), 1.0, 1e-6);
  EXPECT_NEAR(encoder_seconds(144, 80) / encoder_seconds(144, 96), 1.0, 1e-6);
  const double expected = 16384.0 * 1.01 * 4.0 * 192.0 * 144.0 * 97.0 / 1e5;
  EXPECT_NEAR(encoder_seconds(144, 72), expected, 1e-5 * expected);
}

}  // namespace
}  // namespace joulecast

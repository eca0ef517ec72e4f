// SPDX-License-Identifier: Apache-2.0
#include <joulecast/optimizer.hpp>

#include <gtest/gtest.h>

namespace joulecast {
namespace {

// A weight of 64 x 100 and its bias of 64: 6464 numbers in two tensors.
const std::vector<ParameterShape> weight_and_bias = {{.rows = 64, .columns = 100}, {.rows = 64}};

std::int64_t state_of(Optimizer optimizer) {
  return count_optimizer(optimizer, weight_and_bias).state_bytes.value();
}
std::int64_t traffic_of(Optimizer optimizer) {
  return count_optimizer(optimizer, weight_and_bias).bytes_moved.value();
}

// 4 B a number and state; Adam's two step counters are 8 B.
TEST(Optimizers, KeepWhatTheirStatesNeed) {
  EXPECT_EQ(state_of(Optimizer::sgd), 0);
  EXPECT_EQ(state_of(Optimizer::momentum), 4 * 6464);
  EXPECT_EQ(state_of(Optimizer::lion), 4 * 6464);
  EXPECT_EQ(state_of(Optimizer::adam), 8 * 6464 + 8);
  EXPECT_EQ(state_of(Optimizer::adamw), 8 * 6464 + 8);
}

// Lion reads p, g and m and writes p and m: 5 values of 4 B.
TEST(Optimizers, LionMovesFiveValuesANumber) {
  EXPECT_EQ(traffic_of(Optimizer::lion), 5 * 4 * 6464);
}

// 64 rows and 100 columns are summed, the bias keeps its 64 numbers: 228 values, and two counters.
// 7 values a number are moved, and the sums read and written.
TEST(Optimizers, AdafactorKeepsRowsAndColumns) {
  EXPECT_EQ(state_of(Optimizer::adafactor), 4 * 228 + 8);
  EXPECT_EQ(traffic_of(Optimizer::adafactor), 4 * (7 * 6464 + 2 * 228));
  // Four 16 x 100 matrices in one tensor have sums of their own: 4 * (16 + 100) = 464.
  const auto experts =
      count_optimizer(Optimizer::adafactor, {{.matrices = 4, .rows = 16, .columns = 100}});
  EXPECT_EQ(experts.state_bytes.value(), 4 * 464 + 4);
}

// 6400 numbers are 25 blocks of 256: two states of 6400 B and 25 scales; the bias stays in FP32;
// two tables of 256 FP32 numbers. Moved: p and g read, p written, the states twice.
TEST(Optimizers, EightBitAdamQuantizesLargeTensorsAlone) {
  EXPECT_EQ(state_of(Optimizer::adam_8bit), 2 * (6400 + 4 * 25) + 8 * 64 + 2048);
  EXPECT_EQ(state_of(Optimizer::adamw_8bit), state_of(Optimizer::adam_8bit));
  EXPECT_EQ(traffic_of(Optimizer::adam_8bit), 12 * 6400 + 4 * (6400 + 100) + 28 * 64);
  EXPECT_EQ(count_optimizer(Optimizer::adam_8bit, {{.rows = 4095}}).state_bytes.value(), 8 * 4095);
}

TEST(Optimizers, CountCopiesAsTheirSum) {
  for (const Optimizer optimizer : all_optimizers) {
    const auto one = count_optimizer(optimizer, {{.rows = 100, .columns = 70}});
    const auto three = count_optimizer(optimizer, {{.rows = 100, .columns = 70, .copies = 3}});
    EXPECT_EQ(three.flops.value(), 3 * one.flops.value()) << to_string(optimizer);
    EXPECT_EQ(three.bytes_moved.value(), 3 * one.bytes_moved.value()) << to_string(optimizer);
  }
}

TEST(Optimizers, RememberAnOverflow) {
  constexpr std::int64_t large = std::int64_t{1} << 40U;
  for (const Optimizer optimizer : all_optimizers) {
    EXPECT_TRUE(count_optimizer(optimizer, {{.rows = large, .columns = large}}).flops.overflowed());
  }
}

}  // namespace
}  // namespace joulecast

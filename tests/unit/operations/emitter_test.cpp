// SPDX-License-Identifier: Apache-2.0
// What holds for all blocks: bytes by precision, the optimizer, counts that do not fit.
#include "tiny_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TrainingSetup with(Precision precision) {
  TrainingSetup setup = tiny_setup();
  setup.precision = precision;
  return setup;
}

// x is 21 x 10 = 210 values, W 10 x 13 = 130, y 21 x 13 = 273: 613 values.
const DenseBlock dense{.input_size = 10, .output_size = 13};

TEST(Emitter, StoresFp32AndTf32InFourBytesAndHalfPrecisionInTwo) {
  for (const auto& [precision, bytes] :
       {std::pair{Precision::fp32, 4 * 613}, std::pair{Precision::tf32, 4 * 613},
        std::pair{Precision::fp16, 2 * 613}, std::pair{Precision::bf16, 2 * 613}}) {
    for (const Operation& operation :
         named(operations_of(model_of(dense), with(precision)), "dense")) {
      EXPECT_EQ(operation.bytes_moved, bytes) << to_string(precision);
      EXPECT_EQ(operation.precision, precision);
      EXPECT_EQ(operation.flops, 5460);
    }
  }
}

// Operands in one byte, results in two. y = x W: 210 + 130 + 2 * 273 = 886; dx = dy W^T:
// 273 + 130 + 2 * 210 = 823; dW = x^T dy: 210 + 273 + 2 * 130 = 743.
TEST(Emitter, Fp8ReadsBytesAndWritesHalfPrecision) {
  EXPECT_THAT(block_rows(model_of(dense), with(Precision::fp8)),
              ElementsAre("dense forward: 5460 FLOP, 886 B, 1 times",
                          "dense backward_input: 5460 FLOP, 823 B, 1 times",
                          "dense backward_weight: 5460 FLOP, 743 B, 1 times"));
}

// Products of two activations stay in BF16: 6 * 2 (35 + 35 + 49) = 1428 B. Elementwise operations
// compute in FP32 on values of two bytes: scale 2 * 2 * 294 = 1176 B.
TEST(Emitter, Fp8IsForLinearLayersOnly) {
  const auto operations = operations_of(model_of(tiny_transformer()), with(Precision::fp8));
  for (const Operation& operation : operations) {
    const bool product =
        operation.name == "attention_scores" || operation.name == "attention_values";
    if (operation.kind != OperationKind::matmul) {
      EXPECT_EQ(operation.precision, Precision::fp32) << operation.name;
    } else {
      EXPECT_EQ(operation.precision, product ? Precision::bf16 : Precision::fp8) << operation.name;
    }
  }
  EXPECT_EQ(named(operations, "attention_scores")[0].bytes_moved, 1428);
  EXPECT_EQ(named(operations, "attention_scale")[0].bytes_moved, 1176);
}

// 10 * 13 + 13 = 143 parameters, all optimizer state in four bytes whatever the precision.
// SGD: g, p read, p written: 12 B, p - lr g: 2. Momentum: p, g, v read, p, v written: 20 B,
// mu v + g and p - lr v: 4. Adam: p, g, m, v read, p, m, v written: 28 B; m 3, v 4, root, scale,
// epsilon, divide, lr, subtract: 13. AdamW decays p: 14.
TEST(Emitter, OptimizersCostByParameter) {
  const auto row = [](Optimizer optimizer, Precision precision) {
    TrainingSetup setup = with(precision);
    setup.optimizer = optimizer;
    return row_of(operations_of(model_of(dense), setup).back());
  };
  for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::fp8}) {
    EXPECT_EQ(row(Optimizer::sgd, precision),
              "sgd_update optimizer_step: 286 FLOP, 1716 B, 1 times");
    EXPECT_EQ(row(Optimizer::momentum, precision),
              "momentum_update optimizer_step: 572 FLOP, 2860 B, 1 times");
    EXPECT_EQ(row(Optimizer::adam, precision),
              "adam_update optimizer_step: 1859 FLOP, 4004 B, 1 times");
    EXPECT_EQ(row(Optimizer::adamw, precision),
              "adamw_update optimizer_step: 2002 FLOP, 4004 B, 1 times");
  }
}

// Rows 2^59, one input, one output: 2^60 FLOPs and 4 (2^59 + 1 + 2^59) = 2^62 + 4 B, which no
// double can hold.
TEST(Emitter, CountsAreExactJustBelowTheLimit) {
  TrainingSetup setup = tiny_setup();
  setup.batch_size = std::int64_t{1} << 30U;
  setup.sequence_length = std::int64_t{1} << 29U;
  const auto operations =
      operations_of(model_of(DenseBlock{.input_size = 1, .output_size = 1}), setup);
  EXPECT_EQ(operations.front().flops, std::int64_t{1} << 60U);
  EXPECT_EQ(operations.front().bytes_moved, (std::int64_t{1} << 62U) + 4);
}

// Twice as long: 4 (2^60 + 1 + 2^60) = 2^63 + 4 B.
TEST(Emitter, BytesThatDoNotFitAreAnErrorThoughTheFlopsFit) {
  TrainingSetup setup = tiny_setup();
  setup.batch_size = std::int64_t{1} << 30U;
  setup.sequence_length = std::int64_t{1} << 30U;
  const auto operations =
      list_operations(model_of(DenseBlock{.input_size = 1, .output_size = 1}), setup);
  ASSERT_FALSE(operations.has_value());
  EXPECT_EQ(operations.error().kind, ErrorKind::overflow);
  EXPECT_THAT(operations.error().message, HasSubstr("dense"));
  EXPECT_EQ(operations.error().where.path, "body");
}

// In FP8 the forward bytes, 2^30 + n + 2 * 2^30 n for n = 2^32 - 1, exceed 2^63 where those of the
// input gradient, 2^30 n + n + 2 * 2^30, do not: the gradient has no forward operation to follow.
TEST(Emitter, AnOverflowOfTheForwardPassAloneIsAnError) {
  TrainingSetup setup = with(Precision::fp8);
  setup.batch_size = std::int64_t{1} << 30U;
  setup.sequence_length = 1;
  const DenseBlock wide{.input_size = 1, .output_size = (std::int64_t{1} << 32U) - 1};
  const auto operations = list_operations(model_of(wide), setup);
  ASSERT_FALSE(operations.has_value());
  EXPECT_EQ(operations.error().kind, ErrorKind::overflow);
}

// 2^40 is the largest size that readers let through; with batch and length as large, no block fits.
TEST(Emitter, TheLargestSizesOverflowInEveryBlock) {
  constexpr std::int64_t most = std::int64_t{1} << 40U;
  TrainingSetup setup = tiny_setup();
  setup.batch_size = most;
  setup.sequence_length = most;
  const std::vector<BlockShape> shapes = {
      EmbeddingBlock{.vocab_size = most, .hidden_size = most},
      TransformerBlock{.num_hidden_layers = most,
                       .hidden_size = most,
                       .attention = {.num_attention_heads = most},
                       .feed_forward = {.intermediate_size = most}},
      RecurrentBlock{.num_layers = most, .input_size = most, .hidden_size = most},
      DenseBlock{.input_size = most, .output_size = most},
      LanguageModelHeadBlock{.hidden_size = most, .vocab_size = most}};
  for (const BlockShape& shape : shapes) {
    const auto operations = list_operations(model_of(shape), setup);
    ASSERT_FALSE(operations.has_value()) << shape.index();
    EXPECT_EQ(operations.error().kind, ErrorKind::overflow) << shape.index();
  }
}

}  // namespace
}  // namespace joulecast

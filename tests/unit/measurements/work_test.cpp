// SPDX-License-Identifier: Apache-2.0
#include "measured.hpp"

namespace joulecast {
namespace {

MeasuredWork work_of(std::string operation, MeasuredShape shape, MeasuredPrecision precision) {
  Measurement row;
  row.operation = std::move(operation);
  row.shape = std::move(shape);
  row.precision = precision;
  return least_work(row);
}

TEST(LeastWork, OfAMatrixProductReadsTwoMatricesAndWritesOne) {
  const MatmulShape shape{.batch = 2, .m = 3, .n = 5, .k = 7};
  // 2 * (2 * 3 * 5 * 7) FLOPs; 2 * (21 + 35 + 15) numbers.
  const MeasuredWork single = work_of("batched_matmul", shape, MeasuredPrecision::fp32);
  EXPECT_EQ(single.flops.value(), 420.0);
  EXPECT_EQ(single.bytes.value(), 4.0 * 142.0);
  EXPECT_EQ(work_of("linear", shape, MeasuredPrecision::bf16).bytes.value(), 2.0 * 142.0);
  // One byte per operand, two per result: 2 * (56 + 2 * 15).
  EXPECT_EQ(work_of("linear", shape, MeasuredPrecision::fp8_block).bytes.value(), 172.0);
  // Half a byte per operand: 2 * (28 + 30).
  EXPECT_EQ(work_of("linear", shape, MeasuredPrecision::nvfp4).bytes.value(), 116.0);
}

TEST(LeastWork, OfElementsFollowsTheirOperation) {
  const ElementShape shape{.elements = 100, .width = 10};
  // x + y: one FLOP, three numbers of four bytes.
  EXPECT_EQ(work_of("add", shape, MeasuredPrecision::fp32).flops.value(), 100.0);
  EXPECT_EQ(work_of("add", shape, MeasuredPrecision::fp32).bytes.value(), 1200.0);
  // f c + i g: three FLOPs, four reads and a write.
  EXPECT_EQ(work_of("lstm_cell_update", shape, MeasuredPrecision::fp32).flops.value(), 300.0);
  EXPECT_EQ(work_of("lstm_cell_update", shape, MeasuredPrecision::fp32).bytes.value(), 2000.0);
  // The scale of FP8 activations is taken from 16-bit numbers that are only read.
  EXPECT_EQ(work_of("compute_scale", shape, MeasuredPrecision::fp8).bytes.value(), 200.0);
}

// Query i of the last s of l positions sees min(l - s + i, w) keys: counted one by one.
double count_pairs(const AttentionShape& shape) {
  double pairs = 0.0;
  for (std::int64_t i = 1; i <= shape.sequence; ++i) {
    std::int64_t seen = shape.causal ? shape.kv_sequence - shape.sequence + i : shape.kv_sequence;
    if (shape.window > 0) seen = std::min(seen, shape.window);
    pairs += static_cast<double>(seen);
  }
  return pairs;
}

TEST(LeastWork, OfAttentionCountsThePairsThatAreSeen) {
  for (const bool causal : {false, true}) {
    for (const std::int64_t keys : {5, 6, 17}) {
      for (const std::int64_t window : {0, 1, 3, 5, 6, 14, 17, 40}) {
        const AttentionShape shape{.batch = 2,
                                   .sequence = 5,
                                   .kv_sequence = keys,
                                   .heads = 6,
                                   .kv_heads = 3,
                                   .head_size = 8,
                                   .causal = causal,
                                   .window = window,
                                   .kv_precision = MeasuredPrecision::fp8};
        const MeasuredWork work = work_of("attention", shape, MeasuredPrecision::bf16);
        // Scores and values: 2 FLOPs per head size each, for 2 * 6 heads.
        EXPECT_EQ(work.flops.value(), 4.0 * 8.0 * 12.0 * count_pairs(shape))
            << keys << " keys, window " << window;
        // Queries and results, 2 bytes, 2 * 5 * 48 numbers each; keys and values of one byte,
        // 2 * keys * 24 numbers each.
        EXPECT_EQ(work.bytes.value(), 4.0 * 480.0 + 96.0 * static_cast<double>(keys));
      }
    }
  }
}

TEST(LeastWork, OfExpertsIsTheShareOfOneDevice) {
  const MoeShape shape{.tokens = 10,
                       .hidden_size = 16,
                       .intermediate_size = 32,
                       .top_k = 4,
                       .num_experts = 8,
                       .tensor_parallel_size = 2,
                       .expert_parallel_size = 2,
                       .distribution = "balanced"};
  const MeasuredWork work = work_of("moe", shape, MeasuredPrecision::bf16);
  // 10 tokens visit 4 experts, half of them here: 20 visits to two matrices of 16 x 16.
  EXPECT_EQ(work.flops.value(), 2.0 * 20.0 * 2.0 * 256.0);
  // Of the 4 experts here all may be read, each with two such matrices of two bytes.
  EXPECT_EQ(work.bytes.value(), 2.0 * 4.0 * 2.0 * 256.0);
}

TEST(LeastWork, OfAConvolutionCountsTheOutputsThatExist) {
  const ConvolutionShape shape{.batch = 2,
                               .in_channels = 4,
                               .out_channels = 6,
                               .height = 5,
                               .width = 7,
                               .kernel = 3,
                               .stride = 2,
                               .padding = 1,
                               .groups = 2};
  const MeasuredWork work = work_of("convolution", shape, MeasuredPrecision::fp32);
  // Rows (5 + 2 - 3) / 2 + 1 = 3, columns (7 + 2 - 3) / 2 + 1 = 4: 2 * 6 * 12 = 144 outputs of
  // 3 * 3 * 4 / 2 = 18 products.
  EXPECT_EQ(work.flops.value(), 2.0 * 144.0 * 18.0);
  // Input 2 * 4 * 35 = 280, weights 6 * 18 = 108, output 144.
  EXPECT_EQ(work.bytes.value(), 4.0 * (280.0 + 108.0 + 144.0));
}

TEST(LeastWork, OfAStepIsNotKnownFromItsRow) {
  EXPECT_EQ(work_of("step", StepShape{}, MeasuredPrecision::bf16).flops.value(), 0.0);
}

}  // namespace
}  // namespace joulecast

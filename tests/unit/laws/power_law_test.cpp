// SPDX-License-Identifier: Apache-2.0
#include <joulecast/power_law.hpp>

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace joulecast {
namespace {

// 200 W of 1000 W idle, 50 W on, 100 W occupancy, 1 pJ/FLOP, 100 pJ/B, limit held at 0.98.
const PowerLaw law{.power_limit_watts = 1000.0,
                   .idle_watts = 200.0,
                   .active_watts = 50.0,
                   .occupancy_watts = 100.0,
                   .joules_per_flop = 1e-12,
                   .joules_per_byte = 1e-10,
                   .limit_fraction = 0.98,
                   .sharpness = 2.0};

PowerQuestion question_of(double seconds, double flops, double bytes, double occupied) {
  return {.duration_seconds = seconds,
          .flops = flops,
          .bytes = bytes,
          .occupied_fraction = occupied,
          .power_limit_watts = 1000.0};
}

// 1e9 FLOPs and 1e7 B in 10 us: 1e-3 J / 1e-5 s = 100 W each. q = 200 + 50 + 100 / 2 + 100 + 100 =
// 500 W.
TEST(PowerLaw, DemandAddsUp) {
  EXPECT_NEAR(demanded_power(law, question_of(1e-5, 1e9, 1e7, 0.5)), 500.0, 1e-9);
}

// s = 2: P = (q^-2 + c^-2)^(-1/2) = q c / sqrt(q^2 + c^2). With q = 735 and c = 980, a 3-4-5
// triangle of 245 W: P = 735 * 980 / 1225 = 588 W. q = 350 + 385 by 3.85e9 FLOPs in 10 us.
TEST(PowerLaw, RoundsTheCornerAtTheLimit) {
  EXPECT_NEAR(evaluate_power(law, question_of(1e-5, 3.85e9, 0.0, 1.0)), 588.0, 1e-9);
}

// q = c = 980: P = c 2^(-1/s).
TEST(PowerLaw, AtTheCornerIsTheRootOfTwoBelow) {
  for (const double s : {2.0, 8.0, 40.0}) {
    PowerLaw sharper = law;
    sharper.sharpness = s;
    EXPECT_NEAR(evaluate_power(sharper, question_of(1e-5, 6.3e9, 0.0, 1.0)),
                980.0 * std::pow(2.0, -1.0 / s), 1e-9);
  }
}

// A board set to half its limit draws as much for little work, and holds the lower limit under
// load.
TEST(PowerLaw, TheLimitIsThatOfTheBoardAskedAbout) {
  PowerLaw sharp = law;
  sharp.sharpness = 40.0;
  PowerQuestion question = question_of(1e-5, 0.0, 0.0, 0.0);
  question.power_limit_watts = 500.0;
  EXPECT_NEAR(evaluate_power(sharp, question), 250.0, 1e-9);
  question.flops = 1e12;
  EXPECT_NEAR(evaluate_power(sharp, question), 490.0, 1e-9);
}

TEST(PowerLaw, StaysAboveZeroAndWithinTheLimit) {
  const double huge = std::numeric_limits<double>::max();
  for (const double sharpness : {2.0, 40.0}) {
    PowerLaw bent = law;
    bent.sharpness = sharpness;
    bent.limit_fraction = 1.0;
    for (const double flops : {0.0, 1.0, 1e9, 1e15, 1e25, huge}) {
      for (const double seconds : {1e-300, 1e-9, 1e-3, 1e3, 1e300}) {
        const double watts = evaluate_power(bent, question_of(seconds, flops, flops, 1.0));
        EXPECT_GT(watts, 0.0) << flops << " FLOPs in " << seconds << " s";
        EXPECT_LE(watts, 1000.0) << flops << " FLOPs in " << seconds << " s";
      }
    }
  }
}

TEST(PowerLaw, GrowsWithEveryRate) {
  double last_flops = 0.0;
  double last_bytes = 0.0;
  double last_occupied = 0.0;
  for (int i = 0; i <= 20; ++i) {
    const double share = i / 20.0;
    const double by_flops = evaluate_power(law, question_of(1e-3, share * 1e12, 1e8, 0.5));
    const double by_bytes = evaluate_power(law, question_of(1e-3, 1e11, share * 1e10, 0.5));
    const double by_occupied = evaluate_power(law, question_of(1e-3, 1e11, 1e8, share));
    EXPECT_GT(by_flops, last_flops);
    EXPECT_GT(by_bytes, last_bytes);
    EXPECT_GT(by_occupied, last_occupied);
    last_flops = by_flops;
    last_bytes = by_bytes;
    last_occupied = by_occupied;
  }
}

// dlnP/dlnt = -(1 - y) w with shares y, w in [0, 1], so the energy P t never falls with t, and
// power never rises.
TEST(PowerLaw, ASlowerRunOfTheSameWorkDrawsLessPowerAndMoreEnergy) {
  double watts = std::numeric_limits<double>::infinity();
  double joules = 0.0;
  for (double seconds = 1e-6; seconds < 1.0; seconds *= 1.3) {
    const double drawn = evaluate_power(law, question_of(seconds, 1e10, 1e8, 1.0));
    EXPECT_LE(drawn, watts);
    EXPECT_GT(drawn * seconds, joules);
    watts = drawn;
    joules = drawn * seconds;
  }
}

const DeviceFacts facts{.peak_flops_per_second = 1e15,
                        .bandwidth_bytes_per_second = 4e12,
                        .multiprocessors = 100.0,
                        .l2_bytes = 5e7,
                        .power_limit_watts = 700.0,
                        .architecture = "Hopper"};

PowerQuestion asked(std::string_view operation, const MeasuredShape& shape,
                    MeasuredPrecision precision = MeasuredPrecision::bf16) {
  const LawQuestion question{operation, shape, precision, 12.0, 34.0, facts};
  return power_question(question, 0.5);
}

// 2 * ceil(300/128) * ceil(1000/128) = 2 * 3 * 8 = 48 tiles on 100 multiprocessors. With M = 64 a
// tile has 64 rows, with 65 it has 128: one row of 8 tiles either way.
TEST(PowerQuestion, CountsTheTilesOfAMatrixProduct) {
  const PowerQuestion question =
      asked("linear", MatmulShape{.batch = 2, .m = 300, .n = 1000, .k = 7});
  EXPECT_DOUBLE_EQ(question.occupied_fraction, 0.48);
  EXPECT_EQ(question.flops, 12.0);
  EXPECT_EQ(question.bytes, 34.0);
  EXPECT_EQ(question.duration_seconds, 0.5);
  EXPECT_EQ(question.power_limit_watts, 700.0);
  for (const std::int64_t m : {1, 64, 65, 128}) {
    const MatmulShape shape{.batch = 1, .m = m, .n = 1000, .k = 7};
    EXPECT_DOUBLE_EQ(asked("linear", shape).occupied_fraction, 0.08) << m;
  }
}

// 3 heads of 2 sequences of ceil(1000/128) = 8 tiles: 48.
TEST(PowerQuestion, CountsTheTilesOfAttention) {
  const AttentionShape shape{.batch = 2,
                             .sequence = 1000,
                             .kv_sequence = 1000,
                             .heads = 3,
                             .kv_heads = 1,
                             .head_size = 64};
  EXPECT_DOUBLE_EQ(asked("attention", shape).occupied_fraction, 0.48);
}

// 10241 elements in blocks of 1024: 11.
TEST(PowerQuestion, CountsTheBlocksOfElements) {
  EXPECT_DOUBLE_EQ(asked("add", ElementShape{.elements = 10241}).occupied_fraction, 0.11);
}

// 8 x 8 outputs of 5 images are 320 positions: 3 tiles; 256 channels in 2 groups of 128: 1 tile
// each.
TEST(PowerQuestion, CountsTheTilesOfAConvolution) {
  const ConvolutionShape shape{.batch = 5,
                               .in_channels = 64,
                               .out_channels = 256,
                               .height = 16,
                               .width = 16,
                               .kernel = 3,
                               .stride = 2,
                               .padding = 1,
                               .groups = 2};
  EXPECT_DOUBLE_EQ(asked("convolution", shape).occupied_fraction, 0.06);
}

// 10 tokens visit 2 of 32 experts each, half of which are here: 10 visits, one for each of 10
// experts. Gated experts of 256 x (512/2): 3 * 256 * 256 = 196608 numbers. FLOPs: 2 * 10 * 196608 =
// 3932160. Bytes in FP8: 10 * 196608 for weights, and 2 B * 20 rows * (2 * 256 + 3 * 256) = 51200.
// Tiles: 10 experts of one row and ceil(256/128) = 2 columns: 20.
TEST(PowerQuestion, ReadsTheExpertsThatAreVisited) {
  const MoeShape shape{.tokens = 10,
                       .hidden_size = 256,
                       .intermediate_size = 512,
                       .top_k = 2,
                       .num_experts = 32,
                       .tensor_parallel_size = 2,
                       .expert_parallel_size = 2};
  const PowerQuestion question = asked("moe", shape, MeasuredPrecision::fp8);
  EXPECT_DOUBLE_EQ(question.flops, 3932160.0);
  EXPECT_DOUBLE_EQ(question.bytes, 1966080.0 + 51200.0);
  EXPECT_DOUBLE_EQ(question.occupied_fraction, 0.2);
}

TEST(PowerQuestion, MoreTilesThanMultiprocessorsFillTheDevice) {
  EXPECT_EQ(
      asked("linear", MatmulShape{.batch = 1, .m = 4096, .n = 4096, .k = 64}).occupied_fraction,
      1.0);
  EXPECT_EQ(asked("add", ElementShape{.elements = 1'000'000'000}).occupied_fraction, 1.0);
  EXPECT_EQ(asked("step", StepShape{}).occupied_fraction, 1.0);
}

}  // namespace
}  // namespace joulecast

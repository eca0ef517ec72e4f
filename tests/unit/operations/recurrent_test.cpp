// SPDX-License-Identifier: Apache-2.0
#include "tiny_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::ElementsAre;
using enum RecurrentBlock::Cell;

// B = 3, T = 7, I = 5, H = 11 in FP32. B H = 33 cells.
//
// LSTM, G = 4 gates, G H = 44. All steps' inputs in one product [21, 5] x [5, 44]:
// 2 * 21 * 44 * 5 = 9240; 4 (105 + 220 + 924) = 4996. The hidden state step by step,
// [3, 11] x [11, 44]: 2 * 3 * 44 * 11 = 2904; 4 (33 + 484 + 132) = 2596; its weight gradient once,
// [11, 21] x [21, 44]: 2 * 11 * 44 * 21 = 20328 = 7 * 2904; 4 (231 + 924 + 484) = 6556.
// Gates: 132 values, one function each; two sums read, one written: 132 * 12 = 1584; backward
// 3 * 132 = 396. Cell f c + i g: 3 * 33 = 99; f, c, i, g read, c written: 33 * 20 = 660; backward
// 5 * 33 = 165; dc, f, c, i, g read, df, dc, di, dg written: 33 * 36 = 1188. Hidden o tanh(c): 66;
// 33 * 12 = 396; backward 165; dh, o, c read, do, dc written: 33 * 20 = 660.
TEST(RecurrentOperations, LstmLayer) {
  EXPECT_THAT(block_rows(model_of(tiny_recurrent(lstm)), tiny_setup()),
              ElementsAre("input_gates forward: 9240 FLOP, 4996 B, 1 times",
                          "hidden_gates forward: 2904 FLOP, 2596 B, 7 times",
                          "gate_activations forward: 132 FLOP, 1584 B, 7 times",
                          "cell_update forward: 99 FLOP, 660 B, 7 times",
                          "hidden_update forward: 66 FLOP, 396 B, 7 times",
                          "hidden_update backward_input: 165 FLOP, 660 B, 7 times",
                          "cell_update backward_input: 165 FLOP, 1188 B, 7 times",
                          "gate_activations backward_input: 396 FLOP, 1584 B, 7 times",
                          "hidden_gates backward_input: 2904 FLOP, 2596 B, 7 times",
                          "hidden_gates backward_weight: 20328 FLOP, 6556 B, 1 times",
                          "input_gates backward_input: 9240 FLOP, 4996 B, 1 times",
                          "input_gates backward_weight: 9240 FLOP, 4996 B, 1 times"));
}

// Section 3 of the paper, forward: hidden gates 8 B H^2 T = 8 * 3 * 121 * 7 = 20328; input gates
// 8 B I H T = 8 * 3 * 5 * 11 * 7 = 9240; activations 4 B H T = 924; cell 3 B H T = 693; hidden
// 2 B H T = 462. Sum 31647.
TEST(RecurrentOperations, LstmForwardPassAddsUpToThePaperSFormulas) {
  const auto operations = operations_of(model_of(tiny_recurrent(lstm)), tiny_setup());
  EXPECT_EQ(total_flops(in_phase(operations, Phase::forward)), Flops{31647.0});
}

// GRU, G = 3, G H = 33. Inputs [21, 5] x [5, 33]: 6930; 4 (105 + 165 + 693) = 3852. Hidden
// [3, 11] x [11, 33]: 2178; 4 (33 + 363 + 99) = 1980; weight gradient 15246 = 7 * 2178,
// 4 (231 + 693 + 363) = 5148. Gates: 99 values: 99, 1188; backward 297. Candidate x + r (U h): 66;
// r, U h and x read, one written: 33 * 16 = 528; backward 66; d, r, U h read, two written: 660.
// Hidden n + z (h - n): 99; 528; backward 6 * 33 = 198; four read, three written: 33 * 28 = 924.
TEST(RecurrentOperations, GruLayer) {
  EXPECT_THAT(block_rows(model_of(tiny_recurrent(gru)), tiny_setup()),
              ElementsAre("input_gates forward: 6930 FLOP, 3852 B, 1 times",
                          "hidden_gates forward: 2178 FLOP, 1980 B, 7 times",
                          "gate_activations forward: 99 FLOP, 1188 B, 7 times",
                          "candidate_update forward: 66 FLOP, 528 B, 7 times",
                          "hidden_update forward: 99 FLOP, 528 B, 7 times",
                          "hidden_update backward_input: 198 FLOP, 924 B, 7 times",
                          "candidate_update backward_input: 66 FLOP, 660 B, 7 times",
                          "gate_activations backward_input: 297 FLOP, 1188 B, 7 times",
                          "hidden_gates backward_input: 2178 FLOP, 1980 B, 7 times",
                          "hidden_gates backward_weight: 15246 FLOP, 5148 B, 1 times",
                          "input_gates backward_input: 6930 FLOP, 3852 B, 1 times",
                          "input_gates backward_weight: 6930 FLOP, 3852 B, 1 times"));
}

// LSTM: all steps' inputs at once, the hidden state step by step, its weight gradient at once.
TEST(RecurrentOperations, EveryProductHasItsShape) {
  std::vector<MatmulShape> shapes;
  const auto operations = operations_of(model_of(tiny_recurrent(lstm)), tiny_setup());
  for (const Operation& operation : operations) {
    if (operation.kind != OperationKind::matmul) continue;
    shapes.push_back(std::get<MatmulShape>(operation.shape));
  }
  EXPECT_THAT(shapes, ElementsAre(MatmulShape{1, 21, 44, 5}, MatmulShape{1, 3, 44, 11},
                                  MatmulShape{1, 3, 11, 44}, MatmulShape{1, 11, 44, 21},
                                  MatmulShape{1, 21, 5, 44}, MatmulShape{1, 5, 44, 21}));
}

// Each direction has its own weights and runs over all 7 steps.
TEST(RecurrentOperations, TwoDirectionsRunEverythingTwice) {
  for (const auto cell : {lstm, gru}) {
    const auto one = operations_of(model_of(tiny_recurrent(cell)), tiny_setup());
    const auto two = operations_of(model_of(tiny_recurrent(cell, 1, true)), tiny_setup());
    ASSERT_EQ(one.size(), two.size());
    for (std::size_t i = 0; i + 1 < one.size(); ++i) {  // the last one is the optimizer
      EXPECT_EQ(two[i].flops, one[i].flops);
      EXPECT_EQ(two[i].count, 2 * one[i].count);
    }
  }
}

// Layers 2 and 3 read H = 11 instead of I = 5: [21, 11] x [11, 44]: 2 * 21 * 44 * 11 = 20328;
// 4 (231 + 484 + 924) = 6556; everything else is as in layer 1, for two layers: 14 times.
TEST(RecurrentOperations, LayersAboveTheFirstReadTheHiddenState) {
  const auto forward =
      in_phase(operations_of(model_of(tiny_recurrent(lstm, 3)), tiny_setup()), Phase::forward);
  EXPECT_THAT(rows_of(forward), ElementsAre("input_gates forward: 9240 FLOP, 4996 B, 1 times",
                                            "hidden_gates forward: 2904 FLOP, 2596 B, 7 times",
                                            "gate_activations forward: 132 FLOP, 1584 B, 7 times",
                                            "cell_update forward: 99 FLOP, 660 B, 7 times",
                                            "hidden_update forward: 66 FLOP, 396 B, 7 times",
                                            "input_gates forward: 20328 FLOP, 6556 B, 2 times",
                                            "hidden_gates forward: 2904 FLOP, 2596 B, 14 times",
                                            "gate_activations forward: 132 FLOP, 1584 B, 14 times",
                                            "cell_update forward: 99 FLOP, 660 B, 14 times",
                                            "hidden_update forward: 66 FLOP, 396 B, 14 times"));
}

// With two directions they read both, 2 H = 22: 2 * 21 * 44 * 22 = 40656;
// 4 (462 + 968 + 924) = 9416; two layers of two directions: 4 times.
TEST(RecurrentOperations, StackedBidirectionalLayersReadBothDirections) {
  const auto gates =
      named(in_phase(operations_of(model_of(tiny_recurrent(lstm, 3, true)), tiny_setup()),
                     Phase::forward),
            "input_gates");
  EXPECT_THAT(rows_of(gates), ElementsAre("input_gates forward: 9240 FLOP, 4996 B, 2 times",
                                          "input_gates forward: 40656 FLOP, 9416 B, 4 times"));
}

}  // namespace
}  // namespace joulecast

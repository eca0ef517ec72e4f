// SPDX-License-Identifier: Apache-2.0
#include "tiny_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

// Every count below is for B = 3, S = 7, D = 10, h = 2, d = 5, F = 11 and 13 layers in FP32, four
// bytes a value. B S = 21 rows, B h = 6 score matrices of S S = 49, so 294 scores; B S D = 210
// values of the width, B S F = 231 of the feed-forward width. A product of m x k by k x n takes
// 2 m n k FLOPs and moves m k + k n + m n values, whichever two of the three are the operands.
TransformerBlock with_everything() {
  TransformerBlock block = tiny_transformer();
  block.attention.dropout = true;
  block.hidden_dropout = true;
  block.final_norm = true;
  return block;
}

// QKV: [21, 10] x [10, 30]: 2 * 21 * 30 * 10 = 12600; 4 (210 + 300 + 630) = 4560.
// Scores: 6 of [7, 5] x [5, 7]: 2 * 6 * 7 * 7 * 5 = 2940; 4 * 6 (35 + 35 + 49) = 2856.
// Scale: 294; read and write 294: 8 * 294 = 2352. Softmax: 5 * 294 = 1470. Dropout: 2 * 294 = 588.
// Values: 6 of [7, 7] x [7, 5]: 2 * 6 * 7 * 5 * 7 = 2940; 4 * 6 (49 + 35 + 35) = 2856.
// Output: [21, 10] x [10, 10]: 2 * 21 * 10 * 10 = 4200; 4 (210 + 100 + 210) = 2080.
// Dropout: 2 * 210; 8 * 210 = 1680. Residual: 210; two read, one written: 12 * 210 = 2520.
// Norm: 8 * 210 = 1680; 8 * 210 = 1680.
// Up: [21, 10] x [10, 11]: 2 * 21 * 11 * 10 = 4620; 4 (210 + 110 + 231) = 2204.
// GELU: 5 * 231 = 1155; 8 * 231 = 1848.
// Down: [21, 11] x [11, 10]: 2 * 21 * 10 * 11 = 4620; 4 (231 + 110 + 210) = 2204.
TEST(TransformerOperations, ForwardPassInTheOrderDataFlows) {
  const auto operations = operations_of(model_of(with_everything()), tiny_setup());
  EXPECT_THAT(rows_of(in_phase(operations, Phase::forward)),
              ElementsAre("qkv_projection forward: 12600 FLOP, 4560 B, 13 times",
                          "attention_scores forward: 2940 FLOP, 2856 B, 13 times",
                          "attention_scale forward: 294 FLOP, 2352 B, 13 times",
                          "attention_softmax forward: 1470 FLOP, 2352 B, 13 times",
                          "attention_dropout forward: 588 FLOP, 2352 B, 13 times",
                          "attention_values forward: 2940 FLOP, 2856 B, 13 times",
                          "attention_output_projection forward: 4200 FLOP, 2080 B, 13 times",
                          "attention_hidden_dropout forward: 420 FLOP, 1680 B, 13 times",
                          "attention_residual forward: 210 FLOP, 2520 B, 13 times",
                          "attention_norm forward: 1680 FLOP, 1680 B, 13 times",
                          "feed_forward_up forward: 4620 FLOP, 2204 B, 13 times",
                          "feed_forward_activation forward: 1155 FLOP, 1848 B, 13 times",
                          "feed_forward_down forward: 4620 FLOP, 2204 B, 13 times",
                          "feed_forward_dropout forward: 420 FLOP, 1680 B, 13 times",
                          "feed_forward_residual forward: 210 FLOP, 2520 B, 13 times",
                          "feed_forward_norm forward: 1680 FLOP, 1680 B, 13 times",
                          "final_norm forward: 1680 FLOP, 1680 B, 1 times"));
}

// Norm: 11 * 210 = 2310; x and dy read, dx written: 12 * 210 = 2520. Residual: 210, 2520. Dropout:
// 210, 1680. GELU: 11 * 231 = 2541; 12 * 231 = 2772. Softmax: 4 * 294 = 1176; 12 * 294 = 3528.
// Each product has two gradients of its own size.
TEST(TransformerOperations, BackwardPassInTheReverseOrder) {
  auto operations = operations_of(model_of(with_everything()), tiny_setup());
  std::erase_if(operations, [](const Operation& operation) {
    return operation.phase == Phase::forward || operation.phase == Phase::optimizer_step;
  });
  const std::vector<std::string> expected = {
      "final_norm backward_input: 2310 FLOP, 2520 B, 1 times",
      "feed_forward_norm backward_input: 2310 FLOP, 2520 B, 13 times",
      "feed_forward_residual backward_input: 210 FLOP, 2520 B, 13 times",
      "feed_forward_dropout backward_input: 210 FLOP, 1680 B, 13 times",
      "feed_forward_down backward_input: 4620 FLOP, 2204 B, 13 times",
      "feed_forward_down backward_weight: 4620 FLOP, 2204 B, 13 times",
      "feed_forward_activation backward_input: 2541 FLOP, 2772 B, 13 times",
      "feed_forward_up backward_input: 4620 FLOP, 2204 B, 13 times",
      "feed_forward_up backward_weight: 4620 FLOP, 2204 B, 13 times",
      "attention_norm backward_input: 2310 FLOP, 2520 B, 13 times",
      "attention_residual backward_input: 210 FLOP, 2520 B, 13 times",
      "attention_hidden_dropout backward_input: 210 FLOP, 1680 B, 13 times",
      "attention_output_projection backward_input: 4200 FLOP, 2080 B, 13 times",
      "attention_output_projection backward_weight: 4200 FLOP, 2080 B, 13 times",
      "attention_values backward_input: 2940 FLOP, 2856 B, 13 times",
      "attention_values backward_input: 2940 FLOP, 2856 B, 13 times",
      "attention_dropout backward_input: 294 FLOP, 2352 B, 13 times",
      "attention_softmax backward_input: 1176 FLOP, 3528 B, 13 times",
      "attention_scale backward_input: 294 FLOP, 2352 B, 13 times",
      "attention_scores backward_input: 2940 FLOP, 2856 B, 13 times",
      "attention_scores backward_input: 2940 FLOP, 2856 B, 13 times",
      "qkv_projection backward_input: 12600 FLOP, 4560 B, 13 times",
      "qkv_projection backward_weight: 12600 FLOP, 4560 B, 13 times"};
  EXPECT_THAT(rows_of(operations), ElementsAreArray(expected));
}

// FLOPs and, with operands and results of one width, bytes stay the same when n and k change
// places; laws see the shape, so each is stated: rows x outputs, of inputs.
TEST(TransformerOperations, EveryForwardProductHasItsShape) {
  TransformerBlock block = tiny_transformer();
  block.cross_attention = CrossAttention{.attention = block.attention};
  const MatmulShape scores{6, 7, 7, 5};
  const MatmulShape values{6, 7, 5, 7};
  const MatmulShape square{1, 21, 10, 10};
  const std::vector<std::pair<std::string, MatmulShape>> expected = {
      {"qkv_projection", {1, 21, 30, 10}},
      {"attention_scores", scores},
      {"attention_values", values},
      {"attention_output_projection", square},
      {"cross_query_projection", square},
      {"cross_key_value_projection", {1, 21, 20, 10}},
      {"cross_attention_scores", scores},
      {"cross_attention_values", values},
      {"cross_attention_output_projection", square},
      {"feed_forward_up", {1, 21, 11, 10}},
      {"feed_forward_down", {1, 21, 10, 11}}};
  std::vector<std::pair<std::string, MatmulShape>> listed;
  for (const Operation& operation :
       in_phase(operations_of(model_of(block), tiny_setup()), Phase::forward)) {
    if (operation.kind != OperationKind::matmul) continue;
    listed.emplace_back(operation.name, std::get<MatmulShape>(operation.shape));
  }
  EXPECT_EQ(listed, expected);
}

// The shapes of the gradients: dx (21 x 10) = dy (21 x 30) W^T; dW (10 x 30) = x^T (10 x 21) dy.
TEST(TransformerOperations, GradientsOfALinearLayerHaveTheirOwnShapes) {
  const auto qkv =
      named(operations_of(model_of(tiny_transformer()), tiny_setup()), "qkv_projection");
  ASSERT_EQ(qkv.size(), 3U);
  EXPECT_EQ(std::get<MatmulShape>(qkv[0].shape), (MatmulShape{1, 21, 30, 10}));
  EXPECT_EQ(std::get<MatmulShape>(qkv[1].shape), (MatmulShape{1, 21, 10, 30}));
  EXPECT_EQ(std::get<MatmulShape>(qkv[2].shape), (MatmulShape{1, 10, 30, 21}));
}

// scores = Q K^T: dQ (7 x 5) = dy (7 x 7) K, d(K^T) (5 x 7) = Q^T (5 x 7) dy.
TEST(TransformerOperations, AttentionProductsHaveTwoInputGradientsAndNoWeight) {
  const auto scores =
      named(operations_of(model_of(tiny_transformer()), tiny_setup()), "attention_scores");
  ASSERT_EQ(scores.size(), 3U);
  EXPECT_EQ(std::get<MatmulShape>(scores[0].shape), (MatmulShape{6, 7, 7, 5}));
  EXPECT_EQ(std::get<MatmulShape>(scores[1].shape), (MatmulShape{6, 7, 5, 7}));
  EXPECT_EQ(std::get<MatmulShape>(scores[2].shape), (MatmulShape{6, 5, 7, 7}));
  EXPECT_EQ(scores[1].phase, Phase::backward_input);
  EXPECT_EQ(scores[2].phase, Phase::backward_input);
}

TEST(TransformerOperations, WithoutDropoutAndFinalNormTheyAreNotListed) {
  const auto operations = operations_of(model_of(tiny_transformer()), tiny_setup());
  for (const auto* name :
       {"attention_dropout", "attention_hidden_dropout", "feed_forward_dropout", "final_norm"}) {
    EXPECT_TRUE(named(operations, name).empty()) << name;
  }
}

// Unfused attention computes all S S scores and masks half of them afterwards.
TEST(TransformerOperations, ADecoderLayerCostsWhatAnEncoderLayerCosts) {
  TransformerBlock decoder = tiny_transformer();
  decoder.attention.causal = true;
  EXPECT_EQ(block_rows(model_of(decoder), tiny_setup()),
            block_rows(model_of(tiny_transformer()), tiny_setup()));
}

// Queries from 21 decoder rows, keys and values from as many encoder rows:
// query [21, 10] x [10, 10]: 4200, 2080; key and value [21, 10] x [10, 20]: 2 * 21 * 20 * 10 =
// 8400, 4 (210 + 200 + 420) = 3320. The products and everything behind them are those of
// self-attention.
TEST(TransformerOperations, CrossAttentionAddsASublayer) {
  TransformerBlock block = with_everything();
  block.cross_attention = CrossAttention{.attention = block.attention};
  const auto operations = operations_of(model_of(block), tiny_setup());
  std::vector<std::string> added;
  for (const Operation& operation : in_phase(operations, Phase::forward)) {
    if (operation.name.starts_with("cross")) added.push_back(row_of(operation));
  }
  EXPECT_THAT(added,
              ElementsAre("cross_query_projection forward: 4200 FLOP, 2080 B, 13 times",
                          "cross_key_value_projection forward: 8400 FLOP, 3320 B, 13 times",
                          "cross_attention_scores forward: 2940 FLOP, 2856 B, 13 times",
                          "cross_attention_scale forward: 294 FLOP, 2352 B, 13 times",
                          "cross_attention_softmax forward: 1470 FLOP, 2352 B, 13 times",
                          "cross_attention_dropout forward: 588 FLOP, 2352 B, 13 times",
                          "cross_attention_values forward: 2940 FLOP, 2856 B, 13 times",
                          "cross_attention_output_projection forward: 4200 FLOP, 2080 B, 13 times",
                          "cross_attention_hidden_dropout forward: 420 FLOP, 1680 B, 13 times",
                          "cross_attention_residual forward: 210 FLOP, 2520 B, 13 times",
                          "cross_attention_norm forward: 1680 FLOP, 1680 B, 13 times"));
  // It stands between self-attention and feed-forward.
  const auto rows = rows_of(operations);
  EXPECT_EQ(rows[9], "attention_norm forward: 1680 FLOP, 1680 B, 13 times");
  EXPECT_EQ(rows[21], "feed_forward_up forward: 4620 FLOP, 2204 B, 13 times");
}

// Forward multiply-adds of cross-attention: 4200 + 8400 + 2940 + 2940 + 4200 = 22680, and twice
// that in its gradients.
TEST(TransformerOperations, CrossAttentionHasGradientsOfEveryProduct) {
  TransformerBlock block = tiny_transformer();
  block.cross_attention = CrossAttention{.attention = block.attention};
  std::int64_t forward = 0;
  std::int64_t backward = 0;
  for (const Operation& operation : operations_of(model_of(block), tiny_setup())) {
    const bool product = operation.kind == OperationKind::matmul;
    if (!operation.name.starts_with("cross") || !product) continue;
    (operation.phase == Phase::forward ? forward : backward) += operation.flops;
  }
  EXPECT_EQ(forward, 22680);
  EXPECT_EQ(backward, 2 * 22680);
}

// 231 values: ReLU 1 and 1; GELU 5 and 11; its tanh form 8 and 15; SiLU 4 and 9; tanh 1 and 3.
TEST(TransformerOperations, TheActivationDecidesItsCost) {
  const auto cost = [](Activation activation) {
    TransformerBlock block = tiny_transformer();
    block.feed_forward.activation = activation;
    const auto found =
        named(operations_of(model_of(block), tiny_setup()), "feed_forward_activation");
    return std::pair{found.at(0).flops, found.at(1).flops};
  };
  EXPECT_EQ(cost(Activation::relu), (std::pair<std::int64_t, std::int64_t>{231, 231}));
  EXPECT_EQ(cost(Activation::gelu), (std::pair<std::int64_t, std::int64_t>{1155, 2541}));
  EXPECT_EQ(cost(Activation::gelu_tanh), (std::pair<std::int64_t, std::int64_t>{1848, 3465}));
  EXPECT_EQ(cost(Activation::silu), (std::pair<std::int64_t, std::int64_t>{924, 2079}));
  EXPECT_EQ(cost(Activation::tanh), (std::pair<std::int64_t, std::int64_t>{231, 693}));
}

}  // namespace
}  // namespace joulecast

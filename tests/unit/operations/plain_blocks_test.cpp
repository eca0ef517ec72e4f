// SPDX-License-Identifier: Apache-2.0
#include "tiny_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::ElementsAre;

// B = 3, S = 7 in FP32: 21 rows. V = 17, D = 10: 210 values, 357 scores.

// Tokens alone: a row is read and written, nothing is added: 0 FLOPs, 210 * 8 = 1680 B. Backward:
// the gradient and the table's row are read, added and written: 210, 210 * 12 = 2520 B.
TEST(EmbeddingOperations, ALookupHasNoFlops) {
  EXPECT_THAT(
      block_rows(model_of(EmbeddingBlock{.vocab_size = 17, .hidden_size = 10}), tiny_setup()),
      ElementsAre("embedding forward: 0 FLOP, 1680 B, 1 times",
                  "embedding backward_input: 210 FLOP, 2520 B, 1 times"));
}

// Token, position and segment: three rows read, two sums, one written: 420, 210 * 16 = 3360 B.
// Backward: three sums, the gradient and three rows read, three written: 630, 210 * 28 = 5880 B.
// Norm: 8 * 210, 8 * 210 B; backward 11 * 210, 12 * 210 B. Dropout: 2 * 210, 8 * 210 B; 210, same.
TEST(EmbeddingOperations, EveryTableAddsASum) {
  const EmbeddingBlock block{.vocab_size = 17,
                             .hidden_size = 10,
                             .max_position_embeddings = 19,
                             .type_vocab_size = 2,
                             .layer_norm = true,
                             .dropout = true};
  EXPECT_THAT(block_rows(model_of(block), tiny_setup()),
              ElementsAre("embedding forward: 420 FLOP, 3360 B, 1 times",
                          "embedding_norm forward: 1680 FLOP, 1680 B, 1 times",
                          "embedding_dropout forward: 420 FLOP, 1680 B, 1 times",
                          "embedding_dropout backward_input: 210 FLOP, 1680 B, 1 times",
                          "embedding_norm backward_input: 2310 FLOP, 2520 B, 1 times",
                          "embedding backward_input: 630 FLOP, 5880 B, 1 times"));
}

// Two tables: one sum, two read, one written: 210, 210 * 12 = 2520 B.
TEST(EmbeddingOperations, PositionsAndSegmentsCountAlike) {
  EmbeddingBlock positions{.vocab_size = 17, .hidden_size = 10, .max_position_embeddings = 19};
  EmbeddingBlock segments{.vocab_size = 17, .hidden_size = 10, .type_vocab_size = 2};
  const auto rows = block_rows(model_of(positions), tiny_setup());
  EXPECT_EQ(rows.front(), "embedding forward: 210 FLOP, 2520 B, 1 times");
  EXPECT_EQ(rows, block_rows(model_of(segments), tiny_setup()));
}

// [21, 10] x [10, 13]: 2 * 21 * 13 * 10 = 5460; 4 (210 + 130 + 273) = 2452.
TEST(DenseOperations, EveryPositionIsARow) {
  EXPECT_THAT(block_rows(model_of(DenseBlock{.input_size = 10, .output_size = 13}), tiny_setup()),
              ElementsAre("dense forward: 5460 FLOP, 2452 B, 1 times",
                          "dense backward_input: 5460 FLOP, 2452 B, 1 times",
                          "dense backward_weight: 5460 FLOP, 2452 B, 1 times"));
}

TEST(DenseOperations, HaveRowsOutputsAndInputsInTheirPlaces) {
  const auto dense =
      operations_of(model_of(DenseBlock{.input_size = 10, .output_size = 13}), tiny_setup());
  EXPECT_EQ(std::get<MatmulShape>(dense.at(0).shape), (MatmulShape{1, 21, 13, 10}));
  const auto head = operations_of(
      model_of(LanguageModelHeadBlock{.hidden_size = 10, .vocab_size = 17}), tiny_setup());
  EXPECT_EQ(std::get<MatmulShape>(head.at(0).shape), (MatmulShape{1, 21, 17, 10}));
  EXPECT_EQ(std::get<ElementShape>(head.at(1).shape), (ElementShape{357, 17}));
}

// A pooler sees B = 3 rows: 2 * 3 * 13 * 10 = 780; 4 (30 + 130 + 39) = 796. tanh of 39 values:
// 39, 8 * 39 = 312; backward 3 * 39 = 117, 12 * 39 = 468.
TEST(DenseOperations, APoolerSeesTheFirstTokenAlone) {
  const DenseBlock pooler{.input_size = 10,
                          .output_size = 13,
                          .activation = Activation::tanh,
                          .first_token_only = true};
  const auto rows = block_rows(model_of(pooler), tiny_setup());
  EXPECT_THAT(rows, ElementsAre("dense forward: 780 FLOP, 796 B, 1 times",
                                "dense_activation forward: 39 FLOP, 312 B, 1 times",
                                "dense_activation backward_input: 117 FLOP, 468 B, 1 times",
                                "dense backward_input: 780 FLOP, 796 B, 1 times",
                                "dense backward_weight: 780 FLOP, 796 B, 1 times"));
  TrainingSetup longer = tiny_setup();
  longer.sequence_length = 70;
  EXPECT_EQ(block_rows(model_of(pooler), longer), rows);
}

// [21, 10] x [10, 17]: 2 * 21 * 17 * 10 = 7140; 4 (210 + 170 + 357) = 2948. Loss over 357 scores:
// log-softmax 5 * 357 = 1785, 8 * 357 = 2856 B; backward 2 * 357 = 714.
TEST(LanguageModelHeadOperations, ScoresEveryPositionOverTheVocabulary) {
  const LanguageModelHeadBlock head{.hidden_size = 10, .vocab_size = 17};
  EXPECT_THAT(block_rows(model_of(head), tiny_setup()),
              ElementsAre("language_model_head forward: 7140 FLOP, 2948 B, 1 times",
                          "cross_entropy forward: 1785 FLOP, 2856 B, 1 times",
                          "cross_entropy backward_input: 714 FLOP, 2856 B, 1 times",
                          "language_model_head backward_input: 7140 FLOP, 2948 B, 1 times",
                          "language_model_head backward_weight: 7140 FLOP, 2948 B, 1 times"));
}

// BERT's transform: [21, 10] x [10, 10]: 4200, 4 (210 + 100 + 210) = 2080; GELU 5 * 210 = 1050,
// 1680 B; norm 1680, 1680 B.
TEST(LanguageModelHeadOperations, BertTransformsFirst) {
  const LanguageModelHeadBlock head{.hidden_size = 10, .vocab_size = 17, .transform = true};
  const auto rows = block_rows(model_of(head), tiny_setup());
  ASSERT_EQ(rows.size(), 12U);
  EXPECT_EQ(rows[0], "head_transform forward: 4200 FLOP, 2080 B, 1 times");
  EXPECT_EQ(rows[1], "head_activation forward: 1050 FLOP, 1680 B, 1 times");
  EXPECT_EQ(rows[2], "head_norm forward: 1680 FLOP, 1680 B, 1 times");
  EXPECT_EQ(rows[10], "head_transform backward_input: 4200 FLOP, 2080 B, 1 times");
  EXPECT_EQ(rows[11], "head_transform backward_weight: 4200 FLOP, 2080 B, 1 times");
}

// A tied weight is still multiplied; only the optimizer has less to do: 17 * 10 parameters less,
// two FLOPs each by SGD.
TEST(LanguageModelHeadOperations, ATiedWeightSavesTheOptimizerAlone) {
  LanguageModelHeadBlock head{.hidden_size = 10, .vocab_size = 17, .transform = true};
  const Model open = model_of(head);
  head.tied_embedding = true;
  const Model tied = model_of(head);
  EXPECT_EQ(block_rows(open, tiny_setup()), block_rows(tied, tiny_setup()));
  const auto flops = [](const Model& model) {
    return operations_of(model, tiny_setup()).back().flops;
  };
  EXPECT_EQ(flops(open) - flops(tied), 2 * 170);
}

}  // namespace
}  // namespace joulecast

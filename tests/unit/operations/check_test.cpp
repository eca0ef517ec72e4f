// SPDX-License-Identifier: Apache-2.0
// Models made by hand can hold what no reader lets through.
#include "tiny_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

template <class Block>
struct Size {
  const char* name;
  std::int64_t Block::* member;
  bool zero_allowed = false;
};

// Every size of a block, set to 0 and to -1 in turn.
template <class Block>
void expect_refused(const Block& sound, const std::vector<Size<Block>>& sizes) {
  ASSERT_TRUE(list_operations(model_of(sound), tiny_setup()).has_value());
  for (const Size<Block>& size : sizes) {
    for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}}) {
      Block block = sound;
      block.*size.member = value;
      const auto operations = list_operations(model_of(block), tiny_setup());
      if (value == 0 && size.zero_allowed) {
        EXPECT_TRUE(operations.has_value()) << size.name;
        continue;
      }
      ASSERT_FALSE(operations.has_value()) << size.name << " " << value;
      EXPECT_EQ(operations.error().kind, ErrorKind::value);
      EXPECT_THAT(operations.error().message, HasSubstr(size.name));
      EXPECT_EQ(operations.error().where.path, "body");
    }
  }
}

TEST(CheckModel, RefusesSizesThatCannotBe) {
  expect_refused<TransformerBlock>(tiny_transformer(),
                                   {{"num_hidden_layers", &TransformerBlock::num_hidden_layers},
                                    {"hidden_size", &TransformerBlock::hidden_size}});
  expect_refused<RecurrentBlock>(tiny_recurrent(RecurrentBlock::Cell::gru),
                                 {{"num_layers", &RecurrentBlock::num_layers},
                                  {"input_size", &RecurrentBlock::input_size},
                                  {"hidden_size", &RecurrentBlock::hidden_size}});
  expect_refused<DenseBlock>(
      {.input_size = 2, .output_size = 3},
      {{"input_size", &DenseBlock::input_size}, {"output_size", &DenseBlock::output_size}});
  expect_refused<LanguageModelHeadBlock>({.hidden_size = 2, .vocab_size = 3},
                                         {{"hidden_size", &LanguageModelHeadBlock::hidden_size},
                                          {"vocab_size", &LanguageModelHeadBlock::vocab_size}});
  expect_refused<EmbeddingBlock>(
      {.vocab_size = 2, .hidden_size = 3, .max_position_embeddings = 5, .type_vocab_size = 7},
      {{"vocab_size", &EmbeddingBlock::vocab_size},
       {"hidden_size", &EmbeddingBlock::hidden_size},
       {"max_position_embeddings", &EmbeddingBlock::max_position_embeddings, true},
       {"type_vocab_size", &EmbeddingBlock::type_vocab_size, true}});
}

TEST(CheckModel, RefusesAModelWithoutBlocks) {
  TrainingSetup setup = tiny_setup();
  for (const Convention convention : {Convention::joulecast, Convention::ecai2025}) {
    setup.convention = convention;
    const auto operations = list_operations(Model{.name = "empty"}, setup);
    ASSERT_FALSE(operations.has_value());
    EXPECT_EQ(operations.error().kind, ErrorKind::value);
  }
}

// 3 heads do not divide 10. The paper's own tables cut them to floor(10 / 3) = 3 columns each.
TEST(CheckModel, HeadsMustDivideTheWidthExceptInThePaperSConvention) {
  TransformerBlock block = tiny_transformer();
  block.attention.num_attention_heads = 3;
  TrainingSetup setup = tiny_setup();
  const auto refused = list_operations(model_of(block), setup);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("3 heads do not divide hidden_size = 10"));
  setup.convention = Convention::ecai2025;
  EXPECT_TRUE(list_operations(model_of(block), setup).has_value());
  block.attention.num_attention_heads = 11;  // not one whole column each
  EXPECT_FALSE(list_operations(model_of(block), setup).has_value());
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include <joulecast/model.hpp>

#include <cstdint>
#include <filesystem>
#include <gtest/gtest.h>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace joulecast {
namespace {

std::int64_t count_of(const BlockShape& shape) {
  const Model model{.blocks = {{"block", shape}}};
  const auto count = count_all_parameters(model);
  EXPECT_TRUE(count.has_value()) << describe(count.error());
  return count.value_or(-1);
}

// The independent counter: every tensor that PyTorch creates, one by one, with its shape.
using Tensor = std::vector<std::int64_t>;

std::int64_t sum_of(const std::vector<Tensor>& tensors) {
  std::int64_t total = 0;
  for (const Tensor& tensor : tensors) {
    std::int64_t elements = 1;
    for (const std::int64_t extent : tensor) elements *= extent;
    total += elements;
  }
  return total;
}

void append(std::vector<Tensor>& tensors, const std::vector<Tensor>& more) {
  tensors.insert(tensors.end(), more.begin(), more.end());
}

// torch.nn.TransformerEncoderLayer and ...DecoderLayer: self_attn.in_proj_weight and in_proj_bias,
// self_attn.out_proj, the same of multihead_attn, linear1, linear2, norm1, norm2, norm3.
std::vector<Tensor> transformer_tensors(const TransformerBlock& block) {
  const std::int64_t d = block.hidden_size;
  const std::int64_t f = block.feed_forward.intermediate_size;
  std::vector<Tensor> tensors;
  for (std::int64_t layer = 0; layer < block.num_hidden_layers; ++layer) {
    append(tensors, {{3 * d, d}, {3 * d}, {d, d}, {d}});
    if (block.cross_attention) append(tensors, {{3 * d, d}, {3 * d}, {d, d}, {d}, {d}, {d}});
    append(tensors, {{f, d}, {f}, {d, f}, {d}, {d}, {d}, {d}, {d}});
  }
  if (block.final_norm) append(tensors, {{d}, {d}});
  return tensors;
}

// torch.nn.LSTM and torch.nn.GRU: weight_ih_l*, weight_hh_l*, bias_ih_l*, bias_hh_l*, and the same
// with the suffix _reverse.
std::vector<Tensor> recurrent_tensors(const RecurrentBlock& block) {
  const std::int64_t gates = block.cell == RecurrentBlock::Cell::lstm ? 4 : 3;
  const std::int64_t h = block.hidden_size;
  std::vector<Tensor> tensors;
  std::int64_t input = block.input_size;
  for (std::int64_t layer = 0; layer < block.num_layers; ++layer) {
    for (int direction = 0; direction < (block.bidirectional ? 2 : 1); ++direction) {
      append(tensors, {{gates * h, input}, {gates * h, h}, {gates * h}, {gates * h}});
    }
    input = block.bidirectional ? 2 * h : h;
  }
  return tensors;
}

// One encoder layer of BERT-base, D = 768 and F = 3072:
//   Q, K, V, output   4 (768 * 768 + 768)                  = 2,362,368
//   feed-forward      3072 * 768 + 3072 + 768 * 3072 + 768 = 4,722,432
//   two LayerNorms    2 * 2 * 768                          =     3,072
//                                                            7,087,872
TEST(Parameters, OfOneEncoderLayerFollowFromItsMatrices) {
  const TransformerBlock layer{.num_hidden_layers = 1,
                               .hidden_size = 768,
                               .attention = {.num_attention_heads = 12},
                               .feed_forward = {.intermediate_size = 3072}};
  EXPECT_EQ(count_of(layer), 2'362'368 + 4'722'432 + 3'072);
}

// Vaswani et al. 2017, base: D = 512, F = 2048, 6 + 6 layers, a shared vocabulary of 37000.
//   encoder layer  4 (512^2 + 512) + (2 * 512 * 2048 + 2048 + 512) + 4 * 512 = 3,152,384
//   decoder layer  8 (512^2 + 512) + (2 * 512 * 2048 + 2048 + 512) + 6 * 512 = 4,204,032
//   embedding      37000 * 512 = 18,944,000, shared with the scores
//   6 * 3,152,384 + 6 * 4,204,032 + 18,944,000 = 63,082,496; the paper prints 65 million.
TEST(Parameters, OfTheOriginalTransformerComeNearItsPrintedCount) {
  const TransformerBlock encoder{.num_hidden_layers = 6,
                                 .hidden_size = 512,
                                 .attention = {.num_attention_heads = 8},
                                 .feed_forward = {.intermediate_size = 2048}};
  TransformerBlock decoder = encoder;
  decoder.attention.causal = true;
  decoder.cross_attention = CrossAttention{.attention = decoder.attention};
  const Model model{
      .blocks = {{"embedding", EmbeddingBlock{.vocab_size = 37000, .hidden_size = 512}},
                 {"encoder", encoder},
                 {"decoder", decoder},
                 {"head", LanguageModelHeadBlock{
                              .hidden_size = 512, .vocab_size = 37000, .tied_embedding = true}}}};
  const auto counts = count_parameters(model).value();
  const std::vector<ParameterCount> expected{
      {"embedding", 18'944'000}, {"encoder", 18'914'304}, {"decoder", 25'224'192}, {"head", 0}};
  EXPECT_EQ(counts, expected);
  EXPECT_EQ(count_all_parameters(model).value(), 63'082'496);
}

TEST(Parameters, OfTransformersEqualTheSumOverPyTorchSTensors) {
  for (const std::int64_t layers : {1, 3}) {
    for (const std::int64_t width : {1, 6, 64}) {
      for (const std::int64_t feed_forward : {1, 10, 256}) {
        for (const bool cross : {false, true}) {
          for (const bool final_norm : {false, true}) {
            TransformerBlock block{.num_hidden_layers = layers,
                                   .hidden_size = width,
                                   .attention = {.num_attention_heads = 1},
                                   .feed_forward = {.intermediate_size = feed_forward},
                                   .final_norm = final_norm};
            if (cross) block.cross_attention = CrossAttention{.attention = block.attention};
            EXPECT_EQ(count_of(block), sum_of(transformer_tensors(block)))
                << layers << " " << width << " " << feed_forward << cross << final_norm;
          }
        }
      }
    }
  }
}

// A head's width is hidden / heads, so the projections are hidden x hidden whatever the number;
// causal masks, activations and dropout own no numbers.
TEST(Parameters, DoNotDependOnHeadsMasksActivationsOrDropout) {
  const TransformerBlock plain{.num_hidden_layers = 2,
                               .hidden_size = 24,
                               .attention = {.num_attention_heads = 1},
                               .feed_forward = {.intermediate_size = 96}};
  TransformerBlock other = plain;
  other.attention.num_attention_heads = 8;
  other.attention.causal = true;
  other.feed_forward.activation = Activation::relu;
  other.attention.dropout = true;
  other.hidden_dropout = true;
  EXPECT_EQ(count_of(plain), count_of(other));
}

// Two layers of 4 gates, input and hidden 650: each 4 (650 * 650 + 650 * 650 + 2 * 650)
// = 4 * 846,300 = 3,385,200.
TEST(Parameters, OfAnLstmCountTwoBiasesPerGate) {
  EXPECT_EQ(count_of(RecurrentBlock{.num_layers = 2, .input_size = 650, .hidden_size = 650}),
            2 * 3'385'200);
}

// Two directions of 3 gates, input 128, hidden 256:
//   layer 1   2 * 3 (256 * 128 + 256 * 256 + 2 * 256) = 6 *  98,816 =   592,896
//   layer 2   2 * 3 (256 * 512 + 256 * 256 + 2 * 256) = 6 * 197,120 = 1,182,720
TEST(Parameters, OfABidirectionalGruReadBothDirectionsInTheSecondLayer) {
  EXPECT_EQ(count_of(RecurrentBlock{.cell = RecurrentBlock::Cell::gru,
                                    .num_layers = 2,
                                    .input_size = 128,
                                    .hidden_size = 256,
                                    .bidirectional = true}),
            592'896 + 1'182'720);
}

TEST(Parameters, OfRecurrentLayersEqualTheSumOverPyTorchSTensors) {
  for (const auto cell : {RecurrentBlock::Cell::lstm, RecurrentBlock::Cell::gru}) {
    for (const std::int64_t layers : {1, 2, 5}) {
      for (const std::int64_t input : {1, 7, 40}) {
        for (const std::int64_t hidden : {1, 9, 32}) {
          for (const bool both : {false, true}) {
            const RecurrentBlock block{cell, layers, input, hidden, both};
            EXPECT_EQ(count_of(block), sum_of(recurrent_tensors(block)));
          }
        }
      }
    }
  }
}

// Three tables of width 4 with 10, 5 and 2 rows, then a gain and a shift of 4.
TEST(Parameters, OfAnEmbeddingAddPositionsSegmentsAndNormalisation) {
  EmbeddingBlock embedding{.vocab_size = 10, .hidden_size = 4};
  EXPECT_EQ(count_of(embedding), 40);
  embedding.max_position_embeddings = 5;
  EXPECT_EQ(count_of(embedding), 60);
  embedding.type_vocab_size = 2;
  EXPECT_EQ(count_of(embedding), 68);
  embedding.layer_norm = true;
  EXPECT_EQ(count_of(embedding), 76);
  embedding.dropout = true;
  EXPECT_EQ(count_of(embedding), 76);
}

// 3 x 7 weights and 7 biases.
TEST(Parameters, OfADenseLayerAreAMatrixAndABias) {
  EXPECT_EQ(count_of(DenseBlock{.input_size = 3, .output_size = 7}), 28);
  EXPECT_EQ(count_of(DenseBlock{.input_size = 3,
                                .output_size = 7,
                                .activation = Activation::tanh,
                                .first_token_only = true}),
            28);
}

// D = 4, V = 10: scores 40, bias 10, transform 4 * 4 + 4 and a LayerNorm of 8.
TEST(Parameters, OfALanguageModelHeadDependOnWhatItSharesAndAdds) {
  LanguageModelHeadBlock head{.hidden_size = 4, .vocab_size = 10};
  EXPECT_EQ(count_of(head), 40);
  head.bias = true;
  EXPECT_EQ(count_of(head), 50);
  head.transform = true;
  EXPECT_EQ(count_of(head), 78);
  head.tied_embedding = true;
  EXPECT_EQ(count_of(head), 38);
}

TEST(Parameters, OfAModelWithoutBlocksAreNone) {
  EXPECT_TRUE(count_parameters({}).value().empty());
  EXPECT_EQ(count_all_parameters({}).value(), 0);
}

// n k + n of a dense block with k = 2^31 - 1 and n = 2^32 is 2^32 2^31 = 2^63, one too many for
// 64 bits with a sign; with n = 2^32 - 1 it is 2^63 - 2^31, which fits.
TEST(Parameters, ReportTheFirstCountThatExceeds64Bits) {
  const std::int64_t inputs = (std::int64_t{1} << 31U) - 1;
  const std::int64_t outputs = std::int64_t{1} << 32U;
  EXPECT_EQ(count_of(DenseBlock{.input_size = inputs, .output_size = outputs - 1}),
            std::numeric_limits<std::int64_t>::max() - (std::int64_t{1} << 31U) + 1);
  Model model{.blocks = {{"small", DenseBlock{.input_size = 1, .output_size = 1}},
                         {"huge", DenseBlock{.input_size = inputs, .output_size = outputs}}}};
  model.file = "m.toml";
  const auto counts = count_parameters(model);
  ASSERT_FALSE(counts.has_value());
  EXPECT_EQ(counts.error().kind, ErrorKind::overflow);
  EXPECT_EQ(counts.error().where, (Location{.file = "m.toml", .path = "huge"}));
  EXPECT_EQ(count_all_parameters(model).error(), counts.error());
}

// Each half is 2^31 (2^31 - 1) + 2^31 = 2^62; together they are 2^63.
TEST(Parameters, ReportASumThatExceeds64BitsThoughItsPartsFit) {
  const DenseBlock half{.input_size = (std::int64_t{1} << 31U) - 1,
                        .output_size = std::int64_t{1} << 31U};
  Model model{.blocks = {{"one", half}, {"two", half}}};
  model.file = "m.toml";
  EXPECT_TRUE(count_parameters(model).has_value());
  const auto total = count_all_parameters(model);
  ASSERT_FALSE(total.has_value());
  EXPECT_EQ(total.error().kind, ErrorKind::overflow);
  EXPECT_EQ(total.error().where.file, "m.toml");
}

std::int64_t tensors_of(const Model& model) {
  std::int64_t count = 0;
  const auto tensors = list_trainable_tensors(model).value();
  for (const ParameterShape& shape : tensors) count += shape.copies;
  return count;
}

std::filesystem::path in_tree(const std::string& path) {
  return std::filesystem::path(JOULECAST_SOURCE_DIR) / path;
}

TEST(Parameters, TensorsAddUpToTheTrainableOnes) {
  for (const auto& entry : std::filesystem::directory_iterator(in_tree("examples"))) {
    if (!entry.is_directory()) continue;
    const Model model = read_model(entry.path()).value();
    Count sum = 0;
    const auto tensors = list_trainable_tensors(model).value();
    for (const ParameterShape& shape : tensors) {
      sum += shape.copies * numbers_in(shape);
    }
    EXPECT_EQ(sum.value(), count_trainable_parameters(model).value()) << entry.path();
  }
}

// GPT-2, 12 layers: two normalisations, one projection of queries, keys and values, its output, two
// of the feed-forward network, each with weight and bias, 12 a layer; two tables, and the last
// normalisation's 2: 148. Mixtral, 4 layers: two gains, four projections, router, two tensors of
// experts, 9 a layer; table, last gain and head: 39.
TEST(Parameters, AreAsManyTensorsAsPyTorchMakes) {
  EXPECT_EQ(tensors_of(read_model(in_tree("campaign/models/gpt2-base")).value()), 148);
  EXPECT_EQ(tensors_of(read_model(in_tree("campaign/models/mixtral-100m")).value()), 39);
}

TEST(ModelNames, AreDistinctWords) {
  std::set<std::string_view> names;
  for (const auto activation : {Activation::relu, Activation::gelu, Activation::gelu_tanh,
                                Activation::silu, Activation::tanh}) {
    names.insert(to_string(activation));
  }
  for (const auto head :
       {Head::from_config, Head::none, Head::pooler, Head::masked_lm, Head::causal_lm}) {
    names.insert(to_string(head));
  }
  EXPECT_EQ(names.size(), 10U);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(to_string(Head::masked_lm), "masked_lm");
  EXPECT_EQ(to_string(Activation::gelu_tanh), "gelu_tanh");
}

}  // namespace
}  // namespace joulecast

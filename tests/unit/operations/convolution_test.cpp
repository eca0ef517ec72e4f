// SPDX-License-Identifier: Apache-2.0
// Convolutions, windows and grouped heads against loops that multiply and add one by one.
#include "tiny_models.hpp"

#include <gtest/gtest.h>

namespace joulecast {
namespace {

Model placed(BlockShape shape, const Positions& positions) {
  return {.name = "tiny", .blocks = {{"body", std::move(shape), positions}}};
}

// Every tap of every output, those on the padding too, as a kernel without bounds checks does.
std::int64_t convolution_loops(std::int64_t batch, const ConvolutionLayer& layer,
                               std::int64_t height, std::int64_t width) {
  std::int64_t flops = 0;
  const std::int64_t across = layer.one_dimensional ? 1 : layer.kernel_size;
  const std::int64_t pad = layer.one_dimensional ? 0 : layer.padding;
  for (std::int64_t sample = 0; sample < batch; ++sample) {
    for (std::int64_t out = 0; out < layer.out_channels; ++out) {
      for (std::int64_t y = -layer.padding; y + layer.kernel_size <= height + layer.padding;
           y += layer.stride) {
        for (std::int64_t x = -pad; x + across <= width + pad; x += layer.stride) {
          for (std::int64_t in = 0; in < layer.in_channels / layer.groups; ++in) {
            for (std::int64_t tap = 0; tap < layer.kernel_size * across; ++tap) flops += 2;
          }
        }
      }
    }
  }
  return flops;
}

TEST(ConvolutionOperations, CountWhatLoopsCountInEveryPhase) {
  int cases = 0;
  for (const std::int64_t kernel : {1, 2, 3, 5}) {
    for (const std::int64_t stride : {1, 2, 3}) {
      for (const std::int64_t padding : {0, 1, 2}) {
        for (const std::int64_t groups : {1, 2}) {
          for (const bool one_dimensional : {false, true}) {
            const ConvolutionLayer layer{.in_channels = 4,
                                         .out_channels = 6,
                                         .kernel_size = kernel,
                                         .stride = stride,
                                         .padding = padding,
                                         .groups = groups,
                                         .one_dimensional = one_dimensional};
            const std::int64_t width = one_dimensional ? 1 : 7;
            const Model model =
                placed(ConvolutionBlock{.layers = {layer}}, fixed_positions(8, width));
            const auto found = named(operations_of(model, tiny_setup()), "convolution");
            ASSERT_EQ(found.size(), 3U);
            const std::int64_t expected = convolution_loops(3, layer, 8, width);
            for (const Operation& operation : found) EXPECT_EQ(operation.flops, expected);
            ++cases;
          }
        }
      }
    }
  }
  EXPECT_EQ(cases, 144);
}

// Input 3 * 4 * 8 * 7 = 672, filters 6 * 4 * 3 * 3 = 216, output 3 * 6 * 6 * 5 = 540: 4 B each.
TEST(ConvolutionOperations, MoveInputFiltersAndOutputOnce) {
  const ConvolutionLayer layer{.in_channels = 4, .out_channels = 6, .kernel_size = 3};
  const Model model = placed(ConvolutionBlock{.layers = {layer}}, fixed_positions(8, 7));
  for (const Operation& operation : named(operations_of(model, tiny_setup()), "convolution")) {
    EXPECT_EQ(operation.bytes_moved, 4 * (672 + 216 + 540));
  }
}

TEST(ConvolutionOperations, DataNeedNoGradient) {
  const ConvolutionLayer layer{.in_channels = 4, .out_channels = 4, .kernel_size = 3};
  const ConvolutionBlock block{.layers = {layer, layer}, .reads_data = true};
  const auto operations = operations_of(placed(block, fixed_positions(8, 8)), tiny_setup());
  EXPECT_EQ(named(operations, "convolution_1").size(), 2U);
  EXPECT_EQ(named(operations, "convolution_2").size(), 3U);
}

TEST(ConvolutionOperations, AKernelLargerThanItsInputIsRefused) {
  const ConvolutionLayer layer{.in_channels = 4, .out_channels = 4, .kernel_size = 9};
  const auto operations = list_operations(
      placed(ConvolutionBlock{.layers = {layer}}, fixed_positions(8, 8)), tiny_setup());
  ASSERT_FALSE(operations.has_value());
  EXPECT_EQ(operations.error().kind, ErrorKind::value);
  EXPECT_EQ(operations.error().where.path, "body");
}

// Scores and values of one layer: for every sample, query head, query and key that it may be
// multiplied with, a product and a sum per value of the head.
std::int64_t attention_loops(std::int64_t batch, std::int64_t heads, std::int64_t queries,
                             std::int64_t keys, std::int64_t head_dim, std::int64_t window) {
  std::int64_t flops = 0;
  for (std::int64_t set = 0; set < batch * heads; ++set) {
    for (std::int64_t query = 0; query < queries; ++query) {
      for (std::int64_t key = 0; key < keys; ++key) {
        if (query / window != key / window) continue;
        for (std::int64_t value = 0; value < head_dim; ++value) flops += 2 * 2;
      }
    }
  }
  return flops;
}

std::int64_t attention_flops(const TransformerBlock& block, const Positions& positions) {
  std::int64_t flops = 0;
  for (const Operation& operation : operations_of(placed(block, positions), tiny_setup())) {
    const bool attention =
        operation.name == "attention_scores" || operation.name == "attention_values";
    if (attention && operation.phase == Phase::forward) flops += operation.flops;
  }
  return flops;
}

TEST(AttentionOperations, CountWhatLoopsCount) {
  for (const std::int64_t heads : {1, 2, 6}) {
    for (const std::int64_t head_dim : {1, 3, 8}) {
      TransformerBlock block{.num_hidden_layers = 1, .hidden_size = 12};
      block.feed_forward.intermediate_size = 5;
      block.attention = {
          .num_attention_heads = heads, .num_key_value_heads = 1, .head_dim = head_dim};
      EXPECT_EQ(attention_flops(block, {}), attention_loops(3, heads, 7, 7, head_dim, 7));
      // Six windows of six positions each.
      block.attention.partition_size = 6;
      EXPECT_EQ(attention_flops(block, fixed_positions(6, 6)),
                attention_loops(3, heads, 36, 36, head_dim, 6));
    }
  }
}

// Fewer key-value heads narrow the projection alone: D (h + 2 k) d of D = 12, h = 6, d = 2.
TEST(AttentionOperations, SharedKeysAndValuesSaveProjections) {
  TransformerBlock block{.num_hidden_layers = 1, .hidden_size = 12};
  block.feed_forward.intermediate_size = 5;
  block.attention = {.num_attention_heads = 6, .num_key_value_heads = 2};
  const auto qkv = named(operations_of(placed(block, {}), tiny_setup()), "qkv_projection");
  EXPECT_EQ(std::get<MatmulShape>(qkv.at(0).shape), (MatmulShape{1, 21, (6 + 2 * 2) * 2, 12}));
}

// 21 rows visit 2 of 5 experts each: 42 rows in all, of networks 12 x 7 with a gate.
TEST(ExpertOperations, RowsVisitTheChosenExpertsAlone) {
  TransformerBlock block{.num_hidden_layers = 1, .hidden_size = 12};
  block.attention.num_attention_heads = 1;
  block.feed_forward = {.intermediate_size = 7,
                        .gated = true,
                        .experts = MixtureOfExperts{.num_experts = 5, .num_experts_per_tok = 2}};
  const auto operations = operations_of(placed(block, {}), tiny_setup());
  const auto up = named(operations, "expert_gate_up");
  ASSERT_EQ(up.size(), 3U);
  EXPECT_EQ(std::get<GroupedMatmulShape>(up[0].shape), (GroupedMatmulShape{5, 42, 14, 12}));
  EXPECT_EQ(std::get<GroupedMatmulShape>(up[1].shape), (GroupedMatmulShape{5, 42, 12, 14}));
  EXPECT_EQ(std::get<GroupedMatmulShape>(up[2].shape), (GroupedMatmulShape{5, 12, 14, 42, true}));
  for (const Operation& operation : up) EXPECT_EQ(operation.flops, 2 * 42 * 14 * 12);
  // Forward: rows in and out, five weights: 4 (42 * 12 + 5 * 12 * 14 + 42 * 14).
  EXPECT_EQ(up[0].bytes_moved, 4 * (504 + 840 + 588));
  EXPECT_TRUE(named(operations, "feed_forward_up").empty());
}

}  // namespace
}  // namespace joulecast

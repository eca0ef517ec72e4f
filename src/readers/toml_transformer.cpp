// SPDX-License-Identifier: Apache-2.0
// Transformer layers and stacks of dense layers in hand-written models.
#include "readers/decoder.hpp"
#include "readers/toml_blocks.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

namespace joulecast {
namespace {

using Names = std::span<const std::string_view>;

// The first name is the default.
std::size_t choice_or_first(ObjectReader& reader, std::string_view key, Names names) {
  return reader.has(key) ? reader.choice(key, names) : 0;
}

PositionEncoding read_positions(ObjectReader& reader, std::int64_t head_dim) {
  constexpr std::array<std::string_view, 3> encodings = {"none", "rotary", "alibi"};
  const std::size_t encoding = choice_or_first(reader, "position_encoding", encodings);
  if (encoding == 2) return AlibiPositions{};
  if (encoding == 0) return {};
  const std::int64_t rotary_dim = reader.size_or("rotary_dim", head_dim);
  if (rotary_dim > head_dim) {
    reader.fail("rotary_dim", fmt::format("{} exceeds a head's {}", rotary_dim, head_dim),
                "turn at most the whole head");
  }
  return RotaryPositions{rotary_dim};
}

Attention read_attention(ObjectReader& reader, std::int64_t hidden_size, bool bias) {
  Attention attention;
  attention.num_attention_heads = reader.size("num_attention_heads");
  const std::int64_t heads = std::max<std::int64_t>(attention.num_attention_heads, 1);
  if (reader.has("num_key_value_heads")) {
    attention.num_key_value_heads = reader.size("num_key_value_heads");
    check_key_value_heads(reader, "num_key_value_heads", *attention.num_key_value_heads,
                          "num_attention_heads", heads);
  }
  if (reader.has("head_dim")) {
    attention.head_dim = reader.size("head_dim");
  } else {
    check_heads(reader, "num_attention_heads", heads, "hidden_size", hidden_size);
  }
  if (reader.has("sliding_window")) attention.sliding_window = reader.size("sliding_window");
  attention.positions = read_positions(reader, attention.head_dim.value_or(hidden_size / heads));
  const bool inward = reader.boolean_or("qkv_bias", bias);
  attention.bias = {inward, inward, inward, bias};
  constexpr std::array<std::string_view, 3> norms = {"none", "per_head", "whole"};
  attention.query_key_norm =
      static_cast<QueryKeyNorm>(choice_or_first(reader, "query_key_norm", norms));
  attention.dropout = read_flag(reader, "attention_dropout", 0.0);
  return attention;
}

std::optional<MixtureOfExperts> read_toml_experts(ObjectReader& reader) {
  if (!reader.has("num_experts") && !reader.has("num_experts_per_tok")) return std::nullopt;
  MixtureOfExperts experts;
  experts.num_experts = reader.size("num_experts");
  experts.num_experts_per_tok = reader.size("num_experts_per_tok");
  experts.shared_intermediate_size = reader.count_or("shared_intermediate_size", 0);
  if (experts.num_experts_per_tok > experts.num_experts) {
    reader.fail("num_experts_per_tok",
                fmt::format("{} experts per token, but num_experts = {}",
                            experts.num_experts_per_tok, experts.num_experts),
                "choose num_experts_per_tok of at most num_experts");
  }
  return experts;
}

}  // namespace

TransformerBlock read_toml_transformer(ObjectReader& reader, bool decoder) {
  TransformerBlock block;
  block.num_hidden_layers = reader.size("num_hidden_layers");
  block.hidden_size = reader.size("hidden_size");
  const bool bias = reader.boolean_or("bias", true);
  block.attention = read_attention(reader, block.hidden_size, bias);
  block.attention.causal = decoder;
  FeedForward& feed_forward = block.feed_forward;
  feed_forward.intermediate_size = reader.size("intermediate_size");
  feed_forward.activation = read_activation(reader, "activation", "gelu");
  feed_forward.gated = reader.boolean_or("gated", false);
  feed_forward.bias = bias;
  feed_forward.experts = read_toml_experts(reader);
  constexpr std::array<std::string_view, 2> norms = {"layer_norm", "rms_norm"};
  if (choice_or_first(reader, "normalization", norms) == 1) block.norm = rms_norm;
  constexpr std::array<std::string_view, 4> layouts = {"sequential", "sandwich", "parallel",
                                                       "parallel_shared_norm"};
  block.layout = static_cast<LayerLayout>(choice_or_first(reader, "layout", layouts));
  block.final_norm = reader.boolean_or("final_layer_norm", false);
  block.hidden_dropout = read_flag(reader, "hidden_dropout", 0.0);
  if (decoder && reader.boolean_or("cross_attention", false)) {
    block.cross_attention = CrossAttention{.attention = block.attention};
    block.cross_attention->attention.causal = false;
    block.cross_attention->attention.positions = {};
    block.cross_attention->attention.sliding_window.reset();
  }
  return block;
}

std::vector<DenseBlock> read_toml_mlp(ObjectReader& reader) {
  // Wider is no network that people write by hand.
  constexpr std::size_t most_layers = 4096;
  std::int64_t width = reader.size("input_size");
  const std::vector<std::int64_t> hidden = reader.sizes("hidden_sizes");
  const Activation activation = read_activation(reader, "activation", "relu");
  const bool bias = reader.boolean_or("bias", true);
  if (hidden.empty() || hidden.size() > most_layers) {
    reader.fail(
        "hidden_sizes", fmt::format("names {} layers", hidden.size()),
        fmt::format("give the widths of 1 to {} hidden layers, e.g. [4096, 4096]", most_layers));
    return {DenseBlock{}};
  }
  std::vector<DenseBlock> blocks;
  for (const std::int64_t size : hidden) {
    blocks.push_back(
        {.input_size = width, .output_size = size, .activation = activation, .bias = bias});
    width = size;
  }
  if (reader.has("output_size")) {
    blocks.push_back(
        {.input_size = width, .output_size = reader.size("output_size"), .bias = bias});
  }
  return blocks;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Falcon: Almazrouei et al. 2023, arXiv:2311.16867. Keys and defaults: transformers' FalconConfig.
#include "readers/decoder.hpp"

namespace joulecast {
namespace {

// One key-value head with multi_query, groups of the newer architecture, else as many as heads.
std::int64_t falcon_key_value_heads(ObjectReader& reader, std::int64_t heads, bool newer) {
  const bool multi_query = reader.boolean_or("multi_query", true);
  if (newer) return reader.size_or("num_kv_heads", heads);
  return multi_query ? 1 : heads;
}

LayerLayout falcon_layout(ObjectReader& reader, bool newer) {
  if (!reader.boolean_or("parallel_attn", true)) return LayerLayout::sequential;
  const std::int64_t norms = reader.size_or("num_ln_in_parallel_attn", newer ? 2 : 1);
  return norms == 2 && newer ? LayerLayout::parallel : LayerLayout::parallel_shared_norm;
}

}  // namespace

Result<Model> read_falcon(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "falcon"};
  Decoder decoder;
  const auto size = [&](std::string_view key, std::int64_t fallback) {
    return size_or_default(reader, model, key, fallback);
  };
  const std::int64_t d = size("hidden_size", 4544);
  decoder.embedding = {.vocab_size = size("vocab_size", 65024), .hidden_size = d};
  const bool newer = reader.boolean_or("new_decoder_architecture", false);
  const bool bias = reader.boolean_or("bias", false);
  TransformerBlock& layer = decoder.layer;
  layer.hidden_size = d;
  layer.num_hidden_layers = size("num_hidden_layers", 32);
  layer.layout = falcon_layout(reader, newer);
  layer.final_norm = true;
  Attention& attention = layer.attention;
  attention.num_attention_heads = size("num_attention_heads", 71);
  attention.num_key_value_heads =
      falcon_key_value_heads(reader, attention.num_attention_heads, newer);
  check_key_value_heads(reader, "num_kv_heads", *attention.num_key_value_heads,
                        "num_attention_heads", attention.num_attention_heads);
  check_heads(reader, "num_attention_heads", attention.num_attention_heads, "hidden_size", d);
  attention.causal = true;
  attention.fused_projections = true;
  attention.bias = {bias, bias, bias, bias};
  attention.dropout = read_flag(reader, "attention_dropout", 0.0);
  if (reader.boolean_or("alibi", false)) {
    attention.positions = AlibiPositions{};
  } else {
    attention.positions = RotaryPositions{d / attention.num_attention_heads};
  }
  layer.hidden_dropout = read_flag(reader, "hidden_dropout", 0.0);
  layer.feed_forward = {
      .intermediate_size = reader.size_or("ffn_hidden_size", (Count{4} * d).value()),
      .activation = read_activation(reader, "activation", "gelu"),
      .bias = bias};
  decoder.tied = reader.boolean_or("tie_word_embeddings", true);
  return finish_decoder(reader, std::move(model), decoder, head, "Falcon");
}

}  // namespace joulecast

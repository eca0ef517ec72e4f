// SPDX-License-Identifier: Apache-2.0
// GPT-NeoX and Pythia: Black et al. 2022, arXiv:2204.06745; arXiv:2304.01373. Keys and defaults:
// transformers' GPTNeoXConfig.
#include "readers/decoder.hpp"

namespace joulecast {

Result<Model> read_gpt_neox(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "gpt_neox"};
  Decoder decoder;
  const auto size = [&](std::string_view key, std::int64_t fallback) {
    return size_or_default(reader, model, key, fallback);
  };
  const std::int64_t d = size("hidden_size", 6144);
  decoder.embedding = {.vocab_size = size("vocab_size", 50432), .hidden_size = d};
  TransformerBlock& layer = decoder.layer;
  layer.hidden_size = d;
  layer.num_hidden_layers = size("num_hidden_layers", 44);
  layer.layout = reader.boolean_or("use_parallel_residual", true) ? LayerLayout::parallel
                                                                  : LayerLayout::sequential;
  layer.final_norm = true;
  Attention& attention = layer.attention;
  attention.num_attention_heads = size("num_attention_heads", 64);
  check_heads(reader, "num_attention_heads", attention.num_attention_heads, "hidden_size", d);
  const bool bias = reader.boolean_or("attention_bias", true);
  attention.causal = true;
  attention.fused_projections = true;
  attention.bias = {bias, bias, bias, bias};
  attention.positions = RotaryPositions{
      read_rotary_dim(reader, "rotary_pct", 0.25, d / attention.num_attention_heads)};
  attention.dropout = read_flag(reader, "attention_dropout", 0.0);
  layer.hidden_dropout = read_flag(reader, "hidden_dropout", 0.0);
  decoder.embedding.dropout = layer.hidden_dropout;
  warn_if_absent(reader, model, "hidden_act", "gelu");
  layer.feed_forward = {.intermediate_size = size("intermediate_size", 24576),
                        .activation = read_activation(reader, "hidden_act", "gelu")};
  layer.feed_forward.composed_activation =
      is_composed_activation(reader.text_or("hidden_act", "gelu"));
  decoder.tied = reader.boolean_or("tie_word_embeddings", false);
  return finish_decoder(reader, std::move(model), decoder, head, "GPTNeoX");
}

}  // namespace joulecast

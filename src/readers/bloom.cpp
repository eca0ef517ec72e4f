// SPDX-License-Identifier: Apache-2.0
// BLOOM: Le Scao et al. 2022, arXiv:2211.05100. Keys and defaults: transformers' BloomConfig.
#include "readers/decoder.hpp"

namespace joulecast {

Result<Model> read_bloom(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "bloom"};
  Decoder decoder;
  // The first files say n_embed; BloomConfig.attribute_map.
  const std::string_view old_width = key_or_alias(reader, "hidden_size", "n_embed");
  const std::string_view layers = key_or_alias(reader, "n_layer", "num_hidden_layers");
  const std::string_view heads = key_or_alias(reader, "n_head", "num_attention_heads");
  const std::int64_t d = size_or_default(reader, model, old_width, 64);
  decoder.embedding = {.vocab_size = size_or_default(reader, model, "vocab_size", 250880),
                       .hidden_size = d,
                       .layer_norm = true};
  TransformerBlock& layer = decoder.layer;
  layer.hidden_size = d;
  layer.num_hidden_layers = size_or_default(reader, model, layers, 2);
  layer.attention.num_attention_heads = size_or_default(reader, model, heads, 8);
  layer.attention.causal = true;
  layer.attention.fused_projections = true;
  layer.attention.positions = AlibiPositions{};
  layer.attention.dropout = read_flag(reader, "attention_dropout", 0.0);
  layer.hidden_dropout = read_flag(reader, "hidden_dropout", 0.0);
  layer.feed_forward = {.intermediate_size = (Count{4} * d).value(),
                        .activation = Activation::gelu_tanh};
  layer.final_norm = true;
  check_heads(reader, heads, layer.attention.num_attention_heads, old_width, d);
  decoder.tied = reader.boolean_or("tie_word_embeddings", true);
  return finish_decoder(reader, std::move(model), decoder, head, "Bloom");
}

}  // namespace joulecast

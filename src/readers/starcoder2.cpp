// SPDX-License-Identifier: Apache-2.0
// StarCoder 2: Lozhkov et al. 2024, arXiv:2402.19173. Keys and defaults: transformers'
// Starcoder2Config.
#include "readers/decoder.hpp"

namespace joulecast {

Result<Model> read_starcoder2(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "starcoder2"};
  Decoder decoder = read_decoder(reader, model,
                                 {.vocab_size = 49152,
                                  .hidden_size = 3072,
                                  .intermediate_size = 12288,
                                  .num_hidden_layers = 30,
                                  .num_attention_heads = 24,
                                  .num_key_value_heads = 2,
                                  .activation = "gelu_pytorch_tanh",
                                  .tied = true});
  TransformerBlock& layer = decoder.layer;
  const bool bias = reader.boolean_or("use_bias", true);
  layer.attention.bias = {bias, bias, bias, bias};
  layer.feed_forward.bias = bias;
  layer.feed_forward.gated = false;
  layer.norm = {};
  if (reader.has("sliding_window")) layer.attention.sliding_window = reader.size("sliding_window");
  layer.hidden_dropout = read_dropout(reader, "residual_dropout", 0.0) > 0.0;
  decoder.embedding.dropout = read_dropout(reader, "embedding_dropout", 0.0) > 0.0;
  return finish_decoder(reader, std::move(model), decoder, head, "Starcoder2");
}

}  // namespace joulecast

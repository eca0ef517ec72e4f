// SPDX-License-Identifier: Apache-2.0
// Phi-3: Abdin et al. 2024, arXiv:2404.14219. Keys and defaults: transformers' Phi3Config.
#include "readers/decoder.hpp"

namespace joulecast {

Result<Model> read_phi3(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "phi3"};
  Decoder decoder = read_decoder(reader, model,
                                 {.vocab_size = 32064,
                                  .hidden_size = 3072,
                                  .intermediate_size = 8192,
                                  .num_hidden_layers = 32,
                                  .num_attention_heads = 32});
  Attention& attention = decoder.layer.attention;
  attention.fused_projections = true;
  decoder.layer.feed_forward.fused_projections = true;
  if (reader.has("sliding_window")) attention.sliding_window = reader.size("sliding_window");
  attention.positions = RotaryPositions{read_rotary_dim(
      reader, "partial_rotary_factor", 1.0, query_head_dim(attention, decoder.layer.hidden_size))};
  decoder.embedding.dropout = read_dropout(reader, "embd_pdrop", 0.0) > 0.0;
  decoder.layer.hidden_dropout = read_dropout(reader, "resid_pdrop", 0.0) > 0.0;
  return finish_decoder(reader, std::move(model), decoder, head, "Phi3");
}

}  // namespace joulecast

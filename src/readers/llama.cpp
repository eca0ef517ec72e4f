// SPDX-License-Identifier: Apache-2.0
// LLaMA 1 to 3: Touvron et al. 2023, arXiv:2302.13971 and arXiv:2307.09288; arXiv:2407.21783. Keys
// and defaults: transformers' LlamaConfig.
#include "readers/decoder.hpp"

namespace joulecast {

Result<Model> read_llama(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "llama"};
  Decoder decoder = read_decoder(reader, model,
                                 {.vocab_size = 32000,
                                  .hidden_size = 4096,
                                  .intermediate_size = 11008,
                                  .num_hidden_layers = 32,
                                  .num_attention_heads = 32});
  const bool bias = reader.boolean_or("attention_bias", false);
  decoder.layer.attention.bias = {bias, bias, bias, bias};
  decoder.layer.feed_forward.bias = reader.boolean_or("mlp_bias", false);
  return finish_decoder(reader, std::move(model), decoder, head, "Llama");
}

}  // namespace joulecast

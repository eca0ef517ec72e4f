// SPDX-License-Identifier: Apache-2.0
// Mistral: Jiang et al. 2023, arXiv:2310.06825. Mixtral: Jiang et al. 2024, arXiv:2401.04088. Keys
// and defaults: transformers' MistralConfig and MixtralConfig.
#include "readers/decoder.hpp"

namespace joulecast {

Result<Model> read_mistral(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "mistral"};
  Decoder decoder = read_decoder(reader, model,
                                 {.vocab_size = 32000,
                                  .hidden_size = 4096,
                                  .intermediate_size = 14336,
                                  .num_hidden_layers = 32,
                                  .num_attention_heads = 32,
                                  .num_key_value_heads = 8});
  // null means no window, which later versions have.
  if (!reader.is_null("sliding_window")) {
    decoder.layer.attention.sliding_window = size_or_default(reader, model, "sliding_window", 4096);
  }
  return finish_decoder(reader, std::move(model), decoder, head, "Mistral");
}

Result<Model> read_mixtral(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "mixtral"};
  Decoder decoder = read_decoder(reader, model,
                                 {.vocab_size = 32000,
                                  .hidden_size = 4096,
                                  .intermediate_size = 14336,
                                  .num_hidden_layers = 32,
                                  .num_attention_heads = 32,
                                  .num_key_value_heads = 8});
  if (reader.has("sliding_window")) {
    decoder.layer.attention.sliding_window = reader.size("sliding_window");
  }
  const ExpertKeys keys{.experts = "num_local_experts", .per_token = "num_experts_per_tok"};
  decoder.layer.feed_forward.experts = read_experts(reader, model, keys, 8, 2);
  return finish_decoder(reader, std::move(model), decoder, head, "Mixtral");
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// OLMo: Groeneveld et al. 2024, arXiv:2402.00838, normalised without parameters; OLMo 2:
// arXiv:2501.00656, normalised behind the sublayers. Keys and defaults: transformers' OlmoConfig
// and Olmo2Config.
#include "readers/decoder.hpp"

namespace joulecast {
namespace {

Decoder read_olmo_decoder(ObjectReader& reader, Model& model) {
  Decoder decoder = read_decoder(reader, model,
                                 {.vocab_size = 50304,
                                  .hidden_size = 4096,
                                  .intermediate_size = 11008,
                                  .num_hidden_layers = 32,
                                  .num_attention_heads = 32});
  const bool bias = reader.boolean_or("attention_bias", false);
  decoder.layer.attention.bias = {bias, bias, bias, bias};
  return decoder;
}

}  // namespace

Result<Model> read_olmo(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "olmo"};
  Decoder decoder = read_olmo_decoder(reader, model);
  decoder.layer.norm = {.weight = false, .bias = false};
  return finish_decoder(reader, std::move(model), decoder, head, "Olmo");
}

Result<Model> read_olmo2(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "olmo2"};
  Decoder decoder = read_olmo_decoder(reader, model);
  decoder.layer.attention.query_key_norm = QueryKeyNorm::whole;
  return finish_decoder(reader, std::move(model), decoder, head, "Olmo2");
}

}  // namespace joulecast

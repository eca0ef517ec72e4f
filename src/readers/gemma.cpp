// SPDX-License-Identifier: Apache-2.0
// Gemma 1 to 3: arXiv:2403.08295, arXiv:2408.00118, arXiv:2503.19786. Keys and defaults:
// transformers' GemmaConfig, Gemma2Config and Gemma3TextConfig.
#include "readers/decoder.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr DecoderDefaults gemma2_defaults{.vocab_size = 256000,
                                          .hidden_size = 2304,
                                          .intermediate_size = 9216,
                                          .num_hidden_layers = 26,
                                          .num_attention_heads = 8,
                                          .num_key_value_heads = 4,
                                          .head_dim = 256,
                                          .activation_key = "hidden_activation",
                                          .activation = "gelu_pytorch_tanh",
                                          .tied = true};

// All of them scale the embedding by sqrt(hidden_size) and know attention_bias.
Decoder read_gemma_decoder(ObjectReader& reader, Model& model, const DecoderDefaults& defaults) {
  Decoder decoder = read_decoder(reader, model, defaults);
  decoder.embedding.scaled = true;
  const bool bias = reader.boolean_or("attention_bias", false);
  decoder.layer.attention.bias = {bias, bias, bias, bias};
  return decoder;
}

// The kinds of the layers as `layer_types` names them, where the file does.
std::vector<std::size_t> read_layer_types(ObjectReader& reader, std::int64_t layers) {
  std::vector<std::size_t> sliding;
  const std::vector<std::string> types = reader.texts("layer_types");
  if (types.empty()) return sliding;
  if (static_cast<std::int64_t>(types.size()) != layers) {
    reader.fail("layer_types",
                fmt::format("names {} layers, but num_hidden_layers = {}", types.size(), layers),
                "make layer_types and num_hidden_layers agree");
  }
  for (const std::string& type : types) {
    if (type != "sliding_attention" && type != "full_attention") {
      reader.fail("layer_types", fmt::format("unknown attention \"{}\"", type.substr(0, 60)),
                  "known: sliding_attention, full_attention", ErrorKind::unsupported);
    }
    sliding.push_back(type == "sliding_attention" ? 1 : 0);
  }
  return sliding;
}

// Every `pattern`-th layer sees all positions, the others a window.
std::vector<Block> alternating_layers(ObjectReader& reader, Model& model,
                                      const TransformerBlock& layer, std::int64_t pattern) {
  const std::int64_t window = size_or_default(reader, model, "sliding_window", 4096);
  const std::int64_t layers = layer.num_hidden_layers;
  std::vector<std::size_t> sliding = read_layer_types(reader, layers);
  if (!check_layers(reader, "num_hidden_layers", layers)) return {};
  for (std::int64_t i = static_cast<std::int64_t>(sliding.size()); i < layers; ++i) {
    sliding.push_back((i + 1) % pattern == 0 ? 0 : 1);
  }
  return split_by_window(layer, window, sliding);
}

Result<Model> read_gemma3_text(ObjectReader& reader, Model model, Head head,
                               const std::string& prefix) {
  DecoderDefaults defaults = gemma2_defaults;
  defaults.vocab_size = 262208;
  Decoder decoder = read_gemma_decoder(reader, model, defaults);
  decoder.layer.layout = LayerLayout::sandwich;
  decoder.layer.attention.query_key_norm = QueryKeyNorm::per_head;
  decoder.layer.attention.logit_softcap = reader.has("attn_logit_softcapping");
  decoder.logit_softcap = reader.has("final_logit_softcapping");
  const std::int64_t pattern = reader.size_or("sliding_window_pattern", 6);
  auto layers = alternating_layers(reader, model, decoder.layer, pattern);
  return finish_decoder(reader, std::move(model), decoder, std::move(layers), head, prefix);
}

}  // namespace

Result<Model> read_gemma(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "gemma"};
  // The first files say hidden_act gelu, and hidden_activation is what the code takes.
  const bool own = reader.has("hidden_activation");
  const Decoder decoder =
      read_gemma_decoder(reader, model,
                         {.vocab_size = 256000,
                          .hidden_size = 3072,
                          .intermediate_size = 24576,
                          .num_hidden_layers = 28,
                          .num_attention_heads = 16,
                          .num_key_value_heads = 16,
                          .head_dim = 256,
                          .activation_key = own ? std::string_view("hidden_activation")
                                                : std::string_view("hidden_act"),
                          .activation = "gelu_pytorch_tanh",
                          .tied = true});
  return finish_decoder(reader, std::move(model), decoder, head, "Gemma");
}

Result<Model> read_gemma2(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "gemma2"};
  Decoder decoder = read_gemma_decoder(reader, model, gemma2_defaults);
  decoder.layer.layout = LayerLayout::sandwich;
  // Both bounds are on unless the file says null.
  decoder.layer.attention.logit_softcap = !reader.is_null("attn_logit_softcapping");
  decoder.logit_softcap = !reader.is_null("final_logit_softcapping");
  auto layers = alternating_layers(reader, model, decoder.layer, 2);
  return finish_decoder(reader, std::move(model), decoder, std::move(layers), head, "Gemma2");
}

Result<Model> read_gemma3(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  return read_gemma3_text(reader, {.family = "gemma3_text"}, head, "Gemma3");
}

Result<Model> read_gemma3_multimodal(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "gemma3"};
  auto text = reader.child("text_config");
  if (reader.error()) return std::unexpected(*reader.error());
  if (!text) {
    return read_gemma3_text(reader, std::move(model), head, "Gemma3");
  }
  model.warnings.push_back({WarningCode::key_not_modelled, "vision_config",
                            "the text model alone is read; the vision tower is left out"});
  // The class of the whole is no class of the text model.
  if (head == Head::from_config) head = Head::causal_lm;
  return read_gemma3_text(*text, std::move(model), head, "Gemma3");
}

}  // namespace joulecast

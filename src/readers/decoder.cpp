// SPDX-License-Identifier: Apache-2.0
#include "readers/decoder.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace joulecast {

void check_key_value_heads(ObjectReader& reader, std::string_view key, std::int64_t key_values,
                           std::string_view heads_key, std::int64_t heads) {
  if (heads % key_values == 0) return;
  reader.fail(key,
              fmt::format("{} key-value heads do not divide {} = {}", key_values, heads_key, heads),
              fmt::format("choose {} so that {} is a multiple of it", key, heads_key));
}

Decoder read_decoder(ObjectReader& reader, Model& model, const DecoderDefaults& defaults) {
  Decoder decoder;
  const auto size = [&](std::string_view key, std::int64_t fallback) {
    return size_or_default(reader, model, key, fallback);
  };
  decoder.embedding.vocab_size = size("vocab_size", defaults.vocab_size);
  decoder.embedding.hidden_size = size("hidden_size", defaults.hidden_size);
  TransformerBlock& layer = decoder.layer;
  layer.hidden_size = decoder.embedding.hidden_size;
  layer.num_hidden_layers = size("num_hidden_layers", defaults.num_hidden_layers);
  layer.norm = rms_norm;
  layer.final_norm = true;
  Attention& attention = layer.attention;
  attention.causal = true;
  attention.bias = no_bias;
  attention.num_attention_heads = size("num_attention_heads", defaults.num_attention_heads);
  attention.num_key_value_heads = size(
      "num_key_value_heads", defaults.num_key_value_heads.value_or(attention.num_attention_heads));
  check_key_value_heads(reader, "num_key_value_heads", *attention.num_key_value_heads,
                        "num_attention_heads", attention.num_attention_heads);
  if (reader.has("head_dim")) {
    attention.head_dim = reader.size("head_dim");
  } else if (defaults.head_dim) {
    attention.head_dim = size("head_dim", *defaults.head_dim);
  } else if (defaults.heads_share_width) {
    check_heads(reader, "num_attention_heads", attention.num_attention_heads, "hidden_size",
                layer.hidden_size);
  }
  attention.positions = RotaryPositions{query_head_dim(attention, layer.hidden_size)};
  attention.dropout = read_dropout(reader, "attention_dropout", 0.0) > 0.0;
  layer.feed_forward = {.intermediate_size = size("intermediate_size", defaults.intermediate_size),
                        .gated = true,
                        .bias = false};
  warn_if_absent(reader, model, defaults.activation_key, defaults.activation);
  layer.feed_forward.activation =
      read_activation(reader, defaults.activation_key, defaults.activation);
  layer.feed_forward.composed_activation =
      is_composed_activation(reader.text_or(defaults.activation_key, defaults.activation));
  decoder.tied = reader.boolean_or("tie_word_embeddings", defaults.tied);
  return decoder;
}

std::vector<Block> split_layers(const std::vector<LayerKind>& kinds,
                                const std::vector<std::size_t>& kind_of_layer) {
  std::vector<Block> blocks;
  if (kind_of_layer.empty()) return blocks;
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    TransformerBlock layer = kinds[kind].layer;
    layer.num_hidden_layers = std::ranges::count(kind_of_layer, kind);
    if (layer.num_hidden_layers == 0) continue;
    layer.final_norm = layer.final_norm && kind == kind_of_layer.back();
    blocks.push_back({kinds[kind].name, layer});
  }
  // The last layer's kind goes last, so that the last normalisation stands behind everything.
  const std::string& last = kinds[kind_of_layer.back()].name;
  std::ranges::stable_partition(blocks, [&](const Block& block) { return block.name != last; });
  if (blocks.size() == 1) blocks.front().name = "decoder";
  return blocks;
}

std::vector<Block> split_by_window(const TransformerBlock& layer, std::int64_t window,
                                   const std::vector<std::size_t>& is_sliding) {
  TransformerBlock sliding = layer;
  sliding.attention.sliding_window = window;
  return split_layers({{"decoder", layer}, {"decoder_sliding", sliding}}, is_sliding);
}

Result<Model> finish_decoder(ObjectReader& reader, Model model, const Decoder& decoder,
                             std::vector<Block> layers, Head head, const std::string& prefix) {
  const std::array<HeadChoice, 3> known = {
      {{prefix + "ForCausalLM", Head::causal_lm},
       {prefix + "Model", Head::none},
       {prefix + "ForSequenceClassification", Head::classifier}}};
  head = choose_head(reader, model, head, known, known[0]);
  model.blocks = {{"embedding", decoder.embedding}};
  std::ranges::move(layers, std::back_inserter(model.blocks));
  const std::int64_t d = decoder.layer.hidden_size;
  if (head == Head::causal_lm) {
    model.blocks.push_back(
        {"language_model_head", LanguageModelHeadBlock{.hidden_size = d,
                                                       .vocab_size = decoder.embedding.vocab_size,
                                                       .tied_embedding = decoder.tied,
                                                       .bias = decoder.head_bias,
                                                       .logit_softcap = decoder.logit_softcap}});
  }
  if (head == Head::classifier) {
    const std::int64_t labels = read_labels(reader, model);
    model.blocks.push_back(
        {"classifier", ClassifierBlock{.hidden_size = d, .num_labels = labels, .bias = false}});
  }
  return finish_model(reader, std::move(model));
}

Result<Model> finish_decoder(ObjectReader& reader, Model model, const Decoder& decoder, Head head,
                             const std::string& prefix) {
  return finish_decoder(reader, std::move(model), decoder, {{"decoder", decoder.layer}}, head,
                        prefix);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// GPT-Neo: Black et al. 2021, DOI 10.5281/zenodo.5297715. Keys and defaults: transformers'
// GPTNeoConfig.
#include "readers/decoder.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

// attention_types is a list of [kinds in turn, how often], such as [[["global", "local"], 12]].
// 1 for each local layer.
std::vector<std::size_t> read_attention_types(ObjectReader& reader, const Value& config,
                                              std::int64_t layers) {
  std::vector<std::size_t> local;
  if (!check_layers(reader, "num_layers", layers)) return local;
  const auto refuse = [&](const std::string& what) {
    reader.fail("attention_types", what,
                "write it as [[[\"global\", \"local\"], 12]]: kinds in turn, and how often");
    return std::vector<std::size_t>{};
  };
  if (!reader.has("attention_types")) {
    for (std::int64_t i = 0; i < layers; ++i) local.push_back(i % 2 == 0 ? 0 : 1);
    return local;
  }
  const Value* types = find_member(config, "attention_types");
  const auto* entries = types == nullptr ? nullptr : std::get_if<Array>(&types->data);
  if (entries == nullptr) return refuse("is no list");
  for (const Value& entry : *entries) {
    const auto* pair = std::get_if<Array>(&entry.data);
    if (pair == nullptr || pair->size() != 2) return refuse("holds something else than pairs");
    const auto* kinds = std::get_if<Array>(&(*pair)[0].data);
    const auto* times = std::get_if<std::int64_t>(&(*pair)[1].data);
    if (kinds == nullptr || times == nullptr || *times < 0) {
      return refuse("holds something else than kinds and a number");
    }
    for (std::int64_t i = 0; i < *times && !kinds->empty(); ++i) {
      for (const Value& kind : *kinds) {
        const auto* name = std::get_if<std::string>(&kind.data);
        if (name == nullptr || (*name != "global" && *name != "local")) {
          return refuse("knows global and local attention alone");
        }
        local.push_back(*name == "local" ? 1 : 0);
      }
      if (static_cast<std::int64_t>(local.size()) > layers) break;
    }
  }
  if (static_cast<std::int64_t>(local.size()) != layers) {
    return refuse(
        fmt::format("names {} layers or more, but num_layers = {}", local.size(), layers));
  }
  return local;
}

}  // namespace

Result<Model> read_gpt_neo(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "gpt_neo"};
  Decoder decoder;
  // GPTNeoConfig.attribute_map.
  const std::string_view layers = key_or_alias(reader, "num_layers", "num_hidden_layers");
  const std::string_view heads = key_or_alias(reader, "num_heads", "num_attention_heads");
  const std::int64_t d = size_or_default(reader, model, "hidden_size", 2048);
  decoder.embedding = {
      .vocab_size = size_or_default(reader, model, "vocab_size", 50257),
      .hidden_size = d,
      .max_position_embeddings = size_or_default(reader, model, "max_position_embeddings", 2048),
      .dropout = read_flag(reader, "embed_dropout", 0.0)};
  TransformerBlock& layer = decoder.layer;
  layer.hidden_size = d;
  layer.num_hidden_layers = size_or_default(reader, model, layers, 24);
  Attention& attention = layer.attention;
  attention.num_attention_heads = size_or_default(reader, model, heads, 16);
  attention.causal = true;
  attention.scaled = false;
  attention.bias = {false, false, false, true};
  attention.dropout = read_flag(reader, "attention_dropout", 0.0);
  check_heads(reader, heads, attention.num_attention_heads, "hidden_size", d);
  warn_if_absent(reader, model, "activation_function", "gelu_new");
  layer.feed_forward = {
      .intermediate_size = reader.size_or("intermediate_size", (Count{4} * d).value()),
      .activation = read_activation(reader, "activation_function", "gelu_new")};
  layer.feed_forward.composed_activation =
      is_composed_activation(reader.text_or("activation_function", "gelu_new"));
  layer.hidden_dropout = read_flag(reader, "resid_dropout", 0.0);
  layer.final_norm = true;
  decoder.tied = reader.boolean_or("tie_word_embeddings", true);
  model.max_sequence_length = decoder.embedding.max_position_embeddings;
  const std::int64_t window = size_or_default(reader, model, "window_size", 256);
  auto blocks =
      split_by_window(layer, window, read_attention_types(reader, config, layer.num_hidden_layers));
  return finish_decoder(reader, std::move(model), decoder, std::move(blocks), head, "GPTNeo");
}

}  // namespace joulecast

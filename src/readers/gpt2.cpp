// SPDX-License-Identifier: Apache-2.0
// GPT-2: Radford et al. 2019. Keys and defaults: transformers' GPT2Config.
#include "readers/readers.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

Head gpt2_head(ObjectReader& reader, Model& model) {
  const std::vector<std::string> architectures = reader.texts("architectures");
  for (const std::string& name : architectures) {
    if (name == "GPT2LMHeadModel" || name == "GPT2Model") {
      warn_of_architectures(model, architectures, name);
    }
    if (name == "GPT2LMHeadModel") return Head::causal_lm;
    if (name == "GPT2Model") return Head::none;
  }
  if (!architectures.empty()) {
    reader.fail("architectures", fmt::format("the head of {} is not known", architectures[0]),
                "choose one with --head: none or causal_lm", ErrorKind::unsupported);
  }
  model.warnings.push_back({WarningCode::input_defaulted, "architectures",
                            "the file does not state a head; GPT2LMHeadModel is assumed (--head "
                            "chooses another)"});
  return Head::causal_lm;
}

}  // namespace

Result<Model> read_gpt2(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model;
  model.family = "gpt2";
  EmbeddingBlock embedding;
  embedding.vocab_size = size_or_default(reader, model, "vocab_size", 50257);
  // GPT2Config.attribute_map.
  const std::string_view width = key_or_alias(reader, "n_embd", "hidden_size");
  const std::string_view positions = key_or_alias(reader, "n_positions", "max_position_embeddings");
  const std::string_view layers = key_or_alias(reader, "n_layer", "num_hidden_layers");
  const std::string_view heads = key_or_alias(reader, "n_head", "num_attention_heads");
  embedding.hidden_size = size_or_default(reader, model, width, 768);
  embedding.max_position_embeddings = size_or_default(reader, model, positions, 1024);
  embedding.dropout = read_dropout(reader, "embd_pdrop", 0.1) > 0.0;
  TransformerBlock decoder;
  decoder.decoder = true;
  decoder.hidden_size = embedding.hidden_size;
  decoder.num_hidden_layers = size_or_default(reader, model, layers, 12);
  decoder.num_attention_heads = size_or_default(reader, model, heads, 12);
  // GPT2Config: n_inner is null for the usual four times the width.
  decoder.intermediate_size = (Count{4} * decoder.hidden_size).value();
  if (reader.has("n_inner")) decoder.intermediate_size = reader.size("n_inner");
  warn_if_absent(reader, model, "activation_function", "gelu_new");
  for (const std::string_view key : {"embd_pdrop", "attn_pdrop", "resid_pdrop"}) {
    warn_if_absent(reader, model, key, "0.1");
  }
  decoder.activation = read_activation(reader, "activation_function", "gelu_new");
  decoder.final_layer_norm = true;
  decoder.attention_dropout = read_dropout(reader, "attn_pdrop", 0.1) > 0.0;
  decoder.hidden_dropout = read_dropout(reader, "resid_pdrop", 0.1) > 0.0;
  check_heads(reader, heads, decoder.num_attention_heads, width, decoder.hidden_size);
  if (reader.boolean_or("add_cross_attention", false)) {
    reader.fail("add_cross_attention", "GPT-2 with cross-attention is not supported",
                "describe it in a TOML file with a transformer_decoder block",
                ErrorKind::unsupported);
  }
  check_uncovered_keys(reader, model);
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  if (head == Head::from_config) head = gpt2_head(reader, model);
  if (head != Head::none && head != Head::causal_lm) {
    reader.fail("architectures", fmt::format("GPT-2 has no head {}", to_string(head)),
                "choose --head none or --head causal_lm", ErrorKind::unsupported);
  }
  model.max_sequence_length = embedding.max_position_embeddings;
  model.blocks = {{"embedding", embedding}, {"decoder", decoder}};
  if (head == Head::causal_lm) {
    model.blocks.push_back(
        {"language_model_head", LanguageModelHeadBlock{.hidden_size = embedding.hidden_size,
                                                       .vocab_size = embedding.vocab_size,
                                                       .tied_embedding = tied}});
  }
  if (reader.error()) return std::unexpected(*reader.error());
  return model;
}

}  // namespace joulecast

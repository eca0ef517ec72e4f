// SPDX-License-Identifier: Apache-2.0
// GPT-2: Radford et al. 2019. Keys and defaults: transformers' GPT2Config.
#include "readers/heads.hpp"
#include "readers/readers.hpp"

#include <array>

namespace joulecast {
namespace {

const std::array<HeadChoice, 2> gpt2_heads = {
    {{"GPT2LMHeadModel", Head::causal_lm}, {"GPT2Model", Head::none}}};

}  // namespace

Result<Model> read_gpt2(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "gpt2"};
  EmbeddingBlock embedding;
  embedding.vocab_size = size_or_default(reader, model, "vocab_size", 50257);
  // GPT2Config.attribute_map.
  const std::string_view width = key_or_alias(reader, "n_embd", "hidden_size");
  const std::string_view positions = key_or_alias(reader, "n_positions", "max_position_embeddings");
  const std::string_view layers = key_or_alias(reader, "n_layer", "num_hidden_layers");
  const std::string_view heads = key_or_alias(reader, "n_head", "num_attention_heads");
  embedding.hidden_size = size_or_default(reader, model, width, 768);
  embedding.max_position_embeddings = size_or_default(reader, model, positions, 1024);
  embedding.dropout = read_flag(reader, "embd_pdrop", 0.1);
  TransformerBlock decoder;
  decoder.hidden_size = embedding.hidden_size;
  decoder.num_hidden_layers = size_or_default(reader, model, layers, 12);
  decoder.attention.causal = true;
  decoder.attention.fused_projections = true;
  decoder.attention.num_attention_heads = size_or_default(reader, model, heads, 12);
  // GPT2Config: n_inner is null for the usual four times the width.
  decoder.feed_forward.intermediate_size = (Count{4} * decoder.hidden_size).value();
  if (reader.has("n_inner")) decoder.feed_forward.intermediate_size = reader.size("n_inner");
  warn_if_absent(reader, model, "activation_function", "gelu_new");
  for (const std::string_view key : {"embd_pdrop", "attn_pdrop", "resid_pdrop"}) {
    warn_if_absent(reader, model, key, "0.1");
  }
  decoder.feed_forward.activation = read_activation(reader, "activation_function", "gelu_new");
  decoder.feed_forward.composed_activation =
      is_composed_activation(reader.text_or("activation_function", "gelu_new"));
  decoder.final_norm = true;
  decoder.attention.dropout = read_flag(reader, "attn_pdrop", 0.1);
  decoder.hidden_dropout = read_flag(reader, "resid_pdrop", 0.1);
  check_heads(reader, heads, decoder.attention.num_attention_heads, width, decoder.hidden_size);
  if (reader.boolean_or("add_cross_attention", false)) {
    reader.fail("add_cross_attention", "GPT-2 with cross-attention is not supported",
                "describe it in a TOML file with a transformer_decoder block",
                ErrorKind::unsupported);
  }
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  head = choose_head(reader, model, head, gpt2_heads, gpt2_heads[0]);
  model.max_sequence_length = embedding.max_position_embeddings;
  model.blocks = {{"embedding", embedding}, {"decoder", decoder}};
  if (head == Head::causal_lm) {
    model.blocks.push_back(
        {"language_model_head", LanguageModelHeadBlock{.hidden_size = embedding.hidden_size,
                                                       .vocab_size = embedding.vocab_size,
                                                       .tied_embedding = tied}});
  }
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// T5 and Flan-T5: Raffel et al. 2019, arXiv:1910.10683; version 1.1 gates its feed-forward layers.
// Keys and defaults: transformers' T5Config. From version 5 on transformers shares the table of
// tokens with the scores whatever tie_word_embeddings says, which only switches a scale off.
#include "readers/heads.hpp"
#include "readers/seq2seq.hpp"

#include <array>

namespace joulecast {
namespace {

const std::array<HeadChoice, 2> t5_heads = {
    {{"T5ForConditionalGeneration", Head::causal_lm}, {"T5Model", Head::none}}};

// "relu", or "gated-gelu", which stands for the tanh form of gelu.
FeedForward read_t5_feed_forward(ObjectReader& reader, Model& model) {
  FeedForward layer{.intermediate_size = size_or_default(reader, model, "d_ff", 2048)};
  warn_if_absent(reader, model, "feed_forward_proj", "relu");
  const std::string text = reader.text_or("feed_forward_proj", "relu");
  constexpr std::string_view gate = "gated-";
  layer.bias = false;
  layer.gated = text.starts_with(gate);
  if (text == "gated-gelu") {
    layer.activation = Activation::gelu_tanh;
    layer.composed_activation = true;
  } else {
    layer.activation =
        activation_from(reader, "feed_forward_proj", layer.gated ? text.substr(gate.size()) : text);
  }
  return layer;
}

TransformerBlock read_t5_stack(ObjectReader& reader, Model& model, std::int64_t d) {
  TransformerBlock layer{.hidden_size = d, .norm = rms_norm, .final_norm = true};
  const std::string_view heads = key_or_alias(reader, "num_heads", "num_attention_heads");
  warn_if_absent(reader, model, "dropout_rate", "0.1");
  layer.hidden_dropout = read_flag(reader, "dropout_rate", 0.1);
  layer.attention = {
      .num_attention_heads = size_or_default(reader, model, heads, 8),
      .head_dim = size_or_default(reader, model, "d_kv", 64),
      .scaled = false,
      .dropout = layer.hidden_dropout,
      .positions =
          RelativeBias{size_or_default(reader, model, "relative_attention_num_buckets", 32), true},
      .bias = no_bias};
  layer.feed_forward = read_t5_feed_forward(reader, model);
  layer.feed_forward.activation_dropout = layer.hidden_dropout;
  return layer;
}

}  // namespace

Result<Model> read_t5(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "t5"};
  const std::string_view width = key_or_alias(reader, "d_model", "hidden_size");
  const std::int64_t d = size_or_default(reader, model, width, 512);
  const std::int64_t vocabulary = size_or_default(reader, model, "vocab_size", 32128);
  TransformerBlock encoder = read_t5_stack(reader, model, d);
  const std::string_view layers = key_or_alias(reader, "num_layers", "num_hidden_layers");
  encoder.num_hidden_layers = size_or_default(reader, model, layers, 6);
  TransformerBlock decoder = encoder;
  decoder.num_hidden_layers = reader.size_or("num_decoder_layers", encoder.num_hidden_layers);
  decoder.attention.causal = true;
  decoder.cross_attention = CrossAttention{.attention = encoder.attention};
  decoder.cross_attention->attention.positions = {};
  if (!reader.boolean_or("tie_word_embeddings", true)) {
    model.warnings.push_back(
        {WarningCode::key_not_modelled, "tie_word_embeddings",
         "transformers 5 shares the table of tokens with the scores all the same"});
  }
  head = choose_head(reader, model, head, t5_heads, t5_heads[0]);
  const EmbeddingBlock embedding{
      .vocab_size = vocabulary, .hidden_size = d, .dropout = encoder.hidden_dropout};
  model.blocks = translator_blocks({embedding, encoder, decoder, true}, head);
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

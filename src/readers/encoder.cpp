// SPDX-License-Identifier: Apache-2.0
#include "readers/encoder.hpp"

namespace joulecast {

TransformerBlock read_encoder(ObjectReader& reader, Model& model, const EncoderDefaults& defaults) {
  TransformerBlock encoder;
  const auto size = [&](std::string_view key, std::int64_t fallback) {
    return size_or_default(reader, model, key, fallback);
  };
  encoder.hidden_size = size("hidden_size", defaults.hidden_size);
  encoder.num_hidden_layers = size("num_hidden_layers", defaults.num_hidden_layers);
  encoder.attention.num_attention_heads = size("num_attention_heads", defaults.num_attention_heads);
  encoder.feed_forward.intermediate_size = size("intermediate_size", defaults.intermediate_size);
  warn_if_absent(reader, model, "hidden_act", defaults.activation);
  encoder.feed_forward.activation = read_activation(reader, "hidden_act", defaults.activation);
  encoder.feed_forward.composed_activation =
      is_composed_activation(reader.text_or("hidden_act", defaults.activation));
  for (const std::string_view key : {"attention_probs_dropout_prob", "hidden_dropout_prob"}) {
    if (defaults.dropout > 0.0) warn_if_absent(reader, model, key, "0.1");
  }
  encoder.attention.dropout = read_flag(reader, "attention_probs_dropout_prob", defaults.dropout);
  encoder.hidden_dropout = read_flag(reader, "hidden_dropout_prob", defaults.dropout);
  check_heads(reader, "num_attention_heads", encoder.attention.num_attention_heads, "hidden_size",
              encoder.hidden_size);
  return encoder;
}

EmbeddingBlock read_text_embedding(ObjectReader& reader, Model& model,
                                   const TextEmbeddingDefaults& defaults,
                                   std::int64_t hidden_size) {
  EmbeddingBlock embedding;
  embedding.vocab_size = size_or_default(reader, model, "vocab_size", defaults.vocab_size);
  embedding.hidden_size = hidden_size;
  embedding.max_position_embeddings =
      size_or_default(reader, model, "max_position_embeddings", defaults.max_position_embeddings);
  embedding.type_vocab_size =
      size_or_default(reader, model, "type_vocab_size", defaults.type_vocab_size);
  embedding.layer_norm = true;
  embedding.dropout = read_flag(reader, "hidden_dropout_prob", 0.1);
  model.max_sequence_length = embedding.max_position_embeddings;
  return embedding;
}

Block pooler_block(std::int64_t hidden_size, Activation activation) {
  return {"pooler", DenseBlock{.input_size = hidden_size,
                               .output_size = hidden_size,
                               .activation = activation,
                               .first_token_only = true}};
}

Block transformed_head_block(const EmbeddingBlock& embedding, bool tied, Activation activation) {
  return {"language_model_head", LanguageModelHeadBlock{.hidden_size = embedding.hidden_size,
                                                        .vocab_size = embedding.vocab_size,
                                                        .tied_embedding = tied,
                                                        .bias = true,
                                                        .transform = true,
                                                        .transform_activation = activation}};
}

void add_narrow_head(Model& model, const EmbeddingBlock& embedding, std::int64_t hidden_size,
                     Activation activation, bool tied) {
  const std::int64_t narrow = embedding.hidden_size;
  model.blocks.push_back(
      {"head_projection",
       DenseBlock{.input_size = hidden_size, .output_size = narrow, .activation = activation}});
  model.blocks.push_back({"head_norm", NormalizationBlock{.hidden_size = narrow}});
  model.blocks.push_back(
      {"language_model_head", LanguageModelHeadBlock{.hidden_size = narrow,
                                                     .vocab_size = embedding.vocab_size,
                                                     .tied_embedding = tied,
                                                     .bias = true}});
}

Block classifier_block(ObjectReader& reader, Model& model, std::int64_t hidden_size) {
  return {"classifier",
          ClassifierBlock{.hidden_size = hidden_size, .num_labels = read_labels(reader, model)}};
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// DistilBERT: Sanh et al. 2019, arXiv:1910.01108. Keys and defaults: transformers'
// DistilBertConfig.
#include "readers/encoder.hpp"

#include <array>

namespace joulecast {
namespace {

const std::array<HeadChoice, 3> distilbert_heads = {
    {{"DistilBertForMaskedLM", Head::masked_lm},
     {"DistilBertModel", Head::none},
     {"DistilBertForSequenceClassification", Head::classifier}}};

}  // namespace

Result<Model> read_distilbert(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "distilbert"};
  const auto size = [&](std::string_view key, std::int64_t fallback) {
    return size_or_default(reader, model, key, fallback);
  };
  // DistilBertConfig.attribute_map.
  const std::string_view width = key_or_alias(reader, "dim", "hidden_size");
  const std::string_view layers = key_or_alias(reader, "n_layers", "num_hidden_layers");
  const std::string_view heads = key_or_alias(reader, "n_heads", "num_attention_heads");
  EmbeddingBlock embedding{.vocab_size = size("vocab_size", 30522),
                           .hidden_size = size(width, 768),
                           .max_position_embeddings = size("max_position_embeddings", 512),
                           .layer_norm = true};
  const std::int64_t d = embedding.hidden_size;
  TransformerBlock encoder{.num_hidden_layers = size(layers, 6), .hidden_size = d};
  encoder.attention.num_attention_heads = size(heads, 12);
  encoder.feed_forward.intermediate_size = size("hidden_dim", 3072);
  warn_if_absent(reader, model, "activation", "gelu");
  encoder.feed_forward.activation = read_activation(reader, "activation", "gelu");
  for (const std::string_view key : {"dropout", "attention_dropout"}) {
    warn_if_absent(reader, model, key, "0.1");
  }
  encoder.attention.dropout = read_flag(reader, "attention_dropout", 0.1);
  encoder.hidden_dropout = read_flag(reader, "dropout", 0.1);
  embedding.dropout = encoder.hidden_dropout;
  check_heads(reader, heads, encoder.attention.num_attention_heads, width, d);
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  head = choose_head(reader, model, head, distilbert_heads, distilbert_heads[1]);
  model.max_sequence_length = embedding.max_position_embeddings;
  model.blocks = {{"embedding", embedding}, {"encoder", encoder}};
  if (head == Head::masked_lm) {
    model.blocks.push_back(
        transformed_head_block(embedding, tied, encoder.feed_forward.activation));
  }
  if (head == Head::classifier) {
    model.blocks.push_back(pooler_block(d, Activation::relu));
    model.blocks.push_back(classifier_block(reader, model, d));
  }
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

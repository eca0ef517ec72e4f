// SPDX-License-Identifier: Apache-2.0
#pragma once

// The keys that BERT and the families after it share, text or image: width, layers, heads,
// feed-forward width, activation, two dropouts.

#include "readers/heads.hpp"
#include "readers/readers.hpp"

namespace joulecast {

struct EncoderDefaults {
  std::int64_t hidden_size = 768;
  std::int64_t num_hidden_layers = 12;
  std::int64_t num_attention_heads = 12;
  std::int64_t intermediate_size = 3072;
  std::string_view activation = "gelu";
  double dropout = 0.1;
};

TransformerBlock read_encoder(ObjectReader& reader, Model& model, const EncoderDefaults& defaults);

struct TextEmbeddingDefaults {
  std::int64_t vocab_size = 30522;
  std::int64_t max_position_embeddings = 512;
  std::int64_t type_vocab_size = 2;
};

// Token, position and segment tables with a normalisation, of the width `hidden_size`.
EmbeddingBlock read_text_embedding(ObjectReader& reader, Model& model,
                                   const TextEmbeddingDefaults& defaults, std::int64_t hidden_size);

// A dense layer with its activation on the first token, as BERT's pooler.
Block pooler_block(std::int64_t hidden_size, Activation activation = Activation::tanh);

// Scores over the vocabulary behind a dense layer, an activation and a normalisation, as BERT's.
Block transformed_head_block(const EmbeddingBlock& embedding, bool tied,
                             Activation activation = Activation::gelu);

// The same where the embedding is narrower than the layers: a dense layer down to its width, an
// activation, a normalisation, and scores of that width.
void add_narrow_head(Model& model, const EmbeddingBlock& embedding, std::int64_t hidden_size,
                     Activation activation, bool tied);

// Scores of the labels from the first token.
Block classifier_block(ObjectReader& reader, Model& model, std::int64_t hidden_size);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// RoBERTa: Liu et al. 2019, arXiv:1907.11692. Keys and defaults: transformers' RobertaConfig.
#include "readers/encoder.hpp"

#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

const std::array<HeadChoice, 5> roberta_heads = {
    {{"RobertaForMaskedLM", Head::masked_lm},
     {"RobertaModel", Head::pooler},
     {"RobertaForCausalLM", Head::causal_lm},
     {"RobertaForSequenceClassification", Head::classifier},
     {"", Head::none}}};

}  // namespace

Result<Model> read_roberta(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "roberta"};
  TransformerBlock encoder = read_encoder(reader, model, {});
  encoder.attention.causal = reader.boolean_or("is_decoder", false);
  const std::int64_t d = encoder.hidden_size;
  const EmbeddingBlock embedding = read_text_embedding(reader, model, {.vocab_size = 50265}, d);
  // Positions are counted from behind the padding token, so that many rows hold no position.
  const std::int64_t padding = reader.count_or("pad_token_id", 1) + 1;
  model.max_sequence_length = embedding.max_position_embeddings - padding;
  if (*model.max_sequence_length < 1) {
    reader.fail("max_position_embeddings",
                fmt::format("{} rows leave no position behind pad_token_id = {}",
                            embedding.max_position_embeddings, padding - 1),
                "give the number of rows that the table really has");
  }
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  head = choose_head(reader, model, head, roberta_heads, roberta_heads[1]);
  model.blocks = {{"embedding", embedding}, {"encoder", encoder}};
  // The dense layer of its classification head is a pooler in all but name.
  if (head == Head::pooler || head == Head::classifier) model.blocks.push_back(pooler_block(d));
  if (head == Head::classifier) model.blocks.push_back(classifier_block(reader, model, d));
  if (head == Head::masked_lm || head == Head::causal_lm) {
    model.blocks.push_back(transformed_head_block(embedding, tied));
  }
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// BART: Lewis et al. 2019, arXiv:1910.13461. Keys and defaults: transformers' BartConfig.
#include "readers/heads.hpp"
#include "readers/seq2seq.hpp"

#include <array>

namespace joulecast {
namespace {

const std::array<HeadChoice, 2> bart_heads = {
    {{"BartForConditionalGeneration", Head::causal_lm}, {"BartModel", Head::none}}};

}  // namespace

Result<Model> read_bart(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "bart"};
  const std::int64_t d = size_or_default(reader, model, "d_model", 1024);
  const std::int64_t positions = size_or_default(reader, model, "max_position_embeddings", 1024);
  warn_if_absent(reader, model, "activation_function", "gelu");
  warn_if_absent(reader, model, "dropout", "0.1");
  TransformerBlock encoder = read_stack(reader, model, "encoder", {12, 16, 4096}, d);
  TransformerBlock decoder = read_stack(reader, model, "decoder", {12, 16, 4096}, d);
  encoder.hidden_dropout = read_flag(reader, "dropout", 0.1);
  decoder.hidden_dropout = encoder.hidden_dropout;
  decoder.cross_attention = CrossAttention{.attention = decoder.attention};
  decoder.cross_attention->attention.causal = false;
  // The tables of positions begin with two rows that no position uses.
  const EmbeddingBlock embedding{.vocab_size = size_or_default(reader, model, "vocab_size", 50265),
                                 .hidden_size = d,
                                 .max_position_embeddings = positions + 2,
                                 .layer_norm = true,
                                 .dropout = encoder.hidden_dropout,
                                 .scaled = reader.boolean_or("scale_embedding", false)};
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  head = choose_head(reader, model, head, bart_heads, bart_heads[0]);
  model.max_sequence_length = positions;
  model.blocks = translator_blocks({embedding, encoder, decoder, tied}, head);
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

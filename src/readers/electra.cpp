// SPDX-License-Identifier: Apache-2.0
// ELECTRA: Clark et al. 2020, arXiv:2003.10555: the discriminator, which says of each token whether
// it was replaced, or the generator. Keys and defaults: transformers' ElectraConfig.
#include "readers/encoder.hpp"

#include <array>

namespace joulecast {
namespace {

const std::array<HeadChoice, 4> electra_heads = {
    {{"ElectraForPreTraining", Head::discriminator},
     {"ElectraForMaskedLM", Head::masked_lm},
     {"ElectraModel", Head::none},
     {"ElectraForSequenceClassification", Head::classifier}}};

void add_electra_head(ObjectReader& reader, Model& model, Head head,
                      const EmbeddingBlock& embedding, const TransformerBlock& encoder) {
  const std::int64_t d = encoder.hidden_size;
  const Activation activation = encoder.feed_forward.activation;
  if (head == Head::discriminator) {
    model.blocks.push_back(
        {"head_projection",
         DenseBlock{.input_size = d, .output_size = d, .activation = activation}});
    model.blocks.push_back(
        {"discriminator",
         ClassifierBlock{.hidden_size = d, .num_labels = 1, .per_position = true}});
  }
  if (head == Head::masked_lm) {
    const bool tied = reader.boolean_or("tie_word_embeddings", true);
    add_narrow_head(model, embedding, d, Activation::gelu, tied);
  }
  if (head == Head::classifier) {
    model.blocks.push_back(pooler_block(d, Activation::gelu));
    model.blocks.push_back(classifier_block(reader, model, d));
  }
}

}  // namespace

Result<Model> read_electra(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "electra"};
  const TransformerBlock encoder = read_encoder(reader, model,
                                                {.hidden_size = 256,
                                                 .num_hidden_layers = 12,
                                                 .num_attention_heads = 4,
                                                 .intermediate_size = 1024});
  const std::int64_t width = size_or_default(reader, model, "embedding_size", 128);
  const EmbeddingBlock embedding = read_text_embedding(reader, model, {}, width);
  head = choose_head(reader, model, head, electra_heads, electra_heads[2]);
  model.blocks = {{"embedding", embedding}};
  if (width != encoder.hidden_size) {
    model.blocks.push_back({"embedding_projection",
                            DenseBlock{.input_size = width, .output_size = encoder.hidden_size}});
  }
  model.blocks.push_back({"encoder", encoder});
  add_electra_head(reader, model, head, embedding, encoder);
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

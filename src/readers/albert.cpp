// SPDX-License-Identifier: Apache-2.0
// ALBERT: Lan et al. 2019, arXiv:1909.11942: a narrow embedding, and layers that share their
// parameters by groups. Keys and defaults: transformers' AlbertConfig.
#include "readers/encoder.hpp"

#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

const std::array<HeadChoice, 4> albert_heads = {
    {{"AlbertForMaskedLM", Head::masked_lm},
     {"AlbertModel", Head::pooler},
     {"AlbertForSequenceClassification", Head::classifier},
     {"", Head::none}}};

// Each of num_hidden_layers passes runs the inner_group_num layers of its group.
void read_groups(ObjectReader& reader, TransformerBlock& encoder) {
  const std::int64_t passes = encoder.num_hidden_layers;
  const std::int64_t groups = reader.size_or("num_hidden_groups", 1);
  const std::int64_t inner = reader.size_or("inner_group_num", 1);
  if (groups > passes) {
    reader.fail("num_hidden_groups",
                fmt::format("{} groups for num_hidden_layers = {}", groups, passes),
                "choose num_hidden_groups of at most num_hidden_layers");
  }
  const Count layers = Count{passes} * inner;
  const Count distinct = Count{groups} * inner;
  if (layers.overflowed() || distinct.overflowed()) {
    reader.fail("inner_group_num", "times num_hidden_layers exceeds 64 bits",
                "give the sizes that the model really has", ErrorKind::overflow);
    return;
  }
  encoder.num_hidden_layers = layers.value();
  encoder.num_distinct_layers = distinct.value();
}

}  // namespace

Result<Model> read_albert(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "albert"};
  TransformerBlock encoder = read_encoder(reader, model,
                                          {.hidden_size = 4096,
                                           .num_hidden_layers = 12,
                                           .num_attention_heads = 64,
                                           .intermediate_size = 16384,
                                           .activation = "gelu_new",
                                           .dropout = 0.0});
  read_groups(reader, encoder);
  const std::int64_t d = encoder.hidden_size;
  const std::int64_t narrow = size_or_default(reader, model, "embedding_size", 128);
  EmbeddingBlock embedding = read_text_embedding(reader, model, {.vocab_size = 30000}, narrow);
  embedding.dropout = encoder.hidden_dropout;
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  head = choose_head(reader, model, head, albert_heads, albert_heads[1]);
  model.blocks = {{"embedding", embedding},
                  {"embedding_projection", DenseBlock{.input_size = narrow, .output_size = d}},
                  {"encoder", encoder}};
  if (head == Head::pooler || head == Head::classifier) model.blocks.push_back(pooler_block(d));
  if (head == Head::classifier) model.blocks.push_back(classifier_block(reader, model, d));
  if (head == Head::masked_lm) {
    add_narrow_head(model, embedding, d, encoder.feed_forward.activation, tied);
  }
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

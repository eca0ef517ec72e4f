// SPDX-License-Identifier: Apache-2.0
// BERT: Devlin et al. 2018, arXiv:1810.04805. Keys and defaults: transformers' BertConfig.
#include "readers/encoder.hpp"

#include <array>

namespace joulecast {
namespace {

void add_bert_head(std::vector<Block>& blocks, const EmbeddingBlock& embedding, Head head,
                   Activation activation, bool tied) {
  const std::int64_t d = embedding.hidden_size;
  if (head == Head::pooler || head == Head::classifier) blocks.push_back(pooler_block(d));
  if (head == Head::masked_lm || head == Head::causal_lm) {
    blocks.push_back(transformed_head_block(embedding, tied, activation));
  }
}

const std::array<HeadChoice, 6> bert_heads = {{{"BertForMaskedLM", Head::masked_lm},
                                               {"BertForPreTraining", Head::masked_lm},
                                               {"BertModel", Head::pooler},
                                               {"BertLMHeadModel", Head::causal_lm},
                                               {"BertForSequenceClassification", Head::classifier},
                                               {"", Head::none}}};

void warn_of_pretraining(ObjectReader& reader, Model& model) {
  const std::vector<std::string> names = reader.texts("architectures");
  if (names.empty() || names.front() != "BertForPreTraining") return;
  model.warnings.push_back({WarningCode::input_defaulted, "architectures",
                            "BertForPreTraining is read as its masked-LM half: the pooler and "
                            "the next-sentence head are left out"});
}

Result<void> count_variants(Model& model, const std::vector<Block>& body,
                            const EmbeddingBlock& embedding, Activation activation, bool tied) {
  struct Variant {
    std::string_view name;
    Head head;
  };
  for (const Variant& variant :
       {Variant{"encoder_alone", Head::none}, Variant{"with_pooler", Head::pooler},
        Variant{"with_masked_lm_head", Head::masked_lm}}) {
    Model other{.blocks = body, .file = model.file};
    add_bert_head(other.blocks, embedding, variant.head, activation, tied);
    const auto count = count_all_parameters(other);
    if (!count) return std::unexpected(count.error());
    model.parameter_variants.push_back({std::string(variant.name), *count});
  }
  return {};
}

}  // namespace

Result<Model> read_bert(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "bert", .file = file};
  TransformerBlock encoder = read_encoder(reader, model, {});
  encoder.attention.causal = reader.boolean_or("is_decoder", false);
  const EmbeddingBlock embedding = read_text_embedding(reader, model, {}, encoder.hidden_size);
  if (reader.boolean_or("add_cross_attention", false)) {
    reader.fail("add_cross_attention", "BERT with cross-attention is not supported",
                "describe it in a TOML file with a transformer_decoder block",
                ErrorKind::unsupported);
  }
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  const bool from_config = head == Head::from_config;
  head = choose_head(reader, model, head, bert_heads, bert_heads[2]);
  if (from_config) warn_of_pretraining(reader, model);
  const std::vector<Block> body = {{"embedding", embedding}, {"encoder", encoder}};
  const Activation activation = encoder.feed_forward.activation;
  model.blocks = body;
  add_bert_head(model.blocks, embedding, head, activation, tied);
  if (head == Head::classifier) {
    model.blocks.push_back(classifier_block(reader, model, encoder.hidden_size));
  }
  auto finished = finish_model(reader, std::move(model));
  if (!finished) return finished;
  if (auto counted = count_variants(*finished, body, embedding, activation, tied); !counted) {
    return std::unexpected(counted.error());
  }
  return finished;
}

}  // namespace joulecast

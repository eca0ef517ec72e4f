// SPDX-License-Identifier: Apache-2.0
// BERT: Devlin et al. 2018, arXiv:1810.04805. Keys and defaults: transformers' BertConfig.
#include "readers/readers.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace joulecast {
namespace {

Head bert_head(ObjectReader& reader, Model& model) {
  const std::vector<std::string> architectures = reader.texts("architectures");
  for (const std::string& name : architectures) {
    const bool known = name == "BertForMaskedLM" || name == "BertForPreTraining" ||
                       name == "BertModel" || name == "BertLMHeadModel";
    if (known) warn_of_architectures(model, architectures, name);
    if (name == "BertForMaskedLM") return Head::masked_lm;
    if (name == "BertForPreTraining") {
      model.warnings.push_back({WarningCode::input_defaulted, "architectures",
                                "BertForPreTraining is read as its masked-LM half: the pooler and "
                                "the next-sentence head are left out"});
      return Head::masked_lm;
    }
    if (name == "BertModel") return Head::pooler;
    if (name == "BertLMHeadModel") return Head::causal_lm;
  }
  if (!architectures.empty()) {
    reader.fail("architectures", fmt::format("the head of {} is not known", architectures[0]),
                "choose one with --head: none, pooler, masked_lm or causal_lm",
                ErrorKind::unsupported);
  }
  model.warnings.push_back({WarningCode::input_defaulted, "architectures",
                            "the file does not state a head; the plain BertModel with its pooler "
                            "is assumed (--head chooses another)"});
  return Head::pooler;
}

std::vector<Block> with_head(std::vector<Block> body, const EmbeddingBlock& embedding, Head head,
                             Activation activation, bool tied) {
  const std::int64_t d = embedding.hidden_size;
  if (head == Head::pooler) {
    body.push_back({"pooler", DenseBlock{.input_size = d,
                                         .output_size = d,
                                         .activation = Activation::tanh,
                                         .first_token_only = true}});
  }
  if (head == Head::masked_lm || head == Head::causal_lm) {
    body.push_back(
        {"language_model_head", LanguageModelHeadBlock{.hidden_size = d,
                                                       .vocab_size = embedding.vocab_size,
                                                       .tied_embedding = tied,
                                                       .bias = true,
                                                       .transform = true,
                                                       .transform_activation = activation}});
  }
  return body;
}

}  // namespace

Result<Model> read_bert(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model;
  model.family = "bert";
  EmbeddingBlock embedding;
  embedding.vocab_size = size_or_default(reader, model, "vocab_size", 30522);
  embedding.hidden_size = size_or_default(reader, model, "hidden_size", 768);
  embedding.max_position_embeddings =
      size_or_default(reader, model, "max_position_embeddings", 512);
  embedding.type_vocab_size = size_or_default(reader, model, "type_vocab_size", 2);
  embedding.layer_norm = true;
  TransformerBlock encoder;
  encoder.hidden_size = embedding.hidden_size;
  encoder.num_hidden_layers = size_or_default(reader, model, "num_hidden_layers", 12);
  encoder.num_attention_heads = size_or_default(reader, model, "num_attention_heads", 12);
  encoder.intermediate_size = size_or_default(reader, model, "intermediate_size", 3072);
  warn_if_absent(reader, model, "hidden_act", "gelu");
  encoder.activation = read_activation(reader, "hidden_act", "gelu");
  for (const std::string_view key : {"attention_probs_dropout_prob", "hidden_dropout_prob"}) {
    warn_if_absent(reader, model, key, "0.1");
  }
  encoder.attention_dropout = read_dropout(reader, "attention_probs_dropout_prob", 0.1) > 0.0;
  encoder.hidden_dropout = read_dropout(reader, "hidden_dropout_prob", 0.1) > 0.0;
  encoder.decoder = reader.boolean_or("is_decoder", false);
  embedding.dropout = encoder.hidden_dropout;
  check_heads(reader, "num_attention_heads", encoder.num_attention_heads, "hidden_size",
              encoder.hidden_size);
  if (reader.boolean_or("add_cross_attention", false)) {
    reader.fail("add_cross_attention", "BERT with cross-attention is not supported",
                "describe it in a TOML file with a transformer_decoder block",
                ErrorKind::unsupported);
  }
  check_uncovered_keys(reader, model);
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  if (head == Head::from_config) head = bert_head(reader, model);
  model.max_sequence_length = embedding.max_position_embeddings;
  const std::vector<Block> body = {{"embedding", embedding}, {"encoder", encoder}};
  model.blocks = with_head(body, embedding, head, encoder.activation, tied);
  if (reader.error()) return std::unexpected(*reader.error());

  struct Variant {
    std::string_view name;
    Head head;
  };
  for (const Variant& variant :
       {Variant{"encoder_alone", Head::none}, Variant{"with_pooler", Head::pooler},
        Variant{"with_masked_lm_head", Head::masked_lm}}) {
    Model other{.file = file};
    other.blocks = with_head(body, embedding, variant.head, encoder.activation, tied);
    const auto count = count_all_parameters(other);
    if (!count) return std::unexpected(count.error());
    model.parameter_variants.push_back({std::string(variant.name), *count});
  }
  return model;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// OPT: Zhang et al. 2022, arXiv:2205.01068. Keys and defaults: transformers' OPTConfig.
#include "readers/decoder.hpp"

#include <array>

namespace joulecast {
namespace {

const std::array<HeadChoice, 3> opt_heads = {{{"OPTForCausalLM", Head::causal_lm},
                                              {"OPTModel", Head::none},
                                              {"OPTForSequenceClassification", Head::classifier}}};

TransformerBlock read_opt_layers(ObjectReader& reader, Model& model, std::int64_t d) {
  TransformerBlock layer{.hidden_size = d};
  layer.num_hidden_layers = size_or_default(reader, model, "num_hidden_layers", 12);
  layer.attention.num_attention_heads = size_or_default(reader, model, "num_attention_heads", 12);
  check_heads(reader, "num_attention_heads", layer.attention.num_attention_heads, "hidden_size", d);
  const bool bias = reader.boolean_or("enable_bias", true);
  layer.attention.causal = true;
  layer.attention.bias = {bias, bias, bias, bias};
  layer.attention.dropout = read_flag(reader, "attention_dropout", 0.0);
  warn_if_absent(reader, model, "activation_function", "relu");
  layer.feed_forward = {.intermediate_size = size_or_default(reader, model, "ffn_dim", 3072),
                        .activation = read_activation(reader, "activation_function", "relu"),
                        .bias = bias};
  warn_if_absent(reader, model, "dropout", "0.1");
  layer.hidden_dropout = read_flag(reader, "dropout", 0.1);
  const bool affine = reader.boolean_or("layer_norm_elementwise_affine", true);
  layer.norm = {.weight = affine, .bias = affine};
  // Normalised behind the sublayers (OPT-350M), the last layer's result is normalised already.
  layer.final_norm = reader.boolean_or("do_layer_norm_before", true) &&
                     !reader.boolean_or("_remove_final_layer_norm", false);
  return layer;
}

}  // namespace

Result<Model> read_opt(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "opt"};
  const std::int64_t d = size_or_default(reader, model, "hidden_size", 768);
  const std::int64_t narrow = reader.size_or("word_embed_proj_dim", d);
  EmbeddingBlock embedding{.vocab_size = size_or_default(reader, model, "vocab_size", 50272),
                           .hidden_size = narrow};
  const std::int64_t positions = size_or_default(reader, model, "max_position_embeddings", 2048);
  const TransformerBlock layer = read_opt_layers(reader, model, d);
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  head = choose_head(reader, model, head, opt_heads, opt_heads[0]);
  model.max_sequence_length = positions;
  model.blocks = {{"embedding", embedding}};
  if (narrow != d) {
    model.blocks.push_back({"embedding_projection",
                            DenseBlock{.input_size = narrow, .output_size = d, .bias = false}});
  }
  // The table begins with two rows that no position uses; it has the width of the layers.
  model.blocks.push_back(
      {"positions", PositionEmbeddingBlock{.num_positions = positions + 2, .hidden_size = d}});
  model.blocks.push_back({"decoder", layer});
  if (narrow != d) {
    model.blocks.push_back(
        {"head_projection", DenseBlock{.input_size = d, .output_size = narrow, .bias = false}});
  }
  if (head == Head::causal_lm) {
    model.blocks.push_back(
        {"language_model_head",
         LanguageModelHeadBlock{
             .hidden_size = narrow, .vocab_size = embedding.vocab_size, .tied_embedding = tied}});
  }
  if (head == Head::classifier) {
    const std::int64_t labels = read_labels(reader, model);
    model.blocks.push_back(
        {"classifier",
         ClassifierBlock{.hidden_size = narrow, .num_labels = labels, .bias = false}});
  }
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

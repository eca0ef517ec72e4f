// SPDX-License-Identifier: Apache-2.0
// DeBERTa V2 and V3: He et al. 2020, arXiv:2006.03654 and 2021, arXiv:2111.09543. Keys and
// defaults: transformers' DebertaV2Config.
#include "readers/encoder.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

const std::array<HeadChoice, 4> deberta_heads = {
    {{"DebertaV2ForMaskedLM", Head::masked_lm},
     {"DebertaV2Model", Head::none},
     {"DebertaV2ForSequenceClassification", Head::classifier},
     {"", Head::pooler}}};

// A list of "p2c" and "c2p", or both in one text with | between them.
void read_attention_kinds(ObjectReader& reader, DisentangledPositions& positions) {
  std::string joined;
  for (const std::string& kind : reader.scalars("pos_att_type")) joined += "|" + kind;
  std::size_t begin = 0;
  while (begin < joined.size()) {
    const std::size_t end = std::min(joined.find('|', begin), joined.size());
    const std::string kind = joined.substr(begin, end - begin);
    begin = end + 1;
    if (kind == "c2p") {
      positions.content_to_position = true;
    } else if (kind == "p2c") {
      positions.position_to_content = true;
    } else if (!kind.empty()) {
      reader.fail("pos_att_type", fmt::format("unknown attention \"{}\"", kind.substr(0, 60)),
                  "known: c2p, p2c", ErrorKind::unsupported);
      return;
    }
  }
}

// Twice as many rows as distances: in buckets where those are stated.
DisentangledPositions read_relative_positions(ObjectReader& reader, std::int64_t max_positions) {
  DisentangledPositions positions;
  const auto stated = [&](std::string_view key) {
    return reader.optional_number(key, {-1.0, static_cast<double>(maximum_size)}).value_or(-1.0);
  };
  double distances = stated("max_relative_positions");
  if (distances < 1.0) distances = static_cast<double>(max_positions);
  const double buckets = stated("position_buckets");
  if (buckets > 0.0) distances = buckets;
  positions.num_embeddings = 2 * static_cast<std::int64_t>(distances);
  positions.norm = reader.text_or("norm_rel_ebd", "none").find("layer_norm") != std::string::npos;
  positions.shared_projections = reader.boolean_or("share_att_key", false);
  read_attention_kinds(reader, positions);
  return positions;
}

// A convolution along the tokens beside the first layer; its result is added to that layer's.
void add_convolution(ObjectReader& reader, Model& model, std::int64_t width) {
  const std::int64_t kernel = reader.count_or("conv_kernel_size", 0);
  if (kernel == 0) return;
  const std::int64_t groups = reader.size_or("conv_groups", 1);
  if (width % groups != 0) {
    reader.fail("conv_groups",
                fmt::format("{} groups do not divide hidden_size = {}", groups, width),
                "choose conv_groups so that hidden_size is a multiple of it");
    return;
  }
  const ConvolutionLayer layer{.in_channels = width,
                               .out_channels = width,
                               .kernel_size = kernel,
                               .padding = (kernel - 1) / 2,
                               .groups = groups,
                               .one_dimensional = true,
                               .norm = ConvolutionLayer::Norm::layer_norm,
                               .activation = read_activation(reader, "conv_act", "tanh")};
  model.blocks.push_back({"convolution", ConvolutionBlock{.layers = {layer}, .residual = true}});
}

}  // namespace

Result<Model> read_deberta_v2(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "deberta-v2"};
  TransformerBlock encoder = read_encoder(reader, model,
                                          {.hidden_size = 1536,
                                           .num_hidden_layers = 24,
                                           .num_attention_heads = 24,
                                           .intermediate_size = 6144});
  const std::int64_t d = encoder.hidden_size;
  EmbeddingBlock embedding;
  embedding.vocab_size = size_or_default(reader, model, "vocab_size", 128100);
  embedding.hidden_size = d;
  embedding.layer_norm = true;
  embedding.dropout = encoder.hidden_dropout;
  embedding.type_vocab_size = reader.count_or("type_vocab_size", 0);
  const std::int64_t positions = size_or_default(reader, model, "max_position_embeddings", 512);
  if (reader.boolean_or("position_biased_input", true)) {
    embedding.max_position_embeddings = positions;
    model.max_sequence_length = positions;
  }
  if (reader.has("embedding_size") && reader.size("embedding_size") != d) {
    reader.fail("embedding_size", fmt::format("differs from hidden_size = {}", d),
                "an embedding of another width is not supported for this family",
                ErrorKind::unsupported);
  }
  if (reader.boolean_or("relative_attention", false)) {
    encoder.attention.positions = read_relative_positions(reader, positions);
  }
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  head = choose_head(reader, model, head, deberta_heads, deberta_heads[1]);
  model.blocks = {{"embedding", embedding}, {"encoder", encoder}};
  add_convolution(reader, model, d);
  if (head == Head::pooler || head == Head::classifier) {
    model.blocks.push_back(pooler_block(d, Activation::gelu));
  }
  if (head == Head::classifier) model.blocks.push_back(classifier_block(reader, model, d));
  if (head == Head::masked_lm) {
    model.blocks.push_back(
        transformed_head_block(embedding, tied, encoder.feed_forward.activation));
  }
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

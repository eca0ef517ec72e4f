// SPDX-License-Identifier: Apache-2.0
// CLIP: Radford et al. 2021, arXiv:2103.00020: a tower for texts, one for images, and the scores of
// all pairs in the batch. Keys and defaults: transformers' CLIPConfig, CLIPTextConfig and
// CLIPVisionConfig.
#include "readers/image.hpp"

#include <array>

namespace joulecast {
namespace {

const std::array<HeadChoice, 2> clip_heads = {{{"CLIPModel", Head::none}, {"", Head::none}}};

TransformerBlock read_tower(ObjectReader& reader, Model& model, std::int64_t hidden_size,
                            std::int64_t heads, std::int64_t intermediate_size) {
  TransformerBlock tower;
  tower.hidden_size = size_or_default(reader, model, "hidden_size", hidden_size);
  tower.num_hidden_layers = size_or_default(reader, model, "num_hidden_layers", 12);
  tower.attention.num_attention_heads =
      size_or_default(reader, model, "num_attention_heads", heads);
  check_heads(reader, "num_attention_heads", tower.attention.num_attention_heads, "hidden_size",
              tower.hidden_size);
  tower.attention.dropout = read_flag(reader, "attention_dropout", 0.0);
  tower.feed_forward.intermediate_size =
      size_or_default(reader, model, "intermediate_size", intermediate_size);
  warn_if_absent(reader, model, "hidden_act", "quick_gelu");
  tower.feed_forward.activation = read_activation(reader, "hidden_act", "quick_gelu");
  return tower;
}

Block clip_projection(const std::string& name, std::int64_t width, std::int64_t dim,
                      const Positions& positions) {
  return {
      name,
      DenseBlock{.input_size = width, .output_size = dim, .first_token_only = true, .bias = false},
      positions};
}

void add_text_tower(ObjectReader& reader, Model& model, std::int64_t dim) {
  TransformerBlock tower = read_tower(reader, model, 512, 8, 2048);
  tower.attention.causal = true;
  tower.final_norm = true;
  const EmbeddingBlock embedding{
      .vocab_size = size_or_default(reader, model, "vocab_size", 49408),
      .hidden_size = tower.hidden_size,
      .max_position_embeddings = size_or_default(reader, model, "max_position_embeddings", 77)};
  model.max_sequence_length = embedding.max_position_embeddings;
  model.blocks.push_back({"text_embedding", embedding});
  model.blocks.push_back({"text_encoder", tower});
  model.blocks.push_back(clip_projection("text_projection", tower.hidden_size, dim, {}));
}

void add_image_tower(ObjectReader& reader, Model& model, std::int64_t dim) {
  const TransformerBlock tower = read_tower(reader, model, 768, 12, 3072);
  const std::int64_t d = tower.hidden_size;
  const ImageSizes image = read_image(reader, model, 224, 32);
  const Positions tokens = token_positions(image, 1);
  PatchEmbeddingBlock patches = patch_embedding(image, d);
  patches.num_special_tokens = 1;
  patches.position_embeddings = true;
  patches.bias = false;
  patches.layer_norm = true;
  model.blocks.push_back({"patch_embedding", patches, tokens});
  model.blocks.push_back({"image_encoder", tower, tokens});
  model.blocks.push_back(
      {"image_norm", NormalizationBlock{.hidden_size = d, .first_token_only = true}, tokens});
  model.blocks.push_back(clip_projection("image_projection", d, dim, tokens));
}

}  // namespace

Result<Model> read_clip(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "clip"};
  const std::int64_t dim = size_or_default(reader, model, "projection_dim", 512);
  // An absent tower has the defaults of its configuration class.
  const Value none{Object{}};
  ObjectReader no_text(none, file, "text_config");
  ObjectReader no_vision(none, file, "vision_config");
  auto text = reader.child("text_config");
  auto vision = reader.child("vision_config");
  if (reader.error()) return std::unexpected(*reader.error());
  ObjectReader& text_keys = text ? *text : no_text;
  ObjectReader& vision_keys = vision ? *vision : no_vision;
  add_text_tower(text_keys, model, dim);
  add_image_tower(vision_keys, model, dim);
  choose_head(reader, model, head, clip_heads, clip_heads[0]);
  model.blocks.push_back(
      {"contrastive_head", ContrastiveHeadBlock{.projection_dim = dim}, fixed_positions(1)});
  reader.adopt(text_keys.error());
  reader.adopt(vision_keys.error());
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

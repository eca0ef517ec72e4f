// SPDX-License-Identifier: Apache-2.0
// ViT: Dosovitskiy et al. 2020, arXiv:2010.11929. DeiT: Touvron et al. 2020, arXiv:2012.12877, with
// a second token and a second classifier that learn from a teacher. Keys and defaults:
// transformers' ViTConfig and DeiTConfig.
#include "readers/image.hpp"

#include <algorithm>
#include <array>

namespace joulecast {
namespace {

const std::array<HeadChoice, 3> vit_heads = {{{"ViTForImageClassification", Head::classifier},
                                              {"ViTModel", Head::pooler},
                                              {"", Head::none}}};
const std::array<HeadChoice, 4> deit_heads = {
    {{"DeiTForImageClassificationWithTeacher", Head::classifier},
     {"DeiTForImageClassification", Head::classifier},
     {"DeiTModel", Head::pooler},
     {"", Head::none}}};

constexpr EncoderDefaults vit_defaults{.dropout = 0.0};

void add_tokens(ObjectReader& reader, Model& model, std::int64_t special) {
  TransformerBlock encoder = read_encoder(reader, model, vit_defaults);
  const bool bias = reader.boolean_or("qkv_bias", true);
  encoder.attention.bias = {bias, bias, bias, true};
  encoder.final_norm = true;
  const ImageSizes image = read_image(reader, model, 224, 16);
  PatchEmbeddingBlock patches = patch_embedding(image, encoder.hidden_size);
  patches.num_special_tokens = special;
  patches.position_embeddings = true;
  patches.dropout = encoder.hidden_dropout;
  const Positions tokens = token_positions(image, special);
  model.blocks = {{"patch_embedding", patches, tokens}, {"encoder", encoder, tokens}};
}

void add_image_head(ObjectReader& reader, Model& model, Head head) {
  const std::int64_t d = std::get<TransformerBlock>(model.blocks[1].shape).hidden_size;
  Block block;
  if (head == Head::pooler) block = pooler_block(d);
  if (head == Head::classifier) block = classifier_block(reader, model, d);
  if (head == Head::none) return;
  block.positions = model.blocks[1].positions;
  model.blocks.push_back(block);
}

}  // namespace

Result<Model> read_vit(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "vit"};
  add_tokens(reader, model, 1);
  add_image_head(reader, model, choose_head(reader, model, head, vit_heads, vit_heads[1]));
  return finish_model(reader, std::move(model));
}

Result<Model> read_deit(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "deit"};
  add_tokens(reader, model, 2);
  head = choose_head(reader, model, head, deit_heads, deit_heads[2]);
  add_image_head(reader, model, head);
  const std::vector<std::string> names = reader.texts("architectures");
  const bool teacher = std::ranges::find(names, deit_heads[0].architecture) != names.end();
  if (head == Head::classifier && teacher) {
    Block distillation = model.blocks.back();
    distillation.name = "distillation_classifier";
    model.blocks.push_back(distillation);
  }
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

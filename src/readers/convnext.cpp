// SPDX-License-Identifier: Apache-2.0
// ConvNeXt: Liu et al. 2022, arXiv:2201.03545. Keys and defaults: transformers' ConvNextConfig.
#include "readers/image.hpp"

#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

const std::array<HeadChoice, 3> convnext_heads = {
    {{"ConvNextForImageClassification", Head::classifier},
     {"ConvNextModel", Head::none},
     {"", Head::none}}};

// A 7 x 7 convolution per channel, normalised, and a feed-forward network four times as wide.
ConvolutionBlock convnext_layers(std::int64_t width, std::int64_t depth, Activation activation,
                                 bool scaled) {
  return {.repeats = depth,
          .layers = {{.in_channels = width,
                      .out_channels = width,
                      .kernel_size = 7,
                      .padding = 3,
                      .groups = width,
                      .norm = ConvolutionLayer::Norm::layer_norm}},
          .residual = true,
          .feed_forward = FeedForward{.intermediate_size = (Count{4} * width).value(),
                                      .activation = activation},
          .layer_scale = scaled};
}

void add_convnext_stages(ObjectReader& reader, Model& model, const StageSizes& stages,
                         ImageSizes image) {
  const Activation activation = read_activation(reader, "hidden_act", "gelu");
  const double scale = reader.optional_number("layer_scale_init_value", {0.0, 1e6}).value_or(1e-6);
  std::int64_t rows = image.rows();
  std::int64_t columns = image.columns();
  for (std::size_t stage = 0; stage < stages.depths.size(); ++stage) {
    const std::string name = fmt::format("stage_{}", stage + 1);
    const std::int64_t width = stages.widths[stage];
    if (stage > 0) {
      const std::int64_t before = stages.widths[stage - 1];
      const Positions input = fixed_positions(rows, columns);
      model.blocks.push_back({name + "_norm", NormalizationBlock{.hidden_size = before}, input});
      model.blocks.push_back({name + "_downsampling",
                              ConvolutionBlock{.layers = {{.in_channels = before,
                                                           .out_channels = width,
                                                           .kernel_size = 2,
                                                           .stride = 2}}},
                              input});
      if (rows < 2 || columns < 2) {
        reader.fail("image_size", "is too small for so many stages", "give a larger image");
        return;
      }
      rows /= 2;
      columns /= 2;
    }
    model.blocks.push_back({name,
                            convnext_layers(width, stages.depths[stage], activation, scale > 0.0),
                            fixed_positions(rows, columns)});
  }
  const std::int64_t width = stages.widths.back();
  model.blocks.push_back({"pooling",
                          PoolingBlock{.kind = PoolingBlock::Kind::average, .channels = width},
                          fixed_positions(rows, columns)});
  model.blocks.push_back(
      {"final_norm", NormalizationBlock{.hidden_size = width}, fixed_positions(1)});
}

}  // namespace

Result<Model> read_convnext(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "convnext"};
  const ImageSizes image = read_image(reader, model, 224, 4);
  const StageSizes stages =
      read_stages(reader, model, {.widths = {96, 192, 384, 768}, .depths = {3, 3, 9, 3}});
  PatchEmbeddingBlock patches = patch_embedding(image, stages.widths.front());
  patches.layer_norm = true;
  model.blocks = {{"patch_embedding", patches, image.patches()}};
  warn_if_absent(reader, model, "hidden_act", "gelu");
  add_convnext_stages(reader, model, stages, image);
  head = choose_head(reader, model, head, convnext_heads, convnext_heads[1]);
  if (head == Head::classifier) add_pooled_classifier(reader, model, stages.widths.back());
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

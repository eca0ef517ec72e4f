// SPDX-License-Identifier: Apache-2.0
// ResNet: He et al. 2015, arXiv:1512.03385, with the stride in the 3 x 3 convolution as version 1.5
// has it. Keys and defaults: transformers' ResNetConfig, which states no image size; 224 is that of
// the paper.
#include "readers/image.hpp"

#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

using Norm = ConvolutionLayer::Norm;

const std::array<HeadChoice, 3> resnet_heads = {{{"ResNetForImageClassification", Head::classifier},
                                                 {"ResNetModel", Head::none},
                                                 {"", Head::none}}};

ConvolutionLayer resnet_convolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                    std::int64_t stride) {
  return {.in_channels = in,
          .out_channels = out,
          .kernel_size = kernel,
          .stride = stride,
          .padding = kernel / 2,
          .bias = false,
          .norm = Norm::batch_norm};
}

struct ResnetKind {
  bool bottleneck = true;
  bool stride_first = false;  // in the bottleneck's 1 x 1 convolution, as the paper has it
  Activation activation = Activation::relu;
};

// Figure 5 of the paper: two 3 x 3 convolutions, or one between two of 1 x 1 at a quarter of the
// channels.
ConvolutionBlock resnet_layers(const ResnetKind& kind, std::int64_t in, std::int64_t out,
                               std::int64_t stride) {
  ConvolutionBlock block{
      .residual = true, .activation_after_sum = true, .activation = kind.activation};
  if (kind.bottleneck) {
    const std::int64_t narrow = std::max<std::int64_t>(out / 4, 1);
    block.layers = {resnet_convolution(in, narrow, 1, kind.stride_first ? stride : 1),
                    resnet_convolution(narrow, narrow, 3, kind.stride_first ? 1 : stride),
                    resnet_convolution(narrow, out, 1, 1)};
  } else {
    block.layers = {resnet_convolution(in, out, 3, stride), resnet_convolution(out, out, 3, 1)};
  }
  for (std::size_t i = 0; i + 1 < block.layers.size(); ++i) {
    block.layers[i].activation = kind.activation;
  }
  if (in != out || stride != 1) block.shortcut = resnet_convolution(in, out, 1, stride);
  return block;
}

std::int64_t strided(std::int64_t size, std::int64_t stride) { return (size - 1) / stride + 1; }

void add_resnet_stages(ObjectReader& reader, Model& model, const StageSizes& stages,
                       const ImageSizes& image) {
  ResnetKind kind;
  constexpr std::array<std::string_view, 2> types = {"basic", "bottleneck"};
  kind.bottleneck = !reader.has("layer_type") || reader.choice("layer_type", types) == 1;
  kind.stride_first = reader.boolean_or("downsample_in_bottleneck", false);
  kind.activation = read_activation(reader, "hidden_act", "relu");
  const std::int64_t embedding = size_or_default(reader, model, "embedding_size", 64);
  ConvolutionLayer stem = resnet_convolution(image.channels, embedding, 7, 2);
  stem.activation = kind.activation;
  std::int64_t rows = image.height;
  std::int64_t columns = image.width;
  const auto add = [&](const std::string& name, const BlockShape& shape, std::int64_t stride) {
    model.blocks.push_back({name, shape, fixed_positions(rows, columns)});
    rows = strided(rows, stride);
    columns = strided(columns, stride);
  };
  add("stem", ConvolutionBlock{.layers = {stem}, .reads_data = true}, 2);
  add("stem_pooling",
      PoolingBlock{.channels = embedding, .kernel_size = 3, .stride = 2, .padding = 1}, 2);
  std::int64_t channels = embedding;
  for (std::size_t stage = 0; stage < stages.depths.size(); ++stage) {
    const std::string name = fmt::format("stage_{}", stage + 1);
    const bool halves = stage > 0 || reader.boolean_or("downsample_in_first_stage", false);
    const std::int64_t width = stages.widths[stage];
    const std::int64_t stride = halves ? 2 : 1;
    add(name + "_first", resnet_layers(kind, channels, width, stride), stride);
    channels = width;
    if (stages.depths[stage] == 1) continue;
    ConvolutionBlock rest = resnet_layers(kind, width, width, 1);
    rest.repeats = stages.depths[stage] - 1;
    add(name, rest, 1);
  }
  add("pooling", PoolingBlock{.kind = PoolingBlock::Kind::average, .channels = channels}, 1);
}

}  // namespace

Result<Model> read_resnet(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "resnet"};
  const ImageSizes image = read_image(reader, model, 224, 0);
  const StageSizes stages =
      read_stages(reader, model, {.widths = {256, 512, 1024, 2048}, .depths = {3, 4, 6, 3}});
  warn_if_absent(reader, model, "hidden_act", "relu");
  add_resnet_stages(reader, model, stages, image);
  head = choose_head(reader, model, head, resnet_heads, resnet_heads[1]);
  if (head == Head::classifier) add_pooled_classifier(reader, model, stages.widths.back());
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

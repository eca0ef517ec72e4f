// SPDX-License-Identifier: Apache-2.0
// Convolutions, pooling and patches of hand-written image models. Defaults are those of torch.nn's
// Conv2d and pooling layers: no padding, a stride of 1, of pooling as wide as its window.
#include "readers/toml_blocks.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

using LayerNorm = ConvolutionLayer::Norm;

struct Window {
  std::int64_t kernel_size = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
};

bool demand_image(ObjectReader& reader, const Flow& flow) {
  if (flow.is_image) return true;
  reader.fail("kind", "works on rows and columns, which nothing before it gives",
              "state image_size and num_channels above the first block");
  return false;
}

// floor((size + 2 padding - kernel) / stride) + 1 in each direction: torch.nn.Conv2d.
Positions slide(ObjectReader& reader, const Window& window, const Positions& input) {
  const auto places = [&](std::int64_t size) {
    const std::int64_t room = size + 2 * window.padding - window.kernel_size;
    return room < 0 ? std::int64_t{0} : room / window.stride + 1;
  };
  const Positions output = fixed_positions(places(input.height), places(input.width));
  if (output.height >= 1 && output.width >= 1) return output;
  reader.fail("kernel_size",
              fmt::format("{} is larger than the {} x {} positions with a padding of {}",
                          window.kernel_size, input.height, input.width, window.padding),
              "choose a smaller kernel, more padding or a larger image");
  return fixed_positions(1);
}

ConvolutionLayer read_layer(ObjectReader& reader) {
  ConvolutionLayer layer;
  layer.in_channels = reader.size("in_channels");
  layer.out_channels = reader.size("out_channels");
  layer.kernel_size = reader.size("kernel_size");
  layer.stride = reader.size_or("stride", 1);
  layer.padding = reader.count_or("padding", 0);
  layer.groups = reader.size_or("groups", 1);
  layer.bias = reader.boolean_or("bias", true);
  constexpr std::array<std::string_view, 3> norms = {"none", "batch_norm", "layer_norm"};
  if (reader.has("normalization")) {
    layer.norm = static_cast<LayerNorm>(reader.choice("normalization", norms));
  }
  if (reader.has("activation")) layer.activation = read_activation(reader, "activation", "relu");
  if (layer.in_channels % layer.groups != 0 || layer.out_channels % layer.groups != 0) {
    reader.fail("groups",
                fmt::format("{} does not divide in_channels = {} and out_channels = {}",
                            layer.groups, layer.in_channels, layer.out_channels),
                "choose groups that divide both");
  }
  return layer;
}

// Where each layer's input comes from the one before, and where its positions end.
Positions follow_layer(ObjectReader& reader, const ConvolutionLayer& layer, std::int64_t channels,
                       const Positions& input) {
  if (layer.in_channels != channels) {
    reader.fail("in_channels",
                fmt::format("{}, but what comes before it gives {}", layer.in_channels, channels),
                "make the two agree");
  }
  return slide(reader, {layer.kernel_size, layer.stride, layer.padding}, input);
}

void check_block(ObjectReader& reader, ConvolutionBlock& block, const Flow& flow,
                 const Positions& output) {
  const ConvolutionLayer& last = block.layers.back();
  const bool same = output == flow.positions && last.out_channels == *flow.width;
  if (block.repeats > 1 && !same) {
    reader.fail("repeats", "a block that repeats must give what it reads",
                "put the layer that changes channels or size into a block of its own before it");
  }
  if (!block.residual) return;
  if (reader.boolean_or("shortcut", false)) {
    // Together no larger than the image, or the layers would have given nothing.
    Count product = 1;
    for (const ConvolutionLayer& layer : block.layers) product = product * layer.stride;
    const std::int64_t stride = product.overflowed() ? maximum_size : product.value();
    block.shortcut = ConvolutionLayer{.in_channels = *flow.width,
                                      .out_channels = last.out_channels,
                                      .stride = stride,
                                      .bias = last.bias,
                                      .norm = last.norm};
    const Positions reached = slide(reader, {1, stride, 0}, flow.positions);
    if (reached == output) return;
    reader.fail("shortcut",
                fmt::format("gives {} x {} positions, the layers {} x {}", reached.height,
                            reached.width, output.height, output.width),
                "pad each layer by kernel_size / 2");
  } else if (!same) {
    reader.fail("residual", "the layers change channels or size, so their input cannot be added",
                "add shortcut = true for a 1 x 1 convolution on the way around them");
  }
}

}  // namespace

ConvolutionBlock read_toml_convolution(ObjectReader& reader, Flow& flow) {
  if (!demand_image(reader, flow)) return {};
  ConvolutionBlock block{.reads_data = flow.is_input};
  block.repeats = reader.size_or("repeats", 1);
  block.residual = reader.boolean_or("residual", false);
  if (reader.has("activation_after_sum")) {
    block.activation_after_sum = true;
    block.activation = read_activation(reader, "activation_after_sum", "relu");
    if (!block.residual) {
      reader.fail("activation_after_sum", "there is no sum", "add residual = true");
    }
  }
  Positions positions = flow.positions;
  std::int64_t channels = flow.width.value_or(0);
  if (reader.has("layer")) {
    for (ObjectReader& entry : reader.children("layer")) {
      block.layers.push_back(read_layer(entry));
      if (!entry.error()) {
        positions = follow_layer(entry, block.layers.back(), channels, positions);
      }
      entry.refuse_unknown_keys();
      reader.adopt(entry.error());
      channels = block.layers.back().out_channels;
    }
  } else {
    block.layers.push_back(read_layer(reader));
    if (!reader.error()) positions = follow_layer(reader, block.layers[0], channels, positions);
    channels = block.layers[0].out_channels;
  }
  if (block.layers.empty()) reader.fail("layer", "is empty", "add tables [[block.layer]]");
  if (reader.error()) return block;
  check_block(reader, block, flow, positions);
  flow.positions = positions;
  flow.width = channels;
  return block;
}

PoolingBlock read_toml_pooling(ObjectReader& reader, Flow& flow) {
  if (!demand_image(reader, flow)) return {};
  PoolingBlock block;
  constexpr std::array<std::string_view, 2> types = {"maximum", "average"};
  block.kind =
      reader.choice("type", types) == 0 ? PoolingBlock::Kind::maximum : PoolingBlock::Kind::average;
  block.channels = flow.width.value_or(0);
  if (!reader.has("kernel_size")) {
    flow.positions = fixed_positions(1);
    return block;
  }
  block.kernel_size = reader.size("kernel_size");
  block.stride = reader.size_or("stride", std::max<std::int64_t>(block.kernel_size, 1));
  block.padding = reader.count_or("padding", 0);
  if (reader.error()) return block;
  flow.positions = slide(reader, {block.kernel_size, block.stride, block.padding}, flow.positions);
  return block;
}

PatchEmbeddingBlock read_toml_patches(ObjectReader& reader, Flow& flow) {
  if (!demand_image(reader, flow)) return {};
  PatchEmbeddingBlock block{.image_height = flow.positions.height,
                            .image_width = flow.positions.width,
                            .num_channels = flow.num_channels};
  block.patch_size = reader.size("patch_size");
  block.hidden_size = reader.size("hidden_size");
  block.num_special_tokens = reader.count_or("num_special_tokens", 0);
  block.position_embeddings = reader.boolean_or("position_embeddings", false);
  block.bias = reader.boolean_or("bias", true);
  block.layer_norm = reader.boolean_or("layer_norm", false);
  block.dropout = read_flag(reader, "dropout", 0.0);
  if (!flow.is_input) {
    reader.fail("kind", "patches are cut from the image itself", "make it the first block");
  }
  if (reader.error()) return block;
  const Positions patches = slide(reader, {block.patch_size, block.patch_size, 0}, flow.positions);
  // Bounded: an image has at most 2^20 pixels a side.
  flow.positions = fixed_positions(patches.height * patches.width + block.num_special_tokens);
  flow.width = block.hidden_size;
  flow.is_image = false;
  return block;
}

void flatten(ObjectReader& reader, Flow& flow) {
  if (flow.positions.kind != Positions::Kind::fixed || !flow.width) {
    reader.fail("kind", "how many positions there are is not known before the training",
                "flatten images alone, or state num_positions");
    return;
  }
  const Count width = Count{flow.positions.height} * flow.positions.width * *flow.width;
  if (width.overflowed() || width.value() > maximum_size) {
    reader.fail("kind", "the positions of a sample side by side are too wide", "pool them first");
    return;
  }
  flow.width = width.value();
  flow.positions = fixed_positions(1);
  flow.is_image = false;
}

}  // namespace joulecast

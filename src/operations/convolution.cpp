// SPDX-License-Identifier: Apache-2.0
// Convolutions, pooling and patches. With C channels in, O out, g groups, kernels of k x k and P
// positions of the output over the batch: forward and each gradient 2 P O k^2 C / g.
#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"
#include "operations/sublayers.hpp"

namespace joulecast {
namespace {

ConvolutionShape shape_of(const Emitter& emitter, const ConvolutionLayer& layer,
                          const Extent& extent) {
  return {.batch = emitter.setup().batch_size,
          .in_channels = layer.in_channels,
          .out_channels = layer.out_channels,
          .height = extent.height.value(),
          .width = extent.width.value(),
          .kernel = layer.kernel_size,
          .stride = layer.stride,
          .padding = layer.padding,
          .groups = layer.groups,
          .one_dimensional = layer.one_dimensional};
}

// A convolution with its normalisation and activation; returns the positions that it gives.
Extent emit_layer(Emitter& emitter, const ConvolutionLayer& layer, const std::string& name,
                  const Extent& input, Count executions, bool input_gradient) {
  const ConvolutionShape shape = shape_of(emitter, layer, input);
  const Extent output = convolved(input, shape);
  const Count rows = emitter.setup().batch_size * output.positions();
  const std::int64_t channels = layer.out_channels;
  emitter.convolution(name, shape, executions, input_gradient);
  if (layer.norm == ConvolutionLayer::Norm::layer_norm) {
    emit_normalization(emitter, name, {}, rows, {executions, channels});
  } else if (layer.norm == ConvolutionLayer::Norm::batch_norm) {
    // Statistics per channel over the batch, by the same steps as those of layer normalisation:
    // Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 1.
    // In eager mode the statistics, what they add to the running ones, the count of batches and the
    // normalisation are kernels, of which two read all values; backward one reads both operands
    // twice.
    const ElementCosts costs = normalization_costs({});
    emitter.elements({.name = name + "_batch_norm",
                      .kind = OperationKind::normalization,
                      .elements = rows * channels,
                      .width = channels,
                      .costs = {{costs.forward.flops, 2, 1, emitter.compiled() ? 1 : 4},
                                {costs.backward.flops, 4, 1, 1}},
                      .executions = executions});
  }
  if (layer.activation) {
    emit_activation(emitter, name + "_activation", rows, channels, *layer.activation, executions);
  }
  return output;
}

}  // namespace

void emit_block(Emitter& emitter, const ConvolutionBlock& block) {
  const Extent input = emitter.extent();
  const Count repeats = block.repeats;
  Extent extent = input;
  for (std::size_t i = 0; i < block.layers.size(); ++i) {
    const std::string name =
        block.layers.size() == 1 ? "convolution" : "convolution_" + std::to_string(i + 1);
    const bool first = i == 0;
    extent =
        emit_layer(emitter, block.layers[i], name, extent, repeats, !(first && block.reads_data));
  }
  const std::int64_t channels = block.layers.back().out_channels;
  const Count rows = emitter.setup().batch_size * extent.positions();
  if (block.feed_forward) {
    emitter.set_extent(extent);
    emit_feed_forward(emitter, *block.feed_forward, {repeats, channels});
  }
  if (block.layer_scale) {
    // The factor's own gradient sums over all rows.
    emit_rows(emitter, "layer_scale", rows, channels, {{1, 1, 1}, {3, 2, 1}}, repeats);
  }
  if (block.shortcut) {
    emit_layer(emitter, *block.shortcut, "shortcut_convolution", input, repeats, true);
  }
  if (block.residual) {
    emit_rows(emitter, "convolution_residual", rows, channels,
              emitter.compiled() ? fused_away(residual_costs) : residual_costs, repeats);
  }
  if (block.activation_after_sum) {
    emit_activation(emitter, "residual_activation", rows, channels, block.activation, repeats);
  }
}

void emit_block(Emitter& emitter, const PoolingBlock& block) {
  const Extent input = emitter.extent();
  const bool all = block.kernel_size == 0;
  const Extent output = all ? Extent{1, 1}
                            : convolved(input, {.kernel = block.kernel_size,
                                                .stride = block.stride,
                                                .padding = block.padding});
  if (output.height.value() < 1 || output.width.value() < 1) {
    emitter.fail(ErrorKind::value, "pooling over more positions than there are",
                 "give a larger input or a smaller kernel_size");
    return;
  }
  const Count batch = emitter.setup().batch_size;
  const Count results = batch * block.channels * output.positions();
  // One comparison or addition per value under the window. Each value of the input is read once
  // and gets a gradient once.
  const Count window = all ? input.positions() : Count{block.kernel_size} * block.kernel_size;
  const Count per_result = all ? input.positions() : Count{block.stride} * block.stride;
  const std::int64_t taps = window.value();
  const std::int64_t values = per_result.value();
  emitter.elements(
      {.name = block.kind == PoolingBlock::Kind::maximum ? "max_pooling" : "average_pooling",
       .elements = results,
       .width = block.channels,
       .costs = {{taps, values, 1}, {taps, 1, values}}});
}

void emit_block(Emitter& emitter, const PatchEmbeddingBlock& block) {
  const std::int64_t patch = block.patch_size;
  const std::int64_t patches =
      (Count{block.image_height / patch} * (block.image_width / patch)).value();
  emitter.convolution("patch_projection",
                      {.batch = emitter.setup().batch_size,
                       .in_channels = block.num_channels,
                       .out_channels = block.hidden_size,
                       .height = block.image_height,
                       .width = block.image_width,
                       .kernel = patch,
                       .stride = patch},
                      1, false);
  const Count rows = emitter.setup().batch_size * (Count{patches} + block.num_special_tokens);
  if (block.position_embeddings) {
    emit_rows(emitter, "position_embedding", rows, block.hidden_size, shared_bias_costs, 1);
  }
  if (block.layer_norm) emit_normalization(emitter, "embedding", {}, rows, {1, block.hidden_size});
  if (block.dropout) {
    emit_dropout(emitter, "embedding_dropout", rows, block.hidden_size, 1);
  }
}

void emit_block(Emitter& emitter, const PositionEmbeddingBlock& block) {
  const ElementCosts costs =
      block.trainable ? shared_bias_costs : ElementCosts{{1, 1, 1}, {0, 1, 1}};
  emit_rows(emitter, "position_embedding", emitter.rows(), block.hidden_size, costs, 1);
}

}  // namespace joulecast

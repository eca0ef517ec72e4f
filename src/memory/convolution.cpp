// SPDX-License-Identifier: Apache-2.0
// Convolutions keep their input, batch normalisation its input and two statistics per channel, a
// rectifier its result, maximum pooling the place of each maximum in 64 bits.
#include "memory/blocks.hpp"

#include <algorithm>

namespace joulecast {
namespace {

Count outputs_of(Count size, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  const Count padded = size + 2 * Count{padding} + Count{-1} * kernel;
  if (padded.overflowed() || padded.value() < 0) return padded;
  return padded.value() / std::max<std::int64_t>(stride, 1) + 1;
}

void keep_layer(Flow& flow, const ConvolutionLayer& layer) {
  Tape& tape = flow.tape;
  const Count taps = Count{layer.kernel_size} * (layer.one_dimensional ? 1 : layer.kernel_size);
  const Count in = layer.in_channels / std::max<std::int64_t>(layer.groups, 1);
  tape.save_operands(flow.value, taps * in * layer.out_channels);
  flow.height = outputs_of(flow.height, layer.kernel_size, layer.stride, layer.padding);
  if (!layer.one_dimensional) {
    flow.width = outputs_of(flow.width, layer.kernel_size, layer.stride, layer.padding);
  }
  const Count results = flow.rows() * layer.out_channels;
  flow.value = tape.create(results, tape.is_mixed() ? TensorFormat::half : TensorFormat::fp32);
  if (layer.norm == ConvolutionLayer::Norm::layer_norm) {
    flow.value = tape.normalize(flow.value, {}, layer.out_channels);
  } else if (layer.norm == ConvolutionLayer::Norm::batch_norm) {
    tape.save(flow.value);
    tape.save_statistics(2 * Count{layer.out_channels});
    flow.value = tape.create(results, flow.value.format);
  }
  if (layer.activation) flow.value = tape.activate(flow.value, *layer.activation);
}

}  // namespace

void keep_block(Flow& flow, const ConvolutionBlock& block) {
  Tape& tape = flow.tape;
  const Count height = flow.height;
  const Count width = flow.width;
  const Tensor before = input_of(flow, block.layers.front().in_channels);
  const Tensor input = tape.begin_layers(before, block.repeats, block.repeats);
  flow.value = input;
  for (const ConvolutionLayer& layer : block.layers) keep_layer(flow, layer);
  const Count channels = block.layers.back().out_channels;
  if (block.feed_forward) {
    flow.value =
        keep_feed_forward(tape, flow.value, *block.feed_forward, channels.value(), flow.rows());
  }
  if (block.layer_scale) tape.save(flow.value);
  if (block.shortcut) {
    Flow side{tape, input, height, width};
    keep_layer(side, *block.shortcut);
  }
  if (block.residual) flow.value = tape.add(flow.value, input);
  flow.value.elements = flow.rows() * channels;
  if (block.activation_after_sum) flow.value = tape.activate(flow.value, block.activation);
  flow.value = tape.end_layers(flow.value);
}

void keep_block(Flow& flow, const PoolingBlock& block) {
  Tape& tape = flow.tape;
  const Tensor before = input_of(flow, block.channels);
  const bool all = block.kernel_size == 0;
  flow.height =
      all ? Count{1} : outputs_of(flow.height, block.kernel_size, block.stride, block.padding);
  flow.width =
      all ? Count{1} : outputs_of(flow.width, block.kernel_size, block.stride, block.padding);
  const Count results = flow.rows() * block.channels;
  if (block.kind == PoolingBlock::Kind::maximum) {
    tape.save(before);
    tape.save(tape.create(results, TensorFormat::index));
  }
  flow.value = tape.create(results, before.format);
}

void keep_block(Flow& flow, const PatchEmbeddingBlock& block) {
  Tape& tape = flow.tape;
  const Count batch = tape.setup().batch_size;
  const Count d = block.hidden_size;
  // The image as it is is no activation; its copy in 16 bits is one.
  const Count pixels = batch * block.num_channels * block.image_height * block.image_width;
  if (tape.is_mixed()) tape.save(tape.create(pixels, TensorFormat::half));
  const std::int64_t patch = std::max<std::int64_t>(block.patch_size, 1);
  flow.height =
      Count{block.image_height / patch} * (block.image_width / patch) + block.num_special_tokens;
  flow.width = 1;
  flow.value = tape.create(flow.rows() * d, TensorFormat::fp32);
  if (block.layer_norm) flow.value = tape.normalize(flow.value, {}, d);
  flow.value = tape.dropout(flow.value, block.dropout);
}

}  // namespace joulecast

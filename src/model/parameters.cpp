// SPDX-License-Identifier: Apache-2.0
// How many numbers does an architecture hold? Weights and biases as PyTorch builds them.
#include <joulecast/model.hpp>

#include "model/sizes.hpp"

#include <algorithm>

namespace joulecast {
namespace {

void add_block(ParameterShapes& shapes, const EmbeddingBlock& block) {
  if (!block.tied_embedding) shapes.matrix(block.vocab_size, block.hidden_size);
  shapes.matrix(block.max_position_embeddings, block.hidden_size);
  shapes.matrix(block.type_vocab_size, block.hidden_size);
  if (block.layer_norm) add_normalization(shapes, {}, block.hidden_size);
}

void add_block(ParameterShapes& shapes, const PatchEmbeddingBlock& block) {
  const Count d = block.hidden_size;
  const std::int64_t patch = std::max<std::int64_t>(block.patch_size, 1);
  const Count patches = Count{block.image_height / patch} * (block.image_width / patch);
  shapes.matrix(block.patch_size, block.patch_size, d * block.num_channels);
  ParameterShapes token;
  token.matrix(1, d);
  shapes.add(token, block.num_special_tokens);
  if (block.bias) shapes.vector(d);
  if (block.position_embeddings) shapes.matrix(patches + block.num_special_tokens, d);
  if (block.layer_norm) add_normalization(shapes, {}, d);
}

void add_block(ParameterShapes& shapes, const PositionEmbeddingBlock& block) {
  shapes.matrix(block.num_positions, block.hidden_size);
}

std::int64_t normalizations(const TransformerBlock& block) {
  const std::int64_t cross = block.cross_attention ? 1 : 0;
  switch (block.layout) {
    case LayerLayout::sequential: return 2 + cross;
    case LayerLayout::sandwich: return 2 * (2 + cross);
    case LayerLayout::parallel: return 2 + cross;
    case LayerLayout::parallel_shared_norm: return 1 + cross;
  }
  return 0;
}

void add_block(ParameterShapes& shapes, const TransformerBlock& block) {
  const std::int64_t d = block.hidden_size;
  ParameterShapes norm;
  add_normalization(norm, block.norm, d);
  ParameterShapes layer;
  add_attention(layer, block.attention, d);
  add_feed_forward(layer, block.feed_forward, d);
  layer.add(norm, normalizations(block));
  add_shared_attention(shapes, block.attention, d);
  if (block.cross_attention) {
    add_attention(layer, block.cross_attention->attention, d);
    add_shared_attention(shapes, block.cross_attention->attention, d);
  }
  shapes.add(layer, distinct_layers(block));
  if (block.final_norm) shapes.add(norm);
}

// Mamba, arXiv:2312.00752, section 3.4 and algorithm 2, as transformers builds it: a normalisation,
// the input's two halves, a convolution per channel, B, C and the low-rank step, the step's
// projection, A, D.
void add_block(ParameterShapes& shapes, const MambaBlock& block) {
  const Count d = block.hidden_size;
  const Count i = block.intermediate_size;
  const Count n = block.state_size;
  const Count rank = block.time_step_rank;
  ParameterShapes layer;
  layer.vector(d);
  layer.linear(2 * i, d, block.bias);
  layer.matrix(1, block.conv_kernel, i);
  if (block.conv_bias) layer.vector(i);
  layer.matrix(rank + 2 * n, i);
  layer.linear(i, rank);
  layer.matrix(i, n);
  layer.vector(i);
  layer.linear(d, i, block.bias);
  shapes.add(layer, block.num_hidden_layers);
  if (block.final_norm) shapes.vector(d);
}

// torch.nn.LSTM and torch.nn.GRU: per gate W_x (H x I), W_h (H x H) and two biases of H.
void add_block(ParameterShapes& shapes, const RecurrentBlock& block) {
  const Count directions = block.bidirectional ? 2 : 1;
  const Count h = block.hidden_size;
  const Count gates = (block.cell == RecurrentBlock::Cell::lstm ? 4 : 3) * h;
  const auto layer = [&](Count input) {
    ParameterShapes weights;
    weights.linear(gates, input);
    weights.linear(gates, h);
    return weights;
  };
  shapes.add(layer(block.input_size), directions);
  // Layers above the first read the outputs of both directions.
  shapes.add(layer(directions * h), directions * (Count{block.num_layers} + -1));
}

void add_block(ParameterShapes& shapes, const ConvolutionBlock& block) {
  ParameterShapes one;
  for (const ConvolutionLayer& layer : block.layers) add_convolution(one, layer);
  if (block.shortcut) add_convolution(one, *block.shortcut);
  const std::int64_t channels = block.layers.empty() ? 0 : block.layers.back().out_channels;
  if (block.feed_forward) add_feed_forward(one, *block.feed_forward, channels);
  if (block.layer_scale) one.vector(channels);
  shapes.add(one, block.repeats);
}

void add_block(ParameterShapes&, const PoolingBlock&) {}

void add_block(ParameterShapes& shapes, const DenseBlock& block) {
  shapes.linear(block.output_size, block.input_size, block.bias);
}

void add_block(ParameterShapes& shapes, const NormalizationBlock& block) {
  add_normalization(shapes, block.norm, block.hidden_size);
}

void add_block(ParameterShapes& shapes, const LanguageModelHeadBlock& block) {
  const Count d = block.hidden_size;
  if (block.transform) {
    shapes.linear(d, d);
    add_normalization(shapes, {}, d);
  }
  if (!block.tied_embedding) shapes.matrix(block.vocab_size, d);
  if (block.bias) shapes.vector(block.vocab_size);
}

void add_block(ParameterShapes& shapes, const ClassifierBlock& block) {
  shapes.linear(block.num_labels, block.hidden_size, block.bias);
}

void add_block(ParameterShapes& shapes, const ContrastiveHeadBlock&) { shapes.vector(1); }

ParameterShapes shapes_of(const BlockShape& shape) {
  ParameterShapes shapes;
  std::visit([&](const auto& block) { add_block(shapes, block); }, shape);
  return shapes;
}

bool is_frozen(const BlockShape& shape) {
  const auto* positions = std::get_if<PositionEmbeddingBlock>(&shape);
  return positions != nullptr && !positions->trainable;
}

std::unexpected<Error> overflow(const Model& model, std::string path, std::string remedy) {
  return std::unexpected(Error{ErrorKind::overflow, "the parameter count exceeds 64 bits",
                               Location{.file = model.file, .path = std::move(path)},
                               std::move(remedy)});
}

// The sum over blocks of what `part` takes of each.
template <class Part>
Result<std::int64_t> sum_parameters(const Model& model, const Part& part) {
  const auto counts = count_parameters(model);
  if (!counts) return std::unexpected(counts.error());
  Count total = 0;
  for (std::size_t i = 0; i < counts->size(); ++i) total += part(model.blocks[i], (*counts)[i]);
  if (total.overflowed()) return overflow(model, {}, "check the sizes of the model");
  return total.value();
}

}  // namespace

Result<std::vector<ParameterCount>> count_parameters(const Model& model) {
  std::vector<ParameterCount> counts;
  for (const Block& block : model.blocks) {
    const Count count = shapes_of(block.shape).total();
    if (count.overflowed()) return overflow(model, block.name, "check the sizes of this block");
    counts.push_back({block.name, count.value(), is_frozen(block.shape) ? count.value() : 0});
  }
  return counts;
}

Result<std::int64_t> count_all_parameters(const Model& model) {
  return sum_parameters(
      model, [](const Block&, const ParameterCount& entry) { return Count{entry.count}; });
}

Result<std::int64_t> count_trainable_parameters(const Model& model) {
  return sum_parameters(model, [](const Block&, const ParameterCount& entry) {
    return Count{entry.count - entry.frozen};
  });
}

Result<std::vector<ParameterShape>> list_trainable_tensors(const Model& model) {
  ParameterShapes shapes;
  for (const Block& block : model.blocks) {
    if (!is_frozen(block.shape)) shapes.add(shapes_of(block.shape));
  }
  if (shapes.total().overflowed()) return overflow(model, {}, "check the sizes of the model");
  return shapes.list();
}

Result<std::int64_t> count_active_parameters(const Model& model) {
  return sum_parameters(model, [](const Block& block, const ParameterCount& entry) {
    const auto* layers = std::get_if<TransformerBlock>(&block.shape);
    if (layers == nullptr) return Count{entry.count};
    const Count idle = idle_expert_parameters(layers->feed_forward, layers->hidden_size);
    return Count{entry.count} + Count{-1} * distinct_layers(*layers) * idle;
  });
}

}  // namespace joulecast

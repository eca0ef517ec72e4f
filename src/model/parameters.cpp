// SPDX-License-Identifier: Apache-2.0
// How many numbers does an architecture hold? Weights and biases as PyTorch builds them.
#include <joulecast/model.hpp>

#include "model/sizes.hpp"

#include <algorithm>

namespace joulecast {
namespace {

Count count_block(const EmbeddingBlock& block) {
  const Count rows = Count{block.tied_embedding ? 0 : block.vocab_size} +
                     block.max_position_embeddings + block.type_vocab_size;
  return rows * block.hidden_size +
         (block.layer_norm ? normalization_parameters({}, block.hidden_size) : Count{0});
}

Count count_block(const PatchEmbeddingBlock& block) {
  const Count d = block.hidden_size;
  const std::int64_t patch = std::max<std::int64_t>(block.patch_size, 1);
  const Count patches = Count{block.image_height / patch} * (block.image_width / patch);
  Count total = d * block.num_channels * block.patch_size * block.patch_size;
  total += d * block.num_special_tokens;
  if (block.bias) total += d;
  if (block.position_embeddings) total += (patches + block.num_special_tokens) * d;
  return total + (block.layer_norm ? normalization_parameters({}, d) : Count{0});
}

Count count_block(const PositionEmbeddingBlock& block) {
  return Count{block.num_positions} * block.hidden_size;
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

Count count_block(const TransformerBlock& block) {
  const std::int64_t d = block.hidden_size;
  const Count norm = normalization_parameters(block.norm, d);
  Count layer = attention_parameters(block.attention, d) +
                feed_forward_parameters(block.feed_forward, d) + normalizations(block) * norm;
  Count total = shared_attention_parameters(block.attention, d);
  if (block.cross_attention) {
    layer += attention_parameters(block.cross_attention->attention, d);
    total += shared_attention_parameters(block.cross_attention->attention, d);
  }
  return total + distinct_layers(block) * layer + (block.final_norm ? norm : Count{0});
}

// Mamba, arXiv:2312.00752, section 3.4 and algorithm 2, as transformers builds it: the input's two
// halves, a convolution per channel, B, C and the low-rank step, the step's projection, A, D.
Count count_block(const MambaBlock& block) {
  const Count d = block.hidden_size;
  const Count i = block.intermediate_size;
  const Count n = block.state_size;
  const Count rank = block.time_step_rank;
  const Count layer = d + linear_parameters(2 * i, d, block.bias) + i * block.conv_kernel +
                      (block.conv_bias ? i : Count{0}) + (rank + 2 * n) * i +
                      linear_parameters(i, rank) + i * n + i + linear_parameters(d, i, block.bias);
  return block.num_hidden_layers * layer + (block.final_norm ? d : Count{0});
}

// torch.nn.LSTM and torch.nn.GRU: per gate W_x (H x I), W_h (H x H) and two biases of H.
Count count_block(const RecurrentBlock& block) {
  const Count gates = block.cell == RecurrentBlock::Cell::lstm ? 4 : 3;
  const Count directions = block.bidirectional ? 2 : 1;
  const Count h = block.hidden_size;
  const auto layer = [&](Count input) { return directions * gates * (h * input + h * h + 2 * h); };
  // Layers above the first read the outputs of both directions.
  return layer(block.input_size) + (Count{block.num_layers} + -1) * layer(directions * h);
}

Count count_block(const ConvolutionBlock& block) {
  Count total = 0;
  for (const ConvolutionLayer& layer : block.layers) total += convolution_parameters(layer);
  if (block.shortcut) total += convolution_parameters(*block.shortcut);
  const std::int64_t channels = block.layers.empty() ? 0 : block.layers.back().out_channels;
  if (block.feed_forward) total += feed_forward_parameters(*block.feed_forward, channels);
  if (block.layer_scale) total += channels;
  return block.repeats * total;
}

Count count_block(const PoolingBlock&) { return 0; }

Count count_block(const DenseBlock& block) {
  return linear_parameters(block.output_size, block.input_size, block.bias);
}

Count count_block(const NormalizationBlock& block) {
  return normalization_parameters(block.norm, block.hidden_size);
}

Count count_block(const LanguageModelHeadBlock& block) {
  const Count d = block.hidden_size;
  Count total = 0;
  if (block.transform) total += linear_parameters(d, d) + normalization_parameters({}, d);
  if (!block.tied_embedding) total += d * block.vocab_size;
  if (block.bias) total += block.vocab_size;
  return total;
}

Count count_block(const ClassifierBlock& block) {
  return linear_parameters(block.num_labels, block.hidden_size, block.bias);
}

Count count_block(const ContrastiveHeadBlock&) { return 1; }

Count count_frozen(const BlockShape& shape) {
  const auto* positions = std::get_if<PositionEmbeddingBlock>(&shape);
  return positions != nullptr && !positions->trainable ? count_block(*positions) : Count{0};
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
    const Count count =
        std::visit([](const auto& shape) { return count_block(shape); }, block.shape);
    if (count.overflowed()) return overflow(model, block.name, "check the sizes of this block");
    counts.push_back({block.name, count.value(), count_frozen(block.shape).value()});
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

Result<std::int64_t> count_active_parameters(const Model& model) {
  return sum_parameters(model, [](const Block& block, const ParameterCount& entry) {
    const auto* layers = std::get_if<TransformerBlock>(&block.shape);
    if (layers == nullptr) return Count{entry.count};
    const Count idle = idle_expert_parameters(layers->feed_forward, layers->hidden_size);
    return Count{entry.count} + Count{-1} * distinct_layers(*layers) * idle;
  });
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// How many trainable numbers does an architecture hold? Weights and biases as PyTorch builds them.
#include <joulecast/model.hpp>

#include <type_traits>

#include <fmt/format.h>

namespace joulecast {
namespace {

// A linear layer of n outputs and k inputs: a weight and a bias.
Count linear(Count n, Count k) { return n * k + n; }

// Gain and shift.
Count layer_norm(Count width) { return 2 * width; }

Count count_block(const EmbeddingBlock& block) {
  const Count rows =
      Count{block.vocab_size} + block.max_position_embeddings + block.type_vocab_size;
  return rows * block.hidden_size + (block.layer_norm ? layer_norm(block.hidden_size) : Count{0});
}

Count count_block(const TransformerBlock& block) {
  const Count d = block.hidden_size;
  const Count f = block.intermediate_size;
  // Query, key, value and output projections.
  const Count attention = 4 * linear(d, d);
  const Count feed_forward = linear(f, d) + linear(d, f);
  // One normalisation per sublayer.
  const Count sublayers = block.cross_attention ? 3 : 2;
  const Count layer =
      attention * (block.cross_attention ? 2 : 1) + feed_forward + sublayers * layer_norm(d);
  return block.num_hidden_layers * layer + (block.final_layer_norm ? layer_norm(d) : Count{0});
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

Count count_block(const DenseBlock& block) { return linear(block.output_size, block.input_size); }

Count count_block(const LanguageModelHeadBlock& block) {
  const Count d = block.hidden_size;
  Count total = 0;
  if (block.transform) total += linear(d, d) + layer_norm(d);
  if (!block.tied_embedding) total += d * block.vocab_size;
  if (block.bias) total += block.vocab_size;
  return total;
}

}  // namespace

Result<std::vector<ParameterCount>> count_parameters(const Model& model) {
  std::vector<ParameterCount> counts;
  for (const Block& block : model.blocks) {
    const Count count =
        std::visit([](const auto& shape) { return count_block(shape); }, block.shape);
    if (count.overflowed()) {
      return std::unexpected(Error{ErrorKind::overflow, "the parameter count exceeds 64 bits",
                                   Location{.file = model.file, .path = block.name},
                                   "check the sizes of this block"});
    }
    counts.push_back({block.name, count.value()});
  }
  return counts;
}

Result<std::int64_t> count_all_parameters(const Model& model) {
  const auto counts = count_parameters(model);
  if (!counts) return std::unexpected(counts.error());
  Count total = 0;
  for (const ParameterCount& count : *counts) total += count.count;
  if (total.overflowed()) {
    return std::unexpected(Error{ErrorKind::overflow, "the parameter count exceeds 64 bits",
                                 Location{.file = model.file}, "check the sizes of the model"});
  }
  return total.value();
}

std::string_view to_string(Activation activation) {
  switch (activation) {
    case Activation::relu: return "relu";
    case Activation::gelu: return "gelu";
    case Activation::gelu_tanh: return "gelu_tanh";
    case Activation::silu: return "silu";
    case Activation::tanh: return "tanh";
  }
  return "unknown";
}

std::string_view to_string(Head head) {
  switch (head) {
    case Head::from_config: return "from_config";
    case Head::none: return "none";
    case Head::pooler: return "pooler";
    case Head::masked_lm: return "masked_lm";
    case Head::causal_lm: return "causal_lm";
  }
  return "unknown";
}

}  // namespace joulecast

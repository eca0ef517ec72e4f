// SPDX-License-Identifier: Apache-2.0
// The operations as the paper counts them (Mayaki & Charpenay, ECAI 2025, section 3): the forward
// pass of attention alone for Transformers, the five operations of one time step for LSTMs. No
// backward pass, no feed-forward layers, no embedding, no optimizer.
#include "operations/blocks.hpp"

#include <optional>

#include <fmt/format.h>

namespace joulecast {
namespace {

void emit_paper_transformer(Emitter& emitter, const TransformerBlock& block) {
  const TrainingSetup& setup = emitter.setup();
  const Count layers = block.num_hidden_layers;
  const Count d = block.hidden_size;
  const Count rows = Count{setup.batch_size} * setup.sequence_length;
  const Count sets = Count{setup.batch_size} * block.attention.num_attention_heads;
  const Count head_size = block.hidden_size / block.attention.num_attention_heads;
  const Count s = setup.sequence_length;
  emitter.matmul("qkv_projection", Phase::forward, {1, rows, 3 * d, d}, layers);
  emitter.matmul("attention_scores", Phase::forward, {sets, s, s, head_size}, layers);
  emitter.matmul("attention_values", Phase::forward, {sets, s, head_size, s}, layers);
  emitter.matmul("attention_output_projection", Phase::forward, {1, rows, d, d}, layers);
}

void emit_paper_lstm_layer(Emitter& emitter, const RecurrentBlock& block, Count input,
                           Count executions) {
  const Count b = emitter.setup().batch_size;
  const Count h = block.hidden_size;
  const auto step = [&](std::string_view name, Count elements, std::int64_t flops,
                        std::int64_t reads) {
    emitter.forward_elements({.name = name,
                              .elements = elements,
                              .width = block.hidden_size,
                              .costs = {{flops, reads, 1}, {}},
                              .executions = executions});
  };
  emitter.matmul("input_gates", Phase::forward, {1, b, 4 * h, input}, executions);
  emitter.matmul("hidden_gates", Phase::forward, {1, b, 4 * h, h}, executions);
  step("gate_activations", 4 * b * h, 1, 2);
  // The paper counts two FLOPs per cell in its data and three in its text; the data's laws are
  // fitted on two.
  step("cell_update", b * h, 2, 4);
  step("hidden_update", b * h, 2, 2);
}

void emit_paper_lstm(Emitter& emitter, const RecurrentBlock& block) {
  const Count directions = block.bidirectional ? 2 : 1;
  const Count steps = directions * emitter.setup().sequence_length;
  emit_paper_lstm_layer(emitter, block, block.input_size, steps);
  if (block.num_layers > 1) {
    emit_paper_lstm_layer(emitter, block, directions * block.hidden_size,
                          steps * (block.num_layers - 1));
  }
}

// What the paper's formulas leave out of a layer's attention, if anything.
std::optional<std::string_view> find_untreated(const TransformerBlock& block) {
  const Attention& attention = block.attention;
  if (block.cross_attention) return "cross-attention";
  if (attention.latent) return "latent attention";
  if (attention.head_dim) return "heads that do not share the width";
  if (attention.partition_size) return "attention within windows";
  if (std::holds_alternative<DisentangledPositions>(attention.positions)) {
    return "disentangled attention";
  }
  if (key_value_heads(attention) != attention.num_attention_heads) {
    return "fewer key-value heads than query heads";
  }
  return std::nullopt;
}

Error unsupported(const Model& model, const Block& block, std::string message) {
  return Error{ErrorKind::unsupported, std::move(message),
               Location{.file = model.file, .path = block.name},
               "leave --convention ecai2025 out to predict this model"};
}

}  // namespace

Result<std::vector<Operation>> list_paper_operations(const Model& model,
                                                     const TrainingSetup& setup) {
  Emitter emitter(setup, model.file);
  bool any = false;
  for (const Block& block : model.blocks) {
    emitter.begin_block(block.name);
    if (const auto* transformer = std::get_if<TransformerBlock>(&block.shape)) {
      if (const auto untreated = find_untreated(*transformer)) {
        return std::unexpected(
            unsupported(model, block, fmt::format("the paper does not treat {}", *untreated)));
      }
      emit_paper_transformer(emitter, *transformer);
      any = true;
    } else if (const auto* recurrent = std::get_if<RecurrentBlock>(&block.shape)) {
      if (recurrent->cell != RecurrentBlock::Cell::lstm) {
        return std::unexpected(unsupported(model, block, "the paper publishes no laws for GRU"));
      }
      emit_paper_lstm(emitter, *recurrent);
      any = true;
    }
  }
  if (!any) {
    return std::unexpected(unsupported(model, model.blocks.front(),
                                       "the paper treats Transformer and LSTM layers only"));
  }
  return std::move(emitter).take();
}

}  // namespace joulecast

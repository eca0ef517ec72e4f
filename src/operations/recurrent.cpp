// SPDX-License-Identifier: Apache-2.0
// LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014) layers as PyTorch computes them.
// FLOPs per layer and direction with batch B, T steps, input I, hidden H and G gates (4 or 3):
//   input gates 2 G B I H T, hidden gates 2 G B H^2 T (Mayaki & Charpenay, ECAI 2025, section 3).
// The input gates of all steps are one product; the hidden gates wait for the step before.
#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"

namespace joulecast {
namespace {

struct CellSizes {
  Count batch, steps, input, hidden, gates;
};

void emit_cell_steps(Emitter& emitter, RecurrentBlock::Cell cell, const CellSizes& size,
                     Count executions) {
  const auto per_step = [&](std::string_view name, Count elements, ElementCosts costs) {
    emitter.elements({.name = name,
                      .elements = elements,
                      .width = size.hidden.value(),
                      .costs = costs,
                      .executions = executions * size.steps});
  };
  const Count cells = size.batch * size.hidden;
  if (cell == RecurrentBlock::Cell::lstm) {
    // Three sigmoids and one tanh per cell; each reads two sums and writes one value.
    per_step("gate_activations", 4 * cells, {{1, 2, 1}, {3, 2, 1}});
    // c = f c + i g: two products and a sum; reads f, c, i, g. Backward: four products, one sum.
    per_step("cell_update", cells, {{3, 4, 1}, {5, 5, 4}});
    // h = o tanh(c). Backward: do, and dc through tanh.
    per_step("hidden_update", cells, {{2, 2, 1}, {5, 3, 2}});
  } else {
    // Two sigmoids and one tanh.
    per_step("gate_activations", 3 * cells, {{1, 2, 1}, {3, 2, 1}});
    // The candidate's r * (U h), before its tanh: one product and one sum.
    per_step("candidate_update", cells, {{2, 3, 1}, {2, 3, 2}});
    // h = n + z (h - n): subtract, multiply, add. Backward: four products, two sums.
    per_step("hidden_update", cells, {{3, 3, 1}, {6, 4, 3}});
  }
}

void emit_layer(Emitter& emitter, RecurrentBlock::Cell cell, const CellSizes& size,
                Count executions) {
  const Count outputs = size.gates * size.hidden;
  emitter.linear("input_gates", {1, size.batch * size.steps, outputs, size.input}, executions);
  // Forward and input gradient step by step; the weight gradient once over all steps.
  const Count stepwise = executions * size.steps;
  emitter.matmul("hidden_gates", Phase::forward, {1, size.batch, outputs, size.hidden}, stepwise);
  emitter.matmul("hidden_gates", Phase::backward_input, {1, size.batch, size.hidden, outputs},
                 stepwise);
  emitter.matmul("hidden_gates", Phase::backward_weight,
                 {1, size.hidden, outputs, size.batch * size.steps}, executions);
  emit_cell_steps(emitter, cell, size, executions);
}

}  // namespace

void emit_block(Emitter& emitter, const RecurrentBlock& block) {
  const TrainingSetup& setup = emitter.setup();
  const std::int64_t directions = block.bidirectional ? 2 : 1;
  CellSizes size{.batch = setup.batch_size,
                 .steps = emitter.extent().positions(),
                 .input = block.input_size,
                 .hidden = block.hidden_size,
                 .gates = block.cell == RecurrentBlock::Cell::lstm ? 4 : 3};
  emit_layer(emitter, block.cell, size, directions);
  if (block.num_layers == 1) return;
  // Layers above the first read the outputs of both directions.
  size.input = Count{directions} * block.hidden_size;
  emit_layer(emitter, block.cell, size, Count{directions} * (block.num_layers - 1));
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014) layers as PyTorch computes them on
// a GPU, by cuDNN, which launches all kernels of a layer inside one call.
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

// All that is elementwise in a step is one kernel forward and one backward: Appleyard et al. 2016,
// arXiv:1604.01946, section 3. FLOPs per cell:
//   LSTM: 4 for the sigmoids and tanh, c = f c + i g 3, h = o tanh(c) 2; backward 12, 5 and 5
//   GRU:  3, the candidate's r * (U h) 2, h = n + z (h - n) 3; backward 9, 2 and 6.
// Values per cell: the sums of both products and the state are read, the state and the gates, which
// the backward pass reads, are written; backward the gates, the states and their gradients are read.
void emit_cell_steps(Emitter& emitter, RecurrentBlock::Cell cell, const CellSizes& size,
                     Count executions) {
  const bool lstm = cell == RecurrentBlock::Cell::lstm;
  emitter.elements({.name = "cell_step",
                    .elements = size.batch * size.hidden,
                    .width = size.hidden.value(),
                    .costs = lstm ? ElementCosts{{9, 9, 6}, {22, 8, 5}}
                                  : ElementCosts{{8, 7, 5}, {17, 7, 4}},
                    .executions = executions * size.steps,
                    .library_launches = 1});
}

void emit_layer(Emitter& emitter, RecurrentBlock::Cell cell, const CellSizes& size,
                Count executions) {
  const Count outputs = size.gates * size.hidden;
  emitter.linear("input_gates", {1, size.batch * size.steps, outputs, size.input}, executions);
  // Forward and input gradient step by step; the weight gradient once over all steps.
  const Count stepwise = executions * size.steps;
  emitter.cast("hidden_gates_weight_cast", outputs * size.hidden, executions, 1);
  emitter.matmul("hidden_gates", Phase::forward, {1, size.batch, outputs, size.hidden}, stepwise,
                 1);
  emitter.matmul("hidden_gates", Phase::backward_input, {1, size.batch, size.hidden, outputs},
                 stepwise, 1);
  emitter.matmul("hidden_gates", Phase::backward_weight,
                 {1, size.hidden, outputs, size.batch * size.steps}, executions, 1);
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

// SPDX-License-Identifier: Apache-2.0
// Selective state-space layers: Gu & Dao 2023, arXiv:2312.00752, algorithm 2, run step by step as
// transformers does without fused kernels. Per layer with R = B S rows, width D, inner width I,
// state N, step rank r, kernel K, forward:
//   in 4 R D I, convolution 2 B (S + K - 1) I K (padded on both sides, then cut), B, C and step
//   2 R I (r + 2 N), step 2 R r I, outputs of the state 2 R I N, out 2 R I D.
#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"
#include "operations/sublayers.hpp"

namespace joulecast {
namespace {

// h_t = exp(dt A) h_(t-1) + dt B x_t, y_t = C h_t: equation (2a), (2b) with the discretisation (4).
void emit_scan(Emitter& emitter, const MambaBlock& block, Count layers) {
  const Count batch = emitter.setup().batch_size;
  const Count steps = layers * emitter.extent().positions();
  const Count channels = batch * block.intermediate_size;
  // exp(dt A) and dt B x for all steps at once, in four passes of which two read what was written.
  // Backward: two gradients of each product, one of the exponential.
  emit_rows(emitter, "state_discretization", emitter.rows() * block.intermediate_size,
            block.state_size, {{4, 2, 4}, {7, 6, 4}}, layers);
  emit_rows(emitter, "state_update", channels, block.state_size, {{2, 3, 1}, {3, 3, 2}}, steps);
  emitter.product("state_output", {batch, block.intermediate_size, 1, block.state_size}, steps);
}

}  // namespace

void emit_block(Emitter& emitter, const MambaBlock& block) {
  const Count layers = block.num_hidden_layers;
  const Count rows = emitter.rows();
  const Count d = block.hidden_size;
  const Count i = block.intermediate_size;
  const Count rank = block.time_step_rank;
  const std::int64_t inner = block.intermediate_size;
  emitter.begin_recomputed(Recomputation::full);
  emit_normalization(emitter, "mixer", rms_norm, rows, {layers, block.hidden_size});
  emitter.linear("input_projection", {1, rows, 2 * i, d}, layers);
  emitter.convolution("mixer_convolution",
                      {.batch = emitter.setup().batch_size,
                       .in_channels = inner,
                       .out_channels = inner,
                       .height = emitter.extent().positions().value(),
                       .width = 1,
                       .kernel = block.conv_kernel,
                       .padding = block.conv_kernel - 1,
                       .groups = inner,
                       .one_dimensional = true},
                      layers);
  emit_rows(emitter, "mixer_activation", rows, inner, activation_costs(block.activation), layers);
  emitter.linear("state_projection", {1, rows, rank + 2 * Count{block.state_size}, i}, layers);
  emitter.linear("time_step_projection", {1, rows, i, rank}, layers);
  // softplus: exponential, sum, logarithm. Backward: a sigmoid of the input, times the gradient.
  emit_rows(emitter, "time_step_softplus", rows, inner, {{3, 1, 1}, {5, 2, 1}}, layers);
  emit_scan(emitter, block, layers);
  // y + D x with one D per channel, then gated by the other half.
  emit_rows(emitter, "mixer_skip", rows, inner, {{2, 2, 1}, {3, 2, 1}}, layers);
  emit_rows(emitter, "gate_activation", rows, inner, activation_costs(block.activation), layers);
  emit_rows(emitter, "mixer_gate", rows, inner, multiply_costs, layers);
  emitter.linear("output_projection", {1, rows, d, i}, layers);
  emit_rows(emitter, "mixer_residual", rows, block.hidden_size, residual_costs, layers);
  emitter.end_recomputed();
  if (block.final_norm) {
    emit_normalization(emitter, "final", rms_norm, rows, {1, block.hidden_size});
  }
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Values that feed-forward networks keep, per layer with R rows: input, the activation's input and
// the second product's; gated also both factors. Of a mixture the same for R k visits, in FP32:
// autocast does not reach grouped products, which is how transformers 5 runs experts on a GPU.
#include "memory/blocks.hpp"

namespace joulecast {
namespace {

Tensor keep_network(Tape& tape, const Tensor& x, const FeedForward& layer, Count hidden,
                    Count width, Count rows) {
  Tensor inner;
  if (layer.gated && layer.fused_projections) {
    const Tensor both = tape.linear(x, rows, hidden, 2 * width);
    Tensor gate = both;
    gate.elements = rows * width;
    const Tensor activated = tape.activate(gate, layer.activation, layer.composed_activation);
    inner = tape.multiply(activated, gate);
  } else {
    const Tensor up = tape.linear(x, rows, hidden, width);
    inner = tape.activate(up, layer.activation, layer.composed_activation);
    if (layer.gated) inner = tape.multiply(inner, tape.linear(x, rows, hidden, width));
  }
  inner = tape.dropout(inner, layer.activation_dropout);
  return tape.linear(inner, rows, width, hidden);
}

// The softmax over all experts, the chosen weights and their sum, the places of the visits.
void keep_router(Tape& tape, const Tensor& x, const MixtureOfExperts& experts, Count hidden,
                 Count rows) {
  tape.linear(x, rows, hidden, experts.num_experts);
  tape.save_statistics(rows * experts.num_experts);
  const Count visits = rows * experts.num_experts_per_tok;
  tape.save_statistics(2 * visits + rows);
  tape.save(tape.create(4 * visits, TensorFormat::index));
}

Tensor keep_experts(Tape& tape, const Tensor& x, const FeedForward& layer, Count hidden,
                    Count rows) {
  const MixtureOfExperts& experts = *layer.experts;
  keep_router(tape, x, experts, hidden, rows);
  const Count visits = rows * experts.num_experts_per_tok;
  const Count width = layer.intermediate_size;
  const Tensor gathered = tape.create(visits * hidden, x.format);
  Tensor inner = tape.plain_linear(gathered, visits, layer.gated ? 2 * width : width);
  inner.elements = visits * width;
  const Tensor gate = inner;
  inner = tape.activate(inner, layer.activation, layer.composed_activation);
  if (layer.gated) inner = tape.multiply(inner, gate);
  const Tensor result = tape.plain_linear(inner, visits, hidden);
  tape.save(result);  // scaled by the router's weights
  Tensor combined = tape.create(rows * hidden, result.format);
  if (experts.shared_intermediate_size == 0) return combined;
  Tensor shared = keep_network(tape, x, layer, hidden, experts.shared_intermediate_size, rows);
  if (experts.shared_gate) {
    shared = tape.multiply(shared, tape.linear(x, rows, hidden, 1));
  }
  return tape.add(combined, shared);
}

}  // namespace

Tensor keep_feed_forward(Tape& tape, const Tensor& x, const FeedForward& layer, std::int64_t hidden,
                         Count rows) {
  if (layer.experts) return keep_experts(tape, x, layer, hidden, rows);
  return keep_network(tape, x, layer, hidden, layer.intermediate_size, rows);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Transformer layers: Vaswani et al. 2017, arXiv:1706.03762, sections 3.1 to 3.3. FLOPs of the
// projections and of attention: Mayaki & Charpenay, ECAI 2025, section 3, per layer with batch B,
// sequence S, width D, feed-forward width F:
//   QKV 6 B S D^2, scores 2 B S^2 D, attention output 2 B S^2 D, final projection 2 B S D^2,
//   feed-forward 4 B S D F.
#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"

namespace joulecast {
namespace {

struct Sizes {
  Count layers, batch, sequence, hidden, heads, head_size, intermediate;
  Count rows;  // positions: B S
};

// Scores, scaling and mask, softmax, dropout, weighted values. Unfused, as eager PyTorch runs it.
void emit_attention(Emitter& emitter, const TransformerBlock& block, const Sizes& size,
                    bool cross) {
  const Count sets = size.batch * size.heads;
  const Count scores = sets * size.sequence * size.sequence;
  const std::int64_t width = size.sequence.value();
  const MatmulSizes score{sets, size.sequence, size.sequence, size.head_size};
  const MatmulSizes values{sets, size.sequence, size.head_size, size.sequence};
  emitter.product(cross ? "cross_attention_scores" : "attention_scores", score, size.layers);
  emitter.elements({.name = cross ? "cross_attention_scale" : "attention_scale",
                    .elements = scores,
                    .width = width,
                    .costs = scale_costs,
                    .executions = size.layers});
  emitter.elements({.name = cross ? "cross_attention_softmax" : "attention_softmax",
                    .kind = OperationKind::softmax,
                    .elements = scores,
                    .width = width,
                    .costs = softmax_costs,
                    .executions = size.layers});
  if (block.attention_dropout) {
    emitter.elements({.name = cross ? "cross_attention_dropout" : "attention_dropout",
                      .elements = scores,
                      .width = width,
                      .costs = dropout_costs,
                      .executions = size.layers});
  }
  emitter.product(cross ? "cross_attention_values" : "attention_values", values, size.layers);
}

// What every sublayer ends with.
void emit_sublayer_end(Emitter& emitter, const TransformerBlock& block, const Sizes& size,
                       std::string_view dropout, std::string_view residual,
                       std::string_view normalization) {
  const Count elements = size.rows * size.hidden;
  const std::int64_t width = block.hidden_size;
  if (block.hidden_dropout) {
    emitter.elements({.name = dropout,
                      .elements = elements,
                      .width = width,
                      .costs = dropout_costs,
                      .executions = size.layers});
  }
  emitter.elements({.name = residual,
                    .elements = elements,
                    .width = width,
                    .costs = residual_costs,
                    .executions = size.layers});
  emitter.elements({.name = normalization,
                    .kind = OperationKind::normalization,
                    .elements = elements,
                    .width = width,
                    .costs = layer_norm_costs,
                    .executions = size.layers});
}

void emit_feed_forward(Emitter& emitter, const TransformerBlock& block, const Sizes& size) {
  emitter.linear("feed_forward_up", {1, size.rows, size.intermediate, size.hidden}, size.layers);
  emitter.elements({.name = "feed_forward_activation",
                    .elements = size.rows * size.intermediate,
                    .width = block.intermediate_size,
                    .costs = activation_costs(block.activation),
                    .executions = size.layers});
  emitter.linear("feed_forward_down", {1, size.rows, size.hidden, size.intermediate}, size.layers);
}

}  // namespace

void emit_block(Emitter& emitter, const TransformerBlock& block) {
  const TrainingSetup& setup = emitter.setup();
  const Sizes size{.layers = block.num_hidden_layers,
                   .batch = setup.batch_size,
                   .sequence = setup.sequence_length,
                   .hidden = block.hidden_size,
                   .heads = block.num_attention_heads,
                   .head_size = block.hidden_size / block.num_attention_heads,
                   .intermediate = block.intermediate_size,
                   .rows = Count{setup.batch_size} * setup.sequence_length};
  const MatmulSizes square{1, size.rows, size.hidden, size.hidden};

  // Query, key and value in one product of three times the width.
  emitter.linear("qkv_projection", {1, size.rows, 3 * size.hidden, size.hidden}, size.layers);
  emit_attention(emitter, block, size, false);
  emitter.linear("attention_output_projection", square, size.layers);
  emit_sublayer_end(emitter, block, size, "attention_hidden_dropout", "attention_residual",
                    "attention_norm");
  if (block.cross_attention) {
    // The encoder's output has as many positions as the decoder's input: the setup has one length.
    emitter.linear("cross_query_projection", square, size.layers);
    emitter.linear("cross_key_value_projection", {1, size.rows, 2 * size.hidden, size.hidden},
                   size.layers);
    emit_attention(emitter, block, size, true);
    emitter.linear("cross_attention_output_projection", square, size.layers);
    emit_sublayer_end(emitter, block, size, "cross_attention_hidden_dropout",
                      "cross_attention_residual", "cross_attention_norm");
  }
  emit_feed_forward(emitter, block, size);
  emit_sublayer_end(emitter, block, size, "feed_forward_dropout", "feed_forward_residual",
                    "feed_forward_norm");
  if (block.final_layer_norm) {
    emitter.elements({.name = "final_norm",
                      .kind = OperationKind::normalization,
                      .elements = size.rows * size.hidden,
                      .width = block.hidden_size,
                      .costs = layer_norm_costs});
  }
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Transformer and state-space layers. What the residual stream holds is kept once a layer, by the
// normalisation that reads it.
#include "memory/blocks.hpp"

namespace joulecast {
namespace {

Count positions_of(const Flow& flow, const Positions& positions) {
  const TrainingSetup& setup = flow.tape.setup();
  switch (positions.kind) {
    case Positions::Kind::sequence: return setup.sequence_length;
    case Positions::Kind::target:
      return setup.target_sequence_length.value_or(setup.sequence_length);
    case Positions::Kind::fixed: return Count{positions.height} * positions.width;
  }
  return 0;
}

// A sublayer's result, with its own normalisation where the layout has one, added to the stream.
Tensor join(Tape& tape, const TransformerBlock& block, const Tensor& stream, Tensor result) {
  result = tape.dropout(result, block.hidden_dropout);
  if (block.layout == LayerLayout::sandwich) {
    result = tape.normalize(result, block.norm, block.hidden_size);
  }
  return tape.add(stream, result);
}

void keep_tables(Flow& flow, const TransformerBlock& block) {
  const auto* rotary = std::get_if<RotaryPositions>(&block.attention.positions);
  // Sine and cosine, once for all layers.
  if (rotary != nullptr) {
    flow.tape.save_statistics(2 * flow.height * flow.width * rotary->rotary_dim);
  }
}

}  // namespace

// Whether a layer normalises before or behind its sublayers, each sublayer reads what a
// normalisation wrote, and each normalisation reads a sum of the stream.
void keep_block(Flow& flow, const TransformerBlock& block) {
  Tape& tape = flow.tape;
  const Count d = block.hidden_size;
  const Count positions = flow.height * flow.width;
  keep_tables(flow, block);
  Tensor stream = tape.begin_layers(input_of(flow, block.hidden_size), block.num_hidden_layers,
                                    block.num_distinct_layers.value_or(block.num_hidden_layers));
  Tensor normed = tape.normalize(stream, block.norm, d);
  const Tensor attended =
      keep_attention(tape, normed, block.attention, block.hidden_size, positions, positions);
  stream = join(tape, block, stream, attended);
  if (block.cross_attention) {
    const Tensor other = tape.normalize(stream, block.norm, d);
    stream = join(tape, block, stream,
                  keep_attention(tape, other, block.cross_attention->attention, block.hidden_size,
                                 positions, positions_of(flow, block.cross_attention->source)));
  }
  if (block.layout != LayerLayout::parallel_shared_norm) {
    normed = tape.normalize(stream, block.norm, d);
  }
  const Tensor fed =
      keep_feed_forward(tape, normed, block.feed_forward, block.hidden_size, flow.rows());
  stream = join(tape, block, stream, fed);
  flow.value = tape.end_layers(stream);
  if (block.final_norm) flow.value = tape.normalize(flow.value, block.norm, d);
}

// transformers without fused kernels runs the scan step by step and keeps what each step reads:
// exp(dt A), dt B x and the state of every step, R I N numbers each.
void keep_block(Flow& flow, const MambaBlock& block) {
  Tape& tape = flow.tape;
  const Count d = block.hidden_size;
  const Count rows = flow.rows();
  const Count inner = block.intermediate_size;
  const Count rank = block.time_step_rank;
  const Count states = rows * inner * block.state_size;
  Tensor stream = tape.begin_layers(input_of(flow, block.hidden_size), block.num_hidden_layers,
                                    block.num_hidden_layers);
  const Tensor normed = tape.normalize(stream, rms_norm, d);
  Tensor mixed = tape.linear(normed, rows, d, 2 * inner);
  mixed.elements = rows * inner;
  tape.save_operands(mixed, inner * block.conv_kernel);
  Tensor convolved = tape.create(rows * inner, mixed.format);
  convolved = tape.activate(convolved, block.activation);
  tape.linear(convolved, rows, inner, rank + 2 * Count{block.state_size});
  const Tensor step = tape.linear(tape.create(rows * rank, mixed.format), rows, rank, inner);
  tape.save(tape.to_single(step));  // softplus
  tape.save(tape.create(2 * states, TensorFormat::fp32));
  const Tensor state = tape.create(states, TensorFormat::fp32);
  tape.save(state);
  tape.save(tape.to_product(state));
  const Tensor scanned = tape.add(tape.create(rows * inner, TensorFormat::fp32), convolved);
  const Tensor gated = tape.multiply(scanned, tape.activate(mixed, block.activation));
  stream = tape.add(stream, tape.linear(gated, rows, inner, d));
  flow.value = tape.end_layers(stream);
  if (block.final_norm) flow.value = tape.normalize(flow.value, rms_norm, d);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Embeddings, recurrent and dense layers, normalisations, heads and their losses.
#include "memory/blocks.hpp"

namespace joulecast {
namespace {

// Log-softmax keeps its result in FP32. A causal model converts its scores to FP32 first and keeps
// shifted labels; other losses are called on 16 bits and keep those, too.
//
// Gradients of the log-softmax's result and input are FP32 at once; where the input is 16 bits
// wide, it is half as large and takes the place of what was kept of it.
void keep_loss(Flow& flow, Count elements, Count rows, bool converts) {
  Tape& tape = flow.tape;
  const bool half = tape.is_mixed() && !converts;
  tape.begin_loss(elements * (half ? 4 : 8));
  if (half) tape.save(tape.create(elements, TensorFormat::half));
  tape.save(tape.create(elements, TensorFormat::fp32));
  if (converts) tape.save(tape.create(rows, TensorFormat::index));
  tape.end_loss();
}

// The first token's row of each sample.
Tensor first_token(Flow& flow, Count width) {
  flow.height = 1;
  flow.width = 1;
  return flow.tape.create(flow.rows() * width, flow.value.format);
}

}  // namespace

void keep_block(Flow& flow, const EmbeddingBlock& block) {
  Tape& tape = flow.tape;
  flow.value = tape.create(flow.rows() * block.hidden_size, TensorFormat::fp32);
  if (block.layer_norm) flow.value = tape.normalize(flow.value, {}, block.hidden_size);
  flow.value = tape.dropout(flow.value, block.dropout);
}

void keep_block(Flow& flow, const PositionEmbeddingBlock& block) {
  flow.value = flow.tape.create(flow.rows() * block.hidden_size, TensorFormat::fp32);
}

void keep_block(Flow& flow, const DenseBlock& block) {
  Tape& tape = flow.tape;
  const Tensor x = block.first_token_only ? first_token(flow, block.input_size)
                                          : input_of(flow, block.input_size);
  flow.value = tape.linear(x, flow.rows(), block.input_size, block.output_size);
  if (block.activation) flow.value = tape.activate(flow.value, *block.activation);
}

void keep_block(Flow& flow, const NormalizationBlock& block) {
  if (block.first_token_only) flow.value = first_token(flow, block.hidden_size);
  flow.value =
      flow.tape.normalize(input_of(flow, block.hidden_size), block.norm, block.hidden_size);
}

// cuDNN keeps what it wants to see again in a reserve: per row and layer 5 H values of an LSTM
// (four gates, the cell) and 6 H of a GRU, and H between two layers, measured (docs/accuracy.md).
// Under autocast it computes in FP16, with a copy of all weights and of the first states.
void keep_block(Flow& flow, const RecurrentBlock& block) {
  Tape& tape = flow.tape;
  const bool lstm = block.cell == RecurrentBlock::Cell::lstm;
  const Count directions = block.bidirectional ? 2 : 1;
  const Count layers = block.num_layers;
  const Count h = directions * block.hidden_size;
  const TensorFormat format = tape.is_mixed() ? TensorFormat::half : TensorFormat::fp32;
  const Count gates = Count{lstm ? 4 : 3} * h;
  tape.save_operands(input_of(flow, block.input_size),
                     gates * (Count{block.input_size} + block.hidden_size + 2));
  if (layers.value() > 1) {
    const Tensor above = tape.create(0, format);
    tape.save_operands(above, (layers + -1) * gates * (h + block.hidden_size + 2));
  }
  const Count reserve = layers * (lstm ? 5 : 6) * h + (layers + -1) * h;
  tape.save(tape.create(flow.rows() * reserve, format));
  const Count states = Count{lstm ? 2 : 1} * layers * h * tape.setup().batch_size;
  tape.save(tape.create(states, format));
  tape.save(tape.create(flow.rows() * h, format));
  // With the batch in front, which cuDNN has second, and in BF16, which it does not take: a copy.
  flow.value = tape.create(flow.rows() * h, format);
}

void keep_block(Flow& flow, const LanguageModelHeadBlock& block) {
  Tape& tape = flow.tape;
  const Count rows = flow.rows();
  const Count d = block.hidden_size;
  Tensor x = input_of(flow, block.hidden_size);
  if (block.transform) {
    x = tape.activate(tape.linear(x, rows, d, d), block.transform_activation);
    x = tape.normalize(x, {}, d);
  }
  const Tensor scores = tape.linear(x, rows, d, block.vocab_size);
  if (block.logit_softcap) tape.save(tape.create(scores.elements, scores.format));
  keep_loss(flow, scores.elements, rows, !block.transform && !block.bias);
}

void keep_block(Flow& flow, const ClassifierBlock& block) {
  Tape& tape = flow.tape;
  const Tensor x =
      block.per_position ? input_of(flow, block.hidden_size) : first_token(flow, block.hidden_size);
  const Tensor scores = tape.linear(x, flow.rows(), block.hidden_size, block.num_labels);
  keep_loss(flow, scores.elements, flow.rows(), false);
}

void keep_block(Flow& flow, const ContrastiveHeadBlock& block) {
  Tape& tape = flow.tape;
  const Count batch = tape.setup().batch_size;
  // Both towers' vectors, and their normalised forms.
  for (int tower = 0; tower < 2; ++tower) {
    const Tensor vectors = tape.create(batch * block.projection_dim, TensorFormat::fp32);
    tape.save(vectors);
    tape.save(tape.to_product(vectors));
  }
  tape.save_statistics(batch * batch);
  keep_loss(flow, 2 * batch * batch, batch, false);
}

}  // namespace joulecast

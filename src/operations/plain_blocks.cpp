// SPDX-License-Identifier: Apache-2.0
// Embeddings, dense layers and the language-model head.
#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"

namespace joulecast {

void emit_block(Emitter& emitter, const EmbeddingBlock& block) {
  const TrainingSetup& setup = emitter.setup();
  const Count elements = Count{setup.batch_size} * setup.sequence_length * block.hidden_size;
  // Token, position and segment rows are looked up and added: one sum less than tables.
  // Backward: the gradient is read and added to a row of each table.
  const std::int64_t tables =
      1 + (block.max_position_embeddings > 0 ? 1 : 0) + (block.type_vocab_size > 0 ? 1 : 0);
  emitter.elements({.name = "embedding",
                    .kind = OperationKind::embedding,
                    .elements = elements,
                    .width = block.hidden_size,
                    .costs = {{tables - 1, tables, 1}, {tables, 1 + tables, tables}}});
  if (block.layer_norm) {
    emitter.elements({.name = "embedding_norm",
                      .kind = OperationKind::normalization,
                      .elements = elements,
                      .width = block.hidden_size,
                      .costs = layer_norm_costs});
  }
  if (block.dropout) {
    emitter.elements({.name = "embedding_dropout",
                      .elements = elements,
                      .width = block.hidden_size,
                      .costs = dropout_costs});
  }
}

void emit_block(Emitter& emitter, const DenseBlock& block) {
  const TrainingSetup& setup = emitter.setup();
  const Count rows = block.first_token_only ? Count{setup.batch_size}
                                            : Count{setup.batch_size} * setup.sequence_length;
  emitter.linear("dense", {1, rows, block.output_size, block.input_size});
  if (block.activation) {
    emitter.elements({.name = "dense_activation",
                      .elements = rows * block.output_size,
                      .width = block.output_size,
                      .costs = activation_costs(*block.activation)});
  }
}

void emit_block(Emitter& emitter, const LanguageModelHeadBlock& block) {
  const TrainingSetup& setup = emitter.setup();
  const Count rows = Count{setup.batch_size} * setup.sequence_length;
  const Count d = block.hidden_size;
  if (block.transform) {
    emitter.linear("head_transform", {1, rows, d, d});
    emitter.elements({.name = "head_activation",
                      .elements = rows * d,
                      .width = block.hidden_size,
                      .costs = activation_costs(block.transform_activation)});
    emitter.elements({.name = "head_norm",
                      .kind = OperationKind::normalization,
                      .elements = rows * d,
                      .width = block.hidden_size,
                      .costs = layer_norm_costs});
  }
  emitter.linear("language_model_head", {1, rows, block.vocab_size, d});
  emitter.elements({.name = "cross_entropy",
                    .kind = OperationKind::loss,
                    .elements = rows * block.vocab_size,
                    .width = block.vocab_size,
                    .costs = cross_entropy_costs});
}

}  // namespace joulecast

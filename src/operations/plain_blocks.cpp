// SPDX-License-Identifier: Apache-2.0
// Embeddings, dense layers, normalisations and heads.
#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"
#include "operations/sublayers.hpp"

namespace joulecast {
namespace {

Count rows_of(const Emitter& emitter, bool first_token_only) {
  return first_token_only ? Count{emitter.setup().batch_size} : emitter.rows();
}

void emit_loss(Emitter& emitter, Count rows, std::int64_t classes, Count executions) {
  emitter.cast("logits_cast", rows * classes, executions, 1);
  emitter.elements({.name = "cross_entropy",
                    .kind = OperationKind::loss,
                    .elements = rows * classes,
                    .width = classes,
                    .costs = emitter.compiled() ? cross_entropy_costs : eager_cross_entropy_costs,
                    .executions = executions,
                    .width_of_values = ValueWidth::full});
}

}  // namespace

void emit_block(Emitter& emitter, const EmbeddingBlock& block) {
  const Count elements = emitter.rows() * block.hidden_size;
  // Token, position and segment rows are looked up and added: one sum less than tables.
  // Backward: the gradient is read and added to a row of each table.
  const std::int64_t tables =
      1 + (block.max_position_embeddings > 0 ? 1 : 0) + (block.type_vocab_size > 0 ? 1 : 0);
  emitter.elements({.name = "embedding",
                    .kind = OperationKind::embedding,
                    .elements = elements,
                    .width = block.hidden_size,
                    .costs = {{tables - 1, tables, 1, 2 * tables - 1},
                              {tables, 1 + tables, tables, tables}},
                    .width_of_values = ValueWidth::full});
  if (block.scaled) {
    emit_rows(emitter, "embedding_scale", emitter.rows(), block.hidden_size, scale_costs, 1);
  }
  if (block.layer_norm) {
    emit_normalization(emitter, "embedding", {}, emitter.rows(), {1, block.hidden_size});
  }
  if (block.dropout) {
    emit_dropout(emitter, "embedding_dropout", emitter.rows(), block.hidden_size, 1);
  }
}

void emit_block(Emitter& emitter, const DenseBlock& block) {
  const Count rows = rows_of(emitter, block.first_token_only);
  emitter.linear("dense", {1, rows, block.output_size, block.input_size}, 1,
                 {.bias = block.bias});
  if (block.activation) {
    emit_activation(emitter, "dense_activation", rows, block.output_size, *block.activation, 1);
  }
}

void emit_block(Emitter& emitter, const NormalizationBlock& block) {
  emit_normalization(emitter, "block", block.norm, rows_of(emitter, block.first_token_only),
                     {1, block.hidden_size});
}

void emit_block(Emitter& emitter, const LanguageModelHeadBlock& block) {
  const Count rows = emitter.rows();
  const Count d = block.hidden_size;
  if (block.transform) {
    emitter.linear("head_transform", {1, rows, d, d}, 1, {.full_input = true});
    emit_activation(emitter, "head_activation", rows, block.hidden_size,
                    block.transform_activation, 1);
    emit_normalization(emitter, "head", {}, rows, {1, block.hidden_size});
  }
  emitter.linear("language_model_head", {1, rows, block.vocab_size, d}, 1,
                 {.bias = block.bias, .full_input = true});
  if (block.logit_softcap) {
    emit_rows(emitter, "head_softcap", rows, block.vocab_size, softcap_costs, 1);
  }
  emit_loss(emitter, rows, block.vocab_size, 1);
}

void emit_block(Emitter& emitter, const ClassifierBlock& block) {
  const Count rows = rows_of(emitter, !block.per_position);
  emitter.linear("classifier", {1, rows, block.num_labels, block.hidden_size}, 1,
                 {.bias = block.bias});
  emit_loss(emitter, rows, block.num_labels, 1);
}

// Radford et al. 2021, arXiv:2103.00020, figure 3: every image of the batch against every text, and
// the loss along rows and along columns.
void emit_block(Emitter& emitter, const ContrastiveHeadBlock& block) {
  const Count batch = emitter.setup().batch_size;
  emitter.product("contrastive_scores", {1, batch, batch, block.projection_dim});
  emit_rows(emitter, "contrastive_scale", batch, batch.value(), scale_costs, 1);
  emit_loss(emitter, batch, batch.value(), 2);
}

}  // namespace joulecast

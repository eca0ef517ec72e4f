// SPDX-License-Identifier: Apache-2.0
#pragma once

// The operations of each kind of block. One file per kind; `list_operations` calls them in order.

#include "operations/emitter.hpp"

namespace joulecast {

void emit_block(Emitter& emitter, const EmbeddingBlock& block);
void emit_block(Emitter& emitter, const PatchEmbeddingBlock& block);
void emit_block(Emitter& emitter, const PositionEmbeddingBlock& block);
void emit_block(Emitter& emitter, const TransformerBlock& block);
void emit_block(Emitter& emitter, const MambaBlock& block);
void emit_block(Emitter& emitter, const RecurrentBlock& block);
void emit_block(Emitter& emitter, const ConvolutionBlock& block);
void emit_block(Emitter& emitter, const PoolingBlock& block);
void emit_block(Emitter& emitter, const DenseBlock& block);
void emit_block(Emitter& emitter, const NormalizationBlock& block);
void emit_block(Emitter& emitter, const LanguageModelHeadBlock& block);
void emit_block(Emitter& emitter, const ClassifierBlock& block);
void emit_block(Emitter& emitter, const ContrastiveHeadBlock& block);

// Models that no reader made can hold anything. Errors: value, for a model without blocks, a size
// below 1, or heads that do not divide the width (the paper's convention cuts them to whole
// columns).
Result<void> check_model(const Model& model, Convention convention);

// The paper's operations: forward attention of Transformer layers, and the five steps of LSTM
// layers. Errors: unsupported, for blocks that the paper does not treat.
Result<std::vector<Operation>> list_paper_operations(const Model& model,
                                                     const TrainingSetup& setup);

}  // namespace joulecast

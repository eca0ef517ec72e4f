// SPDX-License-Identifier: Apache-2.0
#pragma once

// The operations of each kind of block. One file per kind; `list_operations` calls them in order.

#include "operations/emitter.hpp"

namespace joulecast {

void emit_block(Emitter& emitter, const EmbeddingBlock& block);
void emit_block(Emitter& emitter, const TransformerBlock& block);
void emit_block(Emitter& emitter, const RecurrentBlock& block);
void emit_block(Emitter& emitter, const DenseBlock& block);
void emit_block(Emitter& emitter, const LanguageModelHeadBlock& block);

// The paper's operations: forward attention of Transformer layers, and the five steps of LSTM
// layers. Errors: unsupported, for blocks that the paper does not treat.
Result<std::vector<Operation>> list_paper_operations(const Model& model,
                                                     const TrainingSetup& setup);

}  // namespace joulecast

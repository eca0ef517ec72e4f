// SPDX-License-Identifier: Apache-2.0
#pragma once

// What each kind of block keeps, in the order in which transformers computes it.

#include "memory/tape.hpp"

namespace joulecast {

// Where the data stand between blocks: their values, and how many positions a sample has.
struct Flow {
  Tape& tape;
  Tensor value{};
  Count height = 1;
  Count width = 1;

  [[nodiscard]] Count rows() const { return tape.setup().batch_size * height * width; }
};

// What a block reads: the value of the block before, or data where there is none.
inline Tensor input_of(Flow& flow, std::int64_t width) {
  if (flow.value.elements == Count{0}) flow.value = flow.tape.data(flow.rows() * width);
  return flow.value;
}

// Other than the stream's own positions where attention looks at another stack.
Tensor keep_attention(Tape& tape, const Tensor& x, const Attention& attention, std::int64_t hidden,
                      Count queries, Count keys);
Tensor keep_feed_forward(Tape& tape, const Tensor& x, const FeedForward& layer, std::int64_t hidden,
                         Count rows);

void keep_block(Flow& flow, const EmbeddingBlock& block);
void keep_block(Flow& flow, const PatchEmbeddingBlock& block);
void keep_block(Flow& flow, const PositionEmbeddingBlock& block);
void keep_block(Flow& flow, const TransformerBlock& block);
void keep_block(Flow& flow, const MambaBlock& block);
void keep_block(Flow& flow, const RecurrentBlock& block);
void keep_block(Flow& flow, const ConvolutionBlock& block);
void keep_block(Flow& flow, const PoolingBlock& block);
void keep_block(Flow& flow, const DenseBlock& block);
void keep_block(Flow& flow, const NormalizationBlock& block);
void keep_block(Flow& flow, const LanguageModelHeadBlock& block);
void keep_block(Flow& flow, const ClassifierBlock& block);
void keep_block(Flow& flow, const ContrastiveHeadBlock& block);

}  // namespace joulecast

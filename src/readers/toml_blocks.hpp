// SPDX-License-Identifier: Apache-2.0
#pragma once

// Blocks of hand-written models, each from its table.

#include "readers/readers.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace joulecast {

// What flows from block to block: how many positions of a sample, and how wide each is.
struct Flow {
  Positions positions{};
  std::optional<std::int64_t> width{};  // absent before the first block of a text model
  std::int64_t num_channels = 0;        // of the image; 0 where the model reads none
  bool is_image = false;                // positions are rows and columns
  bool is_input = true;                 // no block has changed it yet
};

TransformerBlock read_toml_transformer(ObjectReader& reader, bool decoder);

// These change the flow to what they give.
ConvolutionBlock read_toml_convolution(ObjectReader& reader, Flow& flow);
PoolingBlock read_toml_pooling(ObjectReader& reader, Flow& flow);
// The block's own positions are its tokens, those of the flow afterwards.
PatchEmbeddingBlock read_toml_patches(ObjectReader& reader, Flow& flow);
// All positions of a sample side by side, as one.
void flatten(ObjectReader& reader, Flow& flow);

// A dense block for each of hidden_sizes, with the activation, and one for output_size.
std::vector<DenseBlock> read_toml_mlp(ObjectReader& reader);

}  // namespace joulecast

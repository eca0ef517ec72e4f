// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many numbers does a layer hold? Weights and biases as PyTorch builds them.

#include <joulecast/model.hpp>

namespace joulecast {

// A linear layer of n outputs and k inputs: a weight and, where wanted, a bias.
inline Count linear_parameters(Count n, Count k, bool bias = true) {
  return n * k + (bias ? n : Count{0});
}

Count normalization_parameters(const Normalization& norm, Count width);
Count convolution_parameters(const ConvolutionLayer& layer);

// Of one layer; tables that all layers of a block share are left out.
Count attention_parameters(const Attention& attention, std::int64_t hidden_size);
// Those tables.
Count shared_attention_parameters(const Attention& attention, std::int64_t hidden_size);

Count feed_forward_parameters(const FeedForward& layer, std::int64_t hidden_size);
// Of these, the experts' that a token does not visit.
Count idle_expert_parameters(const FeedForward& layer, std::int64_t hidden_size);

// Layers of the block that own parameters.
std::int64_t distinct_layers(const TransformerBlock& block);

}  // namespace joulecast

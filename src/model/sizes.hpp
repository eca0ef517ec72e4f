// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which weights and biases does a layer hold? Those that PyTorch builds.

#include <joulecast/model.hpp>

#include <vector>

namespace joulecast {

// Collects the tensors of a block; what a count asks for is their sum.
class ParameterShapes {
 public:
  // `matrices` x rows x columns, as one tensor.
  void matrix(Count rows, Count columns, Count matrices = 1);
  void vector(Count numbers);
  // A linear layer of n outputs and k inputs: a weight and, where wanted, a bias.
  void linear(Count n, Count k, bool bias = true);
  // `copies` of everything in `layer`.
  void add(const ParameterShapes& layer, Count copies = 1);

  // Numbers in all of them; remembers an overflow.
  [[nodiscard]] Count total() const { return total_; }
  // Meaningless once the total overflowed.
  [[nodiscard]] const std::vector<ParameterShape>& list() const { return list_; }

 private:
  std::vector<ParameterShape> list_;
  Count total_ = 0;
};

void add_normalization(ParameterShapes& shapes, const Normalization& norm, Count width);
void add_convolution(ParameterShapes& shapes, const ConvolutionLayer& layer);

// Of one layer; tables that all layers of a block share are left out.
void add_attention(ParameterShapes& shapes, const Attention& attention, std::int64_t hidden_size);
// Those tables.
void add_shared_attention(ParameterShapes& shapes, const Attention& attention,
                          std::int64_t hidden_size);

void add_feed_forward(ParameterShapes& shapes, const FeedForward& layer, std::int64_t hidden_size);
// Numbers of the experts that a token does not visit.
Count idle_expert_parameters(const FeedForward& layer, std::int64_t hidden_size);

// Layers of the block that own parameters.
std::int64_t distinct_layers(const TransformerBlock& block);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <joulecast/measurement.hpp>

#include <concepts>
#include <type_traits>

namespace joulecast {

// The keys of each shape in the order in which they are written. `size` is 1 or more, `extent` 0
// or more, `word` anything else. An optional key stands there only where its value is another than
// the given one.
template <class Shape, class Visitor>
  requires std::same_as<std::remove_const_t<Shape>, MatmulShape>
void visit_keys(Shape& shape, Visitor& visitor) {
  visitor.size("batch", shape.batch);
  visitor.size("m", shape.m);
  visitor.size("n", shape.n);
  visitor.size("k", shape.k);
}

template <class Shape, class Visitor>
  requires std::same_as<std::remove_const_t<Shape>, ElementShape>
void visit_keys(Shape& shape, Visitor& visitor) {
  visitor.size("elements", shape.elements);
  visitor.size("width", shape.width);
}

template <class Shape, class Visitor>
  requires std::same_as<std::remove_const_t<Shape>, AttentionShape>
void visit_keys(Shape& shape, Visitor& visitor) {
  visitor.size("batch", shape.batch);
  visitor.size("sequence", shape.sequence);
  visitor.size("kv_sequence", shape.kv_sequence);
  visitor.size("heads", shape.heads);
  visitor.size("kv_heads", shape.kv_heads);
  visitor.size("head_size", shape.head_size);
  visitor.word("causal", shape.causal);
  visitor.extent("window", shape.window);
  visitor.word("kv_precision", shape.kv_precision);
}

template <class Shape, class Visitor>
  requires std::same_as<std::remove_const_t<Shape>, MoeShape>
void visit_keys(Shape& shape, Visitor& visitor) {
  visitor.size("tokens", shape.tokens);
  visitor.size("hidden_size", shape.hidden_size);
  visitor.size("intermediate_size", shape.intermediate_size);
  visitor.size("top_k", shape.top_k);
  visitor.size("num_experts", shape.num_experts);
  visitor.size("tensor_parallel_size", shape.tensor_parallel_size);
  visitor.size("expert_parallel_size", shape.expert_parallel_size);
  visitor.word("distribution", shape.distribution);
}

template <class Shape, class Visitor>
  requires std::same_as<std::remove_const_t<Shape>, ConvolutionShape>
void visit_keys(Shape& shape, Visitor& visitor) {
  visitor.size("batch", shape.batch);
  visitor.size("in_channels", shape.in_channels);
  visitor.size("out_channels", shape.out_channels);
  visitor.size("height", shape.height);
  visitor.size("width", shape.width);
  visitor.size("kernel", shape.kernel);
  visitor.size("stride", shape.stride);
  visitor.extent("padding", shape.padding);
  visitor.size("groups", shape.groups);
}

template <class Shape, class Visitor>
  requires std::same_as<std::remove_const_t<Shape>, StepShape>
void visit_keys(Shape& shape, Visitor& visitor) {
  visitor.word("model", shape.model);
  visitor.size("batch_size", shape.batch_size);
  visitor.extent("sequence_length", shape.sequence_length);
  visitor.size("num_gpus", shape.num_gpus);
  visitor.word("optimizer", shape.optimizer);
  visitor.optional_size("steps", shape.steps, 1);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which elementary operations does one training step consist of?
//
// model + training -> a list of operations, each with shape, FLOPs, bytes moved, phase and count.
// A multiply-add is two FLOPs; every elementwise arithmetic step or function is one. Bytes moved
// are the compulsory traffic to device memory: each operand read once, each result written once.
// docs/theory.md derives every formula. Paper: Mayaki & Charpenay, ECAI 2025, section 3.

#include <joulecast/error.hpp>
#include <joulecast/model.hpp>
#include <joulecast/quantities.hpp>
#include <joulecast/training.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace joulecast {

enum class OperationKind {
  matmul,
  attention,
  convolution,
  normalization,
  softmax,
  elementwise,
  embedding,
  loss,
  optimizer
};

enum class Phase { forward, backward_input, backward_weight, optimizer_step };

// `batch` independent products of an m x k by a k x n matrix.
struct MatmulShape {
  std::int64_t batch = 1;
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;

  bool operator==(const MatmulShape&) const = default;
};

// `elements` results, computed one by one; for reductions `width` elements belong together.
struct ElementShape {
  std::int64_t elements = 0;
  std::int64_t width = 1;

  bool operator==(const ElementShape&) const = default;
};

// Products that share n and k and split m rows among them as evenly as may be: the experts of a
// mixture. Their weight gradients split k instead.
struct GroupedMatmulShape {
  std::int64_t groups = 1;
  std::int64_t m = 0;  // of all groups together; of each where k is split
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool split_k = false;

  bool operator==(const GroupedMatmulShape&) const = default;
};

// Height and width are those of the input, padding not included. The gradients of a convolution
// carry its own shape: they run over the same three arrays.
struct ConvolutionShape {
  std::int64_t batch = 1;
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t kernel = 0;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t groups = 1;
  // Kernel, stride and padding act along the height alone, and the width is 1.
  bool one_dimensional = false;

  bool operator==(const ConvolutionShape&) const = default;
};

// Attention in one kernel. `causal`: a query sees no later key; `window` 0 means that all are seen.
struct FusedAttentionShape {
  std::int64_t batch = 1;
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::int64_t heads = 0;
  std::int64_t key_value_heads = 0;
  std::int64_t query_head_dim = 0;
  std::int64_t value_head_dim = 0;
  bool causal = false;
  std::int64_t window = 0;

  bool operator==(const FusedAttentionShape&) const = default;
};

using OperationShape = std::variant<MatmulShape, ElementShape, GroupedMatmulShape, ConvolutionShape,
                                    FusedAttentionShape>;

struct Operation {
  std::string name{};   // e.g. "qkv_projection"
  std::string block{};  // the model's block it belongs to
  OperationKind kind = OperationKind::matmul;
  Phase phase = Phase::forward;
  OperationShape shape{};
  Precision precision = Precision::fp32;  // the arithmetic it runs in
  std::int64_t flops = 0;                 // of one execution
  std::int64_t bytes_moved = 0;           // of one execution
  std::int64_t count = 0;                 // executions per step
  // Kernels of one execution that the framework launches one by one, for which the host takes its
  // time; 0 where the operation is part of another's kernel.
  std::int64_t launches = 1;
  // Kernels that a library launches inside one call of the framework, in place of those.
  std::int64_t library_launches = 0;
};

// The operations of one step on one device, in the order of execution: forward, backward in the
// reverse order, optimizer. Errors: overflow (a count beyond 64 bits), value, unsupported.
Result<std::vector<Operation>> list_operations(const Model& model, const TrainingSetup& setup);

// Whether attention of this kind runs in one kernel: where the setup says so, and nothing is added
// to the scores but a mask (no ALiBi slopes, relative biases or positions, no softcap).
bool runs_fused(const Attention& attention, const TrainingSetup& setup);

// Sums over all executions.
Flops total_flops(const std::vector<Operation>& operations);
Bytes total_bytes_moved(const std::vector<Operation>& operations);

std::string_view to_string(OperationKind kind);
std::string_view to_string(Phase phase);
std::string describe(const OperationShape& shape);  // "64*320x320x64", "1966080 elements"

}  // namespace joulecast

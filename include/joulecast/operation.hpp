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
  convolution,
  normalization,
  softmax,
  elementwise,
  embedding,
  loss,
  optimizer
};

// `recompute` is a forward operation that the backward pass runs again, to keep less memory.
enum class Phase { forward, recompute, backward_input, backward_weight, optimizer_step };

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

using OperationShape =
    std::variant<MatmulShape, ElementShape, GroupedMatmulShape, ConvolutionShape>;

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
};

// The operations of one step on one device, in the order of execution: forward, backward in the
// reverse order with what it computes again, both for each of the accumulated batches, then
// clipping and optimizer. Errors: overflow (a count beyond 64 bits), value, unsupported.
Result<std::vector<Operation>> list_operations(const Model& model, const TrainingSetup& setup);

// Sums over all executions.
Flops total_flops(const std::vector<Operation>& operations);
Bytes total_bytes_moved(const std::vector<Operation>& operations);

std::string_view to_string(OperationKind kind);
std::string_view to_string(Phase phase);
std::string describe(const OperationShape& shape);  // "64*320x320x64", "1966080 elements"

}  // namespace joulecast

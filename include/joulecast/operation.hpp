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

using OperationShape = std::variant<MatmulShape, ElementShape>;

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
// reverse order, optimizer. Errors: overflow (a count beyond 64 bits), value, unsupported.
Result<std::vector<Operation>> list_operations(const Model& model, const TrainingSetup& setup);

// Sums over all executions.
Flops total_flops(const std::vector<Operation>& operations);
Bytes total_bytes_moved(const std::vector<Operation>& operations);

std::string_view to_string(OperationKind kind);
std::string_view to_string(Phase phase);
std::string describe(const OperationShape& shape);  // "64*320x320x64", "1966080 elements"

}  // namespace joulecast

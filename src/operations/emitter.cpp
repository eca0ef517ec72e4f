// SPDX-License-Identifier: Apache-2.0
#include "operations/emitter.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace joulecast {
namespace {

// Bytes of one stored activation.
std::int64_t activation_bytes(Precision precision) {
  return precision == Precision::fp32 || precision == Precision::tf32 ? 4 : 2;
}

}  // namespace

void Emitter::add(Operation operation, Count flops, Count bytes, Count executions) {
  // After the first overflow nothing is listed: a gradient would have no forward operation to
  // stand behind.
  if (error_) return;
  if (flops.overflowed() || bytes.overflowed() || executions.overflowed()) {
    error_ = Error{ErrorKind::overflow,
                   fmt::format("the FLOPs or bytes of {} exceed 64 bits", operation.name),
                   Location{.file = file_, .path = operation.block},
                   "check the model's sizes, the batch size and the sequence length"};
    return;
  }
  operation.flops = flops.value();
  operation.bytes_moved = bytes.value();
  operation.count = executions.value();
  if (operation.phase == Phase::forward) {
    forward_.push_back(std::move(operation));
    backward_.emplace_back();
  } else if (operation.phase == Phase::optimizer_step) {
    optimizer_.push_back(std::move(operation));
  } else {
    backward_.back().push_back(std::move(operation));
  }
}

void Emitter::add_matmul(std::string_view name, Phase phase, MatmulSizes sizes, Count executions,
                         Role role) {
  // FP8 is for linear layers; products of two activations stay in BF16.
  const Precision precision = setup_.precision == Precision::fp8 && role == Role::product
                                  ? Precision::bf16
                                  : setup_.precision;
  const std::int64_t result = activation_bytes(precision);
  const std::int64_t operand = precision == Precision::fp8 ? 1 : result;
  Operation operation;
  operation.name = name;
  operation.block = block_;
  operation.kind = OperationKind::matmul;
  operation.phase = phase;
  operation.precision = precision;
  operation.shape = MatmulShape{.batch = sizes.batch.value(),
                                .m = sizes.m.value(),
                                .n = sizes.n.value(),
                                .k = sizes.k.value()};
  // Each of the m n results takes k multiplications and k additions.
  const Count flops = 2 * sizes.batch * sizes.m * sizes.n * sizes.k;
  const Count operands = sizes.m * sizes.k + sizes.k * sizes.n;
  const Count bytes = sizes.batch * (operands * operand + sizes.m * sizes.n * result);
  add(std::move(operation), flops, bytes, executions);
}

void Emitter::matmul(std::string_view name, Phase phase, MatmulSizes sizes, Count executions) {
  add_matmul(name, phase, sizes, executions, Role::linear);
}

void Emitter::linear(std::string_view name, MatmulSizes s, Count executions) {
  add_matmul(name, Phase::forward, s, executions, Role::linear);
  const MatmulSizes input{s.batch, s.m, s.k, s.n};   // dx (m x k) = dy (m x n) W^T (n x k)
  const MatmulSizes weight{s.batch, s.k, s.n, s.m};  // dW (k x n) = x^T (k x m) dy (m x n)
  add_matmul(name, Phase::backward_input, input, executions, Role::linear);
  add_matmul(name, Phase::backward_weight, weight, executions, Role::linear);
}

void Emitter::product(std::string_view name, MatmulSizes s, Count executions) {
  add_matmul(name, Phase::forward, s, executions, Role::product);
  const MatmulSizes left{s.batch, s.m, s.k, s.n};   // da (m x k) = dy (m x n) b^T (n x k)
  const MatmulSizes right{s.batch, s.k, s.n, s.m};  // db (k x n) = a^T (k x m) dy (m x n)
  add_matmul(name, Phase::backward_input, left, executions, Role::product);
  add_matmul(name, Phase::backward_input, right, executions, Role::product);
}

void Emitter::add_elements(const ElementOperation& source, Phase phase, const ElementCost& cost) {
  Operation operation;
  operation.name = source.name;
  operation.block = block_;
  operation.kind = source.kind;
  operation.phase = phase;
  operation.precision = Precision::fp32;
  operation.shape = ElementShape{.elements = source.elements.value(), .width = source.width};
  const Count values = source.elements * (cost.reads + cost.writes);
  add(std::move(operation), source.elements * cost.flops,
      values * activation_bytes(setup_.precision), source.executions);
}

void Emitter::elements(const ElementOperation& source) {
  add_elements(source, Phase::forward, source.costs.forward);
  add_elements(source, Phase::backward_input, source.costs.backward);
}

void Emitter::forward_elements(const ElementOperation& source) {
  add_elements(source, Phase::forward, source.costs.forward);
}

void Emitter::optimizer(Count parameters, ElementCost cost, std::int64_t bytes_per_value) {
  if (parameters == Count{0}) return;
  Operation operation;
  operation.name = fmt::format("{}_update", to_string(setup_.optimizer));
  operation.block = block_;
  operation.kind = OperationKind::optimizer;
  operation.phase = Phase::optimizer_step;
  operation.shape = ElementShape{.elements = parameters.value(), .width = 1};
  add(std::move(operation), parameters * cost.flops,
      parameters * (cost.reads + cost.writes) * bytes_per_value, 1);
}

Result<std::vector<Operation>> Emitter::take() && {
  if (error_) return std::unexpected(*error_);
  std::vector<Operation> operations = std::move(forward_);
  for (auto group = backward_.rbegin(); group != backward_.rend(); ++group) {
    std::move(group->begin(), group->end(), std::back_inserter(operations));
  }
  std::move(optimizer_.begin(), optimizer_.end(), std::back_inserter(operations));
  return operations;
}

}  // namespace joulecast

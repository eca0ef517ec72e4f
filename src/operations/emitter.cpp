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
    fail(ErrorKind::overflow,
         fmt::format("the FLOPs or bytes of {} exceed 64 bits", operation.name),
         "check the model's sizes, the batch size and the sequence length");
    return;
  }
  operation.flops = flops.value();
  operation.bytes_moved = bytes.value();
  operation.count = executions.value();
  if (operation.phase == Phase::forward) {
    forward_.push_back(std::move(operation));
    backward_.emplace_back();
    recomputed_.push_back(recomputed_by_ && setup_.recomputation >= *recomputed_by_);
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

// Every expert with a row is read once.
void Emitter::add_grouped(std::string_view name, Phase phase, GroupedSizes s, Count executions) {
  const std::int64_t result = activation_bytes(setup_.precision);
  const std::int64_t operand = setup_.precision == Precision::fp8 ? 1 : result;
  const bool weight = phase == Phase::backward_weight;
  Operation operation;
  operation.name = name;
  operation.block = block_;
  operation.kind = OperationKind::matmul;
  operation.phase = phase;
  operation.precision = setup_.precision;
  operation.shape = GroupedMatmulShape{.groups = s.groups.value(),
                                       .m = s.m.value(),
                                       .n = s.n.value(),
                                       .k = s.k.value(),
                                       .split_k = weight};
  // Rows belong to one group each, weights or their gradients exist in every group.
  const Count bytes = weight ? (s.m + s.n) * s.k * operand + s.groups * s.m * s.n * result
                             : (s.m * s.k + s.groups * s.k * s.n) * operand + s.m * s.n * result;
  add(std::move(operation), 2 * s.m * s.n * s.k, bytes, executions);
}

void Emitter::grouped_linear(std::string_view name, GroupedSizes s, Count executions) {
  add_grouped(name, Phase::forward, s, executions);
  add_grouped(name, Phase::backward_input, {s.groups, s.m, s.k, s.n}, executions);
  add_grouped(name, Phase::backward_weight, {s.groups, s.k, s.n, s.m}, executions);
}

// Each of the O P results sums C/g taps of the kernel; P positions of the output, over the batch.
void Emitter::add_convolution(std::string_view name, Phase phase, const ConvolutionShape& shape,
                              Count executions) {
  const Precision precision =
      setup_.precision == Precision::fp8 ? Precision::bf16 : setup_.precision;
  Operation operation;
  operation.name = name;
  operation.block = block_;
  operation.kind = OperationKind::convolution;
  operation.phase = phase;
  operation.precision = precision;
  operation.shape = shape;
  const Count filters = Count{shape.out_channels} * (shape.in_channels / shape.groups) *
                        shape.kernel * (shape.one_dimensional ? 1 : shape.kernel);
  const Extent out = convolved({shape.height, shape.width}, shape);
  const Count results = Count{shape.batch} * out.positions();
  const Count inputs = Count{shape.batch} * shape.in_channels * shape.height * shape.width;
  // The gradients read and write the same three arrays in other roles.
  const Count bytes =
      (inputs + filters + results * shape.out_channels) * activation_bytes(precision);
  add(std::move(operation), 2 * results * filters, bytes, executions);
}

void Emitter::fail(ErrorKind kind, std::string message, std::string remedy) {
  if (error_) return;
  error_ =
      Error{kind, std::move(message), Location{.file = file_, .path = block_}, std::move(remedy)};
}

void Emitter::convolution(std::string_view name, const ConvolutionShape& shape, Count executions,
                          bool input_gradient) {
  const Extent out = convolved({shape.height, shape.width}, shape);
  if (out.height.value() < 1 || out.width.value() < 1) {
    fail(ErrorKind::value,
         fmt::format("{} of kernel {} has no position in {} x {} values with a padding of {}", name,
                     shape.kernel, shape.height, shape.width, shape.padding),
         "give a larger input or a smaller kernel");
    return;
  }
  add_convolution(name, Phase::forward, shape, executions);
  if (input_gradient) add_convolution(name, Phase::backward_input, shape, executions);
  add_convolution(name, Phase::backward_weight, shape, executions);
}

Extent Emitter::extent_of(const Positions& positions) const {
  switch (positions.kind) {
    case Positions::Kind::sequence: return {setup_.sequence_length, 1};
    case Positions::Kind::target:
      return {setup_.target_sequence_length.value_or(setup_.sequence_length), 1};
    case Positions::Kind::fixed: return {positions.height, positions.width};
  }
  return {};
}

Extent convolved(const Extent& input, const ConvolutionShape& shape) {
  const auto outputs = [&](Count size) -> Count {
    const Count padded = size + 2 * Count{shape.padding} + Count{-1} * shape.kernel;
    if (padded.overflowed()) return padded;
    return padded.value() < 0 ? Count{0} : Count{padded.value() / shape.stride + 1};
  };
  return {outputs(input.height), shape.one_dimensional ? input.width : outputs(input.width)};
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

void Emitter::add_update(std::string name, Count parameters, const OptimizerCosts& costs,
                         Count executions) {
  if (parameters == Count{0}) return;
  Operation operation;
  operation.name = std::move(name);
  operation.block = block_;
  operation.kind = OperationKind::optimizer;
  operation.phase = Phase::optimizer_step;
  operation.shape = ElementShape{.elements = parameters.value(), .width = 1};
  add(std::move(operation), costs.flops, costs.bytes_moved, executions);
}

// One sum of two FP32 values, which takes the place of one of them.
void Emitter::accumulation(Count parameters) {
  add_update("gradient_accumulation", parameters,
             {.flops = parameters, .bytes_moved = 12 * parameters}, setup_.accumulation_steps - 1);
}

// Square and sum; then, since PyTorch scales whatever the norm is, a product in place:
// torch.nn.utils.clip_grad_norm_.
void Emitter::clipping(Count parameters) {
  add_update("gradient_norm", parameters, {.flops = 2 * parameters, .bytes_moved = 4 * parameters},
             1);
  add_update("gradient_scale", parameters, {.flops = parameters, .bytes_moved = 8 * parameters}, 1);
}

void Emitter::optimizer(Count parameters, const OptimizerCosts& costs) {
  add_update(fmt::format("{}_update", to_string(setup_.optimizer)), parameters, costs, 1);
}

Result<std::vector<Operation>> Emitter::take() && {
  std::vector<Operation> operations = forward_;
  // A block's operations are computed again before its backward ones.
  for (std::size_t end = forward_.size(); end > 0;) {
    std::size_t begin = end - 1;
    while (begin > 0 && forward_[begin - 1].block == forward_[begin].block) --begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (!recomputed_[i]) continue;
      operations.push_back(forward_[i]);
      operations.back().phase = Phase::recompute;
    }
    for (std::size_t i = end; i > begin; --i) {
      std::move(backward_[i - 1].begin(), backward_[i - 1].end(), std::back_inserter(operations));
    }
    end = begin;
  }
  for (Operation& operation : operations) {
    const Count count = Count{operation.count} * setup_.accumulation_steps;
    if (count.overflowed()) {
      fail(ErrorKind::overflow,
           fmt::format("{} runs more often than 64 bits count", operation.name),
           "check --accumulation-steps");
    }
    operation.count = count.value();
  }
  if (error_) return std::unexpected(*error_);
  std::move(optimizer_.begin(), optimizer_.end(), std::back_inserter(operations));
  return operations;
}

}  // namespace joulecast

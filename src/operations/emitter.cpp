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
  } else if (operation.phase == Phase::optimizer_step) {
    optimizer_.push_back(std::move(operation));
  } else {
    backward_.back().push_back(std::move(operation));
  }
}

void Emitter::add_matmul(std::string_view name, Phase phase, MatmulSizes sizes, Count executions,
                         MatmulCall call) {
  // FP8 is for linear layers; products of two activations stay in BF16.
  const Precision precision = setup_.precision == Precision::fp8 && call.role == Role::product
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
  operation.launches = call.launches;
  operation.library_launches = call.library_launches;
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

void Emitter::matmul(std::string_view name, Phase phase, MatmulSizes sizes, Count executions,
                     std::int64_t library_launches) {
  add_matmul(name, phase, sizes, executions,
             {.launches = library_launches > 0 ? 0 : 1, .library_launches = library_launches});
}

bool Emitter::autocasts() const {
  return setup_.precision == Precision::bf16 || setup_.precision == Precision::fp16;
}

void Emitter::cast(std::string_view name, Count elements, Count executions, std::int64_t launches) {
  if (!autocasts()) return;
  const ElementCost cost{.flops = 0, .reads = 1, .writes = 1, .launches = launches};
  this->elements({.name = name,
                  .elements = elements,
                  .costs = {cost, cost},
                  .executions = executions,
                  .width_of_values = ValueWidth::cast});
}

void Emitter::linear(std::string_view name, MatmulSizes s, Count executions, LinearParts parts) {
  const std::string own(name);
  // Each layer casts its input anew; the casts are fused into what comes before where compiled.
  if (parts.full_input && !compiled()) {
    cast(own + "_input_cast", Count{parts.layers} * s.m * s.k, executions, parts.layers);
  }
  cast(own + "_weight_cast", s.n * s.k + (parts.bias ? s.n : Count{0}), executions,
       parts.layers * (parts.bias ? 2 : 1));
  const MatmulCall call{.launches = parts.layers};
  add_matmul(name, Phase::forward, s, executions, call);
  const MatmulSizes input{s.batch, s.m, s.k, s.n};   // dx (m x k) = dy (m x n) W^T (n x k)
  const MatmulSizes weight{s.batch, s.k, s.n, s.m};  // dW (k x n) = x^T (k x m) dy (m x n)
  add_matmul(name, Phase::backward_input, input, executions, call);
  add_matmul(name, Phase::backward_weight, weight, executions, call);
  if (!parts.bias) return;
  add_elements({.name = own + "_bias_gradient",
                .elements = s.m * s.n,
                .width = s.n.value(),
                .executions = executions},
               Phase::backward_weight,
               {.flops = 1, .reads = 1, .writes = 0, .launches = parts.layers});
}

void Emitter::product(std::string_view name, MatmulSizes s, Count executions) {
  const MatmulCall call{.role = Role::product};
  add_matmul(name, Phase::forward, s, executions, call);
  const MatmulSizes left{s.batch, s.m, s.k, s.n};   // da (m x k) = dy (m x n) b^T (n x k)
  const MatmulSizes right{s.batch, s.k, s.n, s.m};  // db (k x n) = a^T (k x m) dy (m x n)
  add_matmul(name, Phase::backward_input, left, executions, call);
  add_matmul(name, Phase::backward_input, right, executions, call);
}

// Both products over all scores, whatever a mask hides, as PyTorch counts them:
//   forward c = 2 b h q k (d_q + d_v); backward 2.5 times that: the scores are computed again, and
//   each of the two products has two gradients (Dao 2023, arXiv:2307.08691, section 4.1).
// Bytes: q, k, v and the result once, backward each and its gradient.
void Emitter::add_attention(std::string_view name, Phase phase, const FusedAttentionShape& s,
                            Count executions) {
  Operation operation;
  operation.name = name;
  operation.block = block_;
  operation.kind = OperationKind::attention;
  operation.phase = phase;
  // FP32 attention runs alike whether products may use TF32 or not.
  operation.precision = autocasts() || setup_.precision == Precision::fp8
                            ? (setup_.precision == Precision::fp16 ? Precision::fp16
                                                                   : Precision::bf16)
                            : Precision::fp32;
  operation.shape = s;
  const bool forward = phase == Phase::forward;
  const Count columns = Count{s.query_head_dim} + s.value_head_dim;
  const Count scores = Count{s.batch} * s.heads * s.queries * s.keys;
  const Count values = Count{s.batch} * (Count{s.heads} * s.queries * columns +
                                         Count{s.key_value_heads} * s.keys * columns);
  add(std::move(operation), (forward ? 2 : 5) * scores * columns,
      (forward ? 1 : 2) * values * activation_bytes(setup_.precision), executions);
}

void Emitter::fused_attention(std::string_view name, const FusedAttentionShape& shape,
                              Count executions) {
  add_attention(name, Phase::forward, shape, executions);
  add_attention(name, Phase::backward_input, shape, executions);
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
  const std::string own(name);
  const Count filters = Count{shape.out_channels} * (shape.in_channels / shape.groups) *
                        shape.kernel * (shape.one_dimensional ? 1 : shape.kernel);
  cast(own + "_weight_cast", filters, executions, 1);
  // Tensors are N, C, H, W in PyTorch; tensor cores take N, H, W, C, so the library turns input and
  // result around, backward the gradients.
  if (setup_.precision != Precision::fp32) {
    const Count batch = shape.batch;
    const Count inputs = batch * shape.in_channels * shape.height * shape.width;
    const Count results = batch * shape.out_channels * out.positions();
    const ElementCost turn{.flops = 0, .reads = 1, .writes = 1};
    elements({.name = own + "_layout",
              .elements = inputs + results,
              .costs = {turn, turn},
              .executions = executions,
              .library_launches = 2});
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
  operation.launches = source.library_launches > 0 ? 0 : cost.launches;
  operation.library_launches = source.library_launches;
  operation.shape = ElementShape{.elements = source.elements.value(), .width = source.width};
  constexpr std::int64_t full = 4;
  const std::int64_t narrow = activation_bytes(setup_.precision);
  const bool wide = source.width_of_values == ValueWidth::full;
  std::int64_t bytes = (cost.reads + cost.writes) * (wide ? full : narrow);
  if (source.width_of_values == ValueWidth::cast) bytes = full + narrow;
  if (cost.launches == 0) bytes = 0;
  add(std::move(operation), source.elements * cost.flops, source.elements * bytes,
      source.executions);
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
  // A launch takes 320 chunks of 2^16 values: ATen/native/cuda/MultiTensorApply.cuh.
  constexpr std::int64_t values_per_launch = std::int64_t{320} << 16U;
  operation.launches = cost.launches * ((parameters.value() - 1) / values_per_launch + 1);
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

// SPDX-License-Identifier: Apache-2.0
// The least work of a measured operation: no kernel can do less, so a row that seems to have done
// it faster than the device can is wrong.
#include "measurements/names.hpp"

#include <algorithm>
#include <cassert>

namespace joulecast {
namespace {

double real(std::int64_t count) { return static_cast<double>(count); }

// Narrow formats write their products in 16 bits.
double result_bytes(MeasuredPrecision precision) {
  return std::max(2.0, bytes_per_number(precision));
}

MeasuredWork work_of(const MatmulShape& shape, const Measurement& row) {
  const double m = real(shape.m);
  const double n = real(shape.n);
  const double k = real(shape.k);
  const double batch = real(shape.batch);
  return {Flops{2.0 * batch * m * n * k},
          Bytes{batch * (bytes_per_number(row.precision) * (m * k + k * n) +
                         result_bytes(row.precision) * m * n)}};
}

MeasuredWork work_of(const ElementShape& shape, const Measurement& row) {
  const MeasuredOperation* operation = find_measured_operation(row.operation);
  if (operation == nullptr) return {};
  const double elements = real(shape.elements);
  // Elementwise kernels read and write 16 bits at least; only matrix products go below.
  const double width = result_bytes(row.precision);
  return {Flops{operation->flops * elements},
          Bytes{(operation->reads + operation->writes) * width * elements}};
}

// How many (query, key) pairs are computed. Under a causal mask, query i of the last `sequence`
// positions sees the keys up to its own, at most `window` of them:
// sum over i = 1..s of min(kv - s + i, w), an arithmetic series cut at w.
double visible_pairs(const AttentionShape& shape) {
  const double queries = real(shape.sequence);
  const double keys = real(shape.kv_sequence);
  const double window = shape.window > 0 ? std::min(real(shape.window), keys) : keys;
  if (!shape.causal) return queries * window;
  const double before = keys - queries;
  const double growing = std::clamp(window - before, 0.0, queries);
  return growing * before + growing * (growing + 1.0) / 2.0 + (queries - growing) * window;
}

// Scores and values: 2 d FLOPs each per pair and head; q, k, v read and the result written.
MeasuredWork work_of(const AttentionShape& shape, const Measurement& row) {
  const double batch = real(shape.batch);
  const double size = real(shape.head_size);
  const double flops = 4.0 * batch * real(shape.heads) * size * visible_pairs(shape);
  const double queries = batch * real(shape.sequence) * real(shape.heads) * size;
  const double keys = batch * real(shape.kv_sequence) * real(shape.kv_heads) * size;
  return {Flops{flops}, Bytes{2.0 * bytes_per_number(row.precision) * queries +
                              2.0 * bytes_per_number(shape.kv_precision) * keys}};
}

// Two matrices per expert at least (a gated one has three), of which this device holds
// intermediate / tp columns of experts / ep experts; every token visits top_k of all.
MeasuredWork work_of(const MoeShape& shape, const Measurement& row) {
  const double matrices = 2.0;
  const double share = real(shape.intermediate_size) / real(shape.tensor_parallel_size);
  const double visits = real(shape.tokens) * real(shape.top_k) / real(shape.expert_parallel_size);
  const double experts = real(shape.num_experts) / real(shape.expert_parallel_size);
  // Tokens may all choose the same experts, so no more than top_k are sure to be read.
  const double read = std::min({experts, real(shape.top_k), visits});
  const double weights = matrices * read * real(shape.hidden_size) * share;
  return {Flops{2.0 * matrices * visits * real(shape.hidden_size) * share},
          Bytes{bytes_per_number(row.precision) * weights}};
}

MeasuredWork work_of(const ConvolutionShape& shape, const Measurement& row) {
  const auto outputs = [&](std::int64_t size) {
    return real((size + 2 * shape.padding - shape.kernel) / shape.stride + 1);
  };
  const double area = outputs(shape.height) * outputs(shape.width);
  const double batch = real(shape.batch);
  const double taps =
      real(shape.kernel) * real(shape.kernel) * real(shape.in_channels) / real(shape.groups);
  const double input = batch * real(shape.in_channels) * real(shape.height) * real(shape.width);
  const double output = batch * real(shape.out_channels) * area;
  return {Flops{2.0 * output * taps},
          Bytes{bytes_per_number(row.precision) * (input + real(shape.out_channels) * taps) +
                result_bytes(row.precision) * output}};
}

MeasuredWork work_of(const StepShape&, const Measurement&) { return {}; }

}  // namespace

MeasuredWork least_work(const Measurement& measurement) {
  return std::visit([&](const auto& shape) { return work_of(shape, measurement); },
                    measurement.shape);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// A matrix product of M x N results is cut into tiles of 128 x 128, or 64 x 128 where M <= 64, each
// worked on by one of SM multiprocessors:
//   o = min(1, ceil(M/bm) ceil(N/128) / SM)
// A split of K is left out on purpose: with it BF16 products on an H200 that stay below the limit
// are missed by 20 % on average, without by 14 %; elsewhere it changes little (own study of public
// kernel sweeps, aiconfigurator 095f58a5).
#include <joulecast/power_law.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace joulecast {
namespace {

constexpr double short_rows = 64.0;
constexpr double tile_rows = 128.0;
constexpr double tile_columns = 128.0;
constexpr double block_elements = 1024.0;  // that one block of threads works on

double real(std::int64_t count) { return static_cast<double>(count); }

double bytes_per_weight(MeasuredPrecision precision) {
  switch (precision) {
    case MeasuredPrecision::fp32:
    case MeasuredPrecision::tf32: return 4.0;
    case MeasuredPrecision::fp16:
    case MeasuredPrecision::bf16: return 2.0;
    case MeasuredPrecision::fp8:
    case MeasuredPrecision::fp8_block: return 1.0;
    case MeasuredPrecision::nvfp4: return 0.5;
  }
  return 2.0;
}

double product_tiles(double m, double n) {
  return std::ceil(m / (m <= short_rows ? short_rows : tile_rows)) * std::ceil(n / tile_columns);
}

// What depends on the kind of shape.
struct Kernel {
  double flops = 0.0;
  double bytes = 0.0;
  double tiles = 0.0;
};

Kernel kernel_of(const MatmulShape& shape, const LawQuestion& question) {
  return {question.flops, question.bytes,
          real(shape.batch) * product_tiles(real(shape.m), real(shape.n))};
}

Kernel kernel_of(const ElementShape& shape, const LawQuestion& question) {
  return {question.flops, question.bytes, std::ceil(real(shape.elements) / block_elements)};
}

Kernel kernel_of(const AttentionShape& shape, const LawQuestion& question) {
  return {question.flops, question.bytes,
          real(shape.batch) * real(shape.heads) * std::ceil(real(shape.sequence) / tile_rows)};
}

// Experts are taken as gated, with three matrices, and tokens as dealt evenly, whatever the
// question counts: the least work of a measured row knows neither. Between the kernels all top_k T
// rows of the layer are moved in 16 bits, also those of other devices: two times the hidden size
// and three times the intermediate one.
Kernel kernel_of(const MoeShape& shape, const LawQuestion& question) {
  const double hidden = real(shape.hidden_size);
  const double inner = real(shape.intermediate_size) / real(shape.tensor_parallel_size);
  const double rows = real(shape.tokens) * real(shape.top_k);
  const double visits = rows / real(shape.expert_parallel_size);
  const double experts = real(shape.num_experts) / real(shape.expert_parallel_size);
  const double visited = std::max(1.0, std::min(experts, visits));
  const double matrices = 3.0 * hidden * inner;
  const double weights = bytes_per_weight(question.precision) * visited * matrices;
  const double moved = 2.0 * rows * (2.0 * hidden + 3.0 * inner);
  return {2.0 * visits * matrices, weights + moved,
          visited * product_tiles(visits / visited, std::min(hidden, inner))};
}

// As a matrix product of output positions by output channels.
Kernel kernel_of(const ConvolutionShape& shape, const LawQuestion& question) {
  const auto outputs = [&](std::int64_t size) {
    return real((size + 2 * shape.padding - shape.kernel) / shape.stride + 1);
  };
  const double positions = real(shape.batch) * outputs(shape.height) * outputs(shape.width);
  const double groups = real(shape.groups);
  return {question.flops, question.bytes,
          groups * product_tiles(positions, real(shape.out_channels) / groups)};
}

// A whole step fills the device.
Kernel kernel_of(const StepShape&, const LawQuestion& question) {
  return {question.flops, question.bytes, question.facts.multiprocessors};
}

}  // namespace

PowerQuestion power_question(const LawQuestion& question, double duration_seconds) {
  const Kernel kernel =
      std::visit([&](const auto& shape) { return kernel_of(shape, question); }, question.shape);
  return {.duration_seconds = duration_seconds,
          .flops = kernel.flops,
          .bytes = kernel.bytes,
          .occupied_fraction = std::min(1.0, kernel.tiles / question.facts.multiprocessors),
          .power_limit_watts = question.facts.power_limit_watts};
}

double demanded_power(const PowerLaw& law, const PowerQuestion& question) {
  const double work = law.joules_per_flop * question.flops + law.joules_per_byte * question.bytes;
  return law.idle_watts + law.active_watts + law.occupancy_watts * question.occupied_fraction +
         work / question.duration_seconds;
}

double evaluate_power(const PowerLaw& law, const PowerQuestion& question) {
  assert(question.duration_seconds > 0.0 && question.power_limit_watts > 0.0);
  const double q = demanded_power(law, question);
  const double c = law.limit_fraction * question.power_limit_watts;
  // (q^-s + c^-s)^(-1/s) with the smaller taken out, so that no power overflows.
  const double ratio = std::min(q, c) / std::max(q, c);
  return std::min(q, c) * std::pow(1.0 + std::pow(ratio, law.sharpness), -1.0 / law.sharpness);
}

}  // namespace joulecast

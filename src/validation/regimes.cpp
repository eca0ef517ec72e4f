// SPDX-License-Identifier: Apache-2.0
#include "validation/regimes.hpp"

#include "validation/metrics.hpp"

#include <algorithm>

namespace joulecast {
namespace {

// Attention runs one block of threads per head at least.
constexpr double few_heads = 8.0;
constexpr std::int64_t many_elements = std::int64_t{1} << 22U;
constexpr std::int64_t few_elements = std::int64_t{1} << 16U;

double count_heads(const AttentionShape& shape) {
  return static_cast<double>(shape.batch) * static_cast<double>(shape.heads);
}

struct Training {
  bool operator()(const MatmulShape& shape) const {
    return shape.m >= 1024 && shape.n >= 512 && shape.k >= 512;
  }
  bool operator()(const AttentionShape& shape) const {
    return shape.sequence >= 512 && count_heads(shape) >= few_heads && shape.window == 0;
  }
  bool operator()(const ElementShape& shape) const { return shape.elements >= many_elements; }
  bool operator()(const MoeShape& shape) const { return shape.tokens >= 1024; }
  bool operator()(const ConvolutionShape& shape) const { return shape.batch >= 16; }
  bool operator()(const StepShape&) const { return false; }
};

struct Skinny {
  bool operator()(const MatmulShape& shape) const { return shape.m <= 64; }
  bool operator()(const AttentionShape& shape) const { return count_heads(shape) < few_heads; }
  bool operator()(const ElementShape& shape) const { return shape.elements <= few_elements; }
  bool operator()(const MoeShape& shape) const { return shape.tokens <= 64; }
  bool operator()(const ConvolutionShape& shape) const { return shape.batch <= 4; }
  bool operator()(const StepShape&) const { return false; }
};

}  // namespace

bool is_training_shape(const MeasuredShape& shape) { return std::visit(Training{}, shape); }

bool is_skinny_shape(const MeasuredShape& shape) { return std::visit(Skinny{}, shape); }

double size_of(const MeasuredWork& work) {
  return work.flops.value() > 0.0 ? work.flops.value() : work.bytes.value();
}

FifthBounds find_fifths(std::span<const double> sizes) {
  std::vector<double> ascending(sizes.begin(), sizes.end());
  std::ranges::sort(ascending);
  return {.small = quantile(ascending, 0.2), .large = quantile(ascending, 0.8)};
}

}  // namespace joulecast

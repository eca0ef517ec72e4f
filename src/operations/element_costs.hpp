// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one element of each elementwise operation costs, forward and backward. One FLOP is one
// arithmetic step or one evaluation of a function (exp, erf, tanh, sqrt). Reads and writes are
// compulsory traffic in elements. docs/theory.md spells the counts out.

#include "operations/emitter.hpp"

namespace joulecast {

// y = a x. Backward: dx = a dy.
inline constexpr ElementCosts scale_costs{{1, 1, 1}, {1, 1, 1}};

// Maximum, subtraction, exponential, sum, division. Backward: dx = y (dy - sum(y dy)): two
// products, one sum, one subtraction; reads y and dy.
inline constexpr ElementCosts softmax_costs{{5, 1, 1}, {4, 2, 1}};

// Mean (1), variance (3: subtract, square, add), normalise (2), gain and shift (2). Backward: the
// input gradient takes 8 and those of gain and shift 3 (one product, two sums); reads dy and the
// normalised x.
inline constexpr ElementCosts layer_norm_costs{{8, 1, 1}, {11, 2, 1}};

// The same without the parts that a normalisation leaves out: mean and shift in RMSNorm, which has
// square, sum and scale (3), and a gain (1). Backward, without mean: dx = r (g dy - y mean(y g
// dy)): product, sum, scale, subtraction, scale (5); with a gain its product, and its own gradient
// (2).
constexpr ElementCosts normalization_costs(const Normalization& norm) {
  const std::int64_t weight = norm.weight ? 1 : 0;
  if (norm.kind == Normalization::Kind::rms_norm) {
    return {{3 + weight, 1, 1}, {5 + 3 * weight, 2, 1}};
  }
  const std::int64_t bias = norm.bias ? 1 : 0;
  return {{6 + weight + bias, 1, 1}, {8 + 2 * weight + bias, 2, 1}};
}

// y = a b. Backward: da = b dy, db = a dy.
inline constexpr ElementCosts multiply_costs{{1, 2, 1}, {2, 3, 2}};

// Two products and a sum with the sine and the cosine of the position, whose table is small.
// Backward turns the gradient the other way.
inline constexpr ElementCosts rotary_costs{{3, 1, 1}, {3, 1, 1}};

// y = c tanh(x / c), in three passes. Backward: 1 - y^2 and the two scales.
inline constexpr ElementCosts softcap_costs{{3, 3, 3}, {5, 4, 3}};

// Scores plus a bias that is the same for every sample. Backward: its gradient sums over the batch.
inline constexpr ElementCosts shared_bias_costs{{1, 1, 1}, {1, 1, 0}};

// Rows picked by an index. Backward: the gradients are added to where the rows came from.
inline constexpr ElementCosts gather_costs{{0, 1, 1}, {1, 2, 1}};

// The sum over a token's experts, each scaled by its weight: product and sum. Backward: the
// gradient scaled, and its product with the expert's result.
inline constexpr ElementCosts combine_costs{{2, 1, 1}, {2, 2, 1}};

// y = x + r. Backward: the two branches' gradients are added.
inline constexpr ElementCosts residual_costs{{1, 2, 1}, {1, 2, 1}};

// Draw and compare (1), scale (1). Backward: masked scale; the mask is regenerated or tiny.
inline constexpr ElementCosts dropout_costs{{2, 1, 1}, {1, 1, 1}};

// Log-softmax over the vocabulary (5) and, per position, one selection. Backward: p - onehot,
// scaled (2).
inline constexpr ElementCosts cross_entropy_costs{{5, 1, 1}, {2, 1, 1}};

constexpr ElementCosts activation_costs(Activation activation) {
  switch (activation) {
    // max(x, 0). Backward: mask.
    case Activation::relu: return {{1, 1, 1}, {1, 2, 1}};
    // x/2 (1 + erf(x/sqrt 2)): scale, erf, add, two products. Backward, from x and dy alone:
    // dy (Phi + x phi) with 4 for Phi = (1 + erf(x/sqrt 2))/2, 4 for phi = exp(-x^2/2)/sqrt(2 pi).
    case Activation::gelu: return {{5, 1, 1}, {11, 2, 1}};
    // x/2 (1 + t), t = tanh(u), u = x (a + ab x^2): 4 for u, tanh, add, two products. Backward,
    // dy/2 (1 + t) (1 + x (1 - t) u'): 4 for u, tanh, 2 for u' = a + 3ab x^2, 8 for the rest.
    case Activation::gelu_tanh: return {{8, 1, 1}, {15, 2, 1}};
    // x s, s = 1 / (1 + exp(-x)): negate, exp, add, divide. Backward, dy s (1 + x (1 - s)): 4 for
    // s, 5 for the rest. The quick GELU has s = 1 / (1 + exp(-1.702 x)): its negation is a scale.
    case Activation::silu:
    case Activation::quick_gelu: return {{4, 1, 1}, {9, 2, 1}};
    // Backward: 1 - y^2, times dy.
    case Activation::tanh: return {{1, 1, 1}, {3, 2, 1}};
  }
  return {};
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What one element of each elementwise operation costs, forward and backward. One FLOP is one
// arithmetic step or one evaluation of a function (exp, erf, tanh, sqrt). Reads and writes are
// compulsory traffic in elements. docs/theory.md spells the counts out. What one line of a model
// file runs as several kernels in eager execution has a second entry with their launches and all
// their traffic; a compiler fuses these into the first.

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
inline constexpr ElementCosts eager_multiply_costs{{1, 2, 1, 1}, {2, 4, 2, 2}};

// RMSNorm as transformers' model files spell it, in FP32: square, mean, epsilon, root, product with
// it, product with the gain; only three pass over all values. Backward, by autograd: product and sum
// for the gain, two products and a sum for the root, the mean's expansion, the square's three
// passes, the sum of both branches.
constexpr ElementCosts eager_rms_norm_costs(const ElementCosts& costs) {
  return {{costs.forward.flops, 4, 3, 6}, {costs.backward.flops, 15, 9, 14}};
}

// Gains and shifts have gradients by a kernel of their own, which reads both operands again.
constexpr ElementCosts eager_layer_norm_costs(const ElementCosts& costs) {
  return {costs.forward, {costs.backward.flops, 4, 1, 2}};
}

// Two products and a sum with the sine and the cosine of the position, whose table is small.
// Backward turns the gradient the other way.
inline constexpr ElementCosts rotary_costs{{3, 1, 1}, {3, 1, 1}};
// x cos + rotate_half(x) sin, for queries and for keys: negation of a half, concatenation, two
// products, sum. Backward: the same, and a fill where the halves come together.
inline constexpr ElementCosts eager_rotary_costs{{3, 5, 5, 10}, {3, 6, 6, 12}};

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

// The operations that a compiler makes one kernel with what stands before or behind them.
constexpr ElementCosts fused_away(const ElementCosts& costs) {
  return {{costs.forward.flops, 0, 0, 0}, {costs.backward.flops, 0, 0, 0}};
}

constexpr ElementCosts activation_costs(Activation activation) {
  switch (activation) {
    // max(x, 0). Backward: mask.
    case Activation::relu: return {{1, 1, 1}, {1, 2, 1}};
    // x/2 (1 + erf(x/sqrt 2)): scale, erf, add, two products. Backward, from x and dy alone:
    // dy (Phi + x phi) with 4 for Phi = (1 + erf(x/sqrt 2))/2, 4 for phi = exp(-x^2/2)/sqrt(2 pi).
    case Activation::gelu: return {{5, 1, 1}, {11, 2, 1}};
    // x/2 (1 + t), t = tanh(u), u = x (a + ab x^2): 4 for u, tanh, add, two products. Backward,
    // dy/2 (1 + t) (1 + x (1 - t) u'): 4 for u, tanh, 2 for u' = a + 3ab x^2, 8 for the rest.
    case Activation::gelu_new:
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

// x/2 (1 + tanh(a (x + b x^3))) as transformers' "gelu_new" spells it: cube, scale, sum, scale, tanh,
// sum, halving, product, each a kernel; backward two to three passes for each of them.
inline constexpr ElementCosts eager_gelu_new_costs{{8, 10, 8, 8}, {15, 18, 12, 12}};

// The loss in FP32, whatever the products run in. Forward: log-softmax, then the selection.
// Backward: the gradient of the selection is a matrix of zeros but for one in each row; log-softmax
// reads it and its own result.
inline constexpr ElementCosts eager_cross_entropy_costs{{5, 1, 1, 2}, {2, 2, 2, 3}};

// Per parameter, in FP32: p, g and the optimizer's states are read, p and the states written.
constexpr ElementCost optimizer_cost(Optimizer optimizer) {
  switch (optimizer) {
    // p -= lr g
    case Optimizer::sgd: return {2, 2, 1};
    // v = mu v + g; p -= lr v
    case Optimizer::momentum: return {4, 3, 2};
    // m: 3 steps, v: 4, denominator: root, scale, add eps, update: divide, scale, subtract
    case Optimizer::adam: return {13, 4, 3};
    // and the decay p *= 1 - lr lambda
    case Optimizer::adamw: return {14, 4, 3};
  }
  return {};
}

// The same by PyTorch's default, one kernel for each arithmetic step over many tensors at once
// (torch.optim, `foreach`): every step reads and writes. AdamW: p scaled (1 read), m interpolated
// with g (2), v scaled (1), plus g^2 (2), root (1), correction (1), epsilon (1), p minus m over it
// (3), each with one write.
constexpr ElementCost foreach_cost(Optimizer optimizer) {
  const std::int64_t flops = optimizer_cost(optimizer).flops;
  switch (optimizer) {
    case Optimizer::sgd: return {flops, 2, 1, 1};
    // v scaled, plus g, p minus lr v
    case Optimizer::momentum: return {flops, 5, 3, 3};
    case Optimizer::adam: return {flops, 11, 7, 7};
    case Optimizer::adamw: return {flops, 12, 8, 8};
  }
  return {};
}

}  // namespace joulecast

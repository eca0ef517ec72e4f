// SPDX-License-Identifier: Apache-2.0
// Per number of a tensor: states, FLOPs / values read / values written. p: parameter, g: gradient.
//
//   sgd        p -= lr g                                                     none,  2 / 2 / 1
//   momentum   v = mu v + g; p -= lr v                                       v,     4 / 3 / 2
//   adam       Kingma & Ba 2014, arXiv:1412.6980, algorithm 1: m 3 steps, v 4; root, scale,
//   epsilon,
//              divide, scale, subtract 6                                     m, v, 13 / 4 / 3
//   adamw      Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2: and p *= 1 - lr lambda
//                                                                            m, v, 14 / 4 / 3
//   lion       Chen et al. 2023, arXiv:2302.06675, algorithm 2: c = b1 m + (1 - b1) g: 3, sign 1,
//              decay and sum 2, scale and subtract 2, m = b2 m + (1 - b2) g: 3
//                                                                            m,    11 / 3 / 2
//   adafactor  Shazeer & Stern 2018, arXiv:1804.04235, algorithm 4, without first moment, as
//              torch.optim.Adafactor: g^2 + epsilon 2, sums of rows and columns 2, their product 1,
//              root and divide 2, norms of the update and of p 4, scale and subtract 2 = 13. Of a
//              matrix the sums of rows and columns are kept (r + c numbers for r x c), of a vector
//              the whole second moment. The update needs the sums and its own norm first: g is read
//              for the sums, read again while the update is written, which is read once more; p is
//              read for its norm and again                                  13 / 5 / 2
//   8-bit Adam Dettmers et al. 2021, arXiv:2110.02861: both states in one byte, with one FP32 scale
//              per block; 256 numbers a block, and tensors below 4096 numbers in FP32, as
//              bitsandbytes has them. Per state a scale on reading 1, the block's maximum 2, a
//              scale 1 and a search among 256 values 8: 24 steps more than Adam.
//
// PyTorch's Adam, AdamW and Adafactor keep an FP32 step counter per tensor on top.
#include <joulecast/optimizer.hpp>

namespace joulecast {
namespace {

constexpr std::int64_t value_bytes = 4;
constexpr std::int64_t quantization_block = 256;
constexpr std::int64_t least_quantized = 4096;
// The 256 values of a signed and of an unsigned byte, once for all tensors.
constexpr std::int64_t quantization_tables = value_bytes * 2 * 256;

struct PerNumber {
  std::int64_t states, flops, reads, writes;
};

constexpr PerNumber costs_of(Optimizer optimizer) {
  switch (optimizer) {
    case Optimizer::sgd: return {0, 2, 2, 1};
    case Optimizer::momentum: return {1, 4, 3, 2};
    case Optimizer::adam:
    case Optimizer::adam_8bit: return {2, 13, 4, 3};
    case Optimizer::adamw:
    case Optimizer::adamw_8bit: return {2, 14, 4, 3};
    case Optimizer::lion: return {1, 11, 3, 2};
    case Optimizer::adafactor: return {0, 13, 5, 2};
  }
  return {};
}

bool has_step_counter(Optimizer optimizer) {
  return optimizer == Optimizer::adam || optimizer == Optimizer::adamw ||
         optimizer == Optimizer::adafactor;
}

bool is_quantized(Optimizer optimizer, Count numbers) {
  const bool eight_bits = optimizer == Optimizer::adam_8bit || optimizer == Optimizer::adamw_8bit;
  return eight_bits && (numbers.overflowed() || numbers.value() >= least_quantized);
}

OptimizerCosts cost_quantized(const PerNumber& cost, Count numbers) {
  const Count blocks = (numbers.value() + quantization_block - 1) / quantization_block;
  const Count states = cost.states * (numbers + value_bytes * blocks);
  return {.state_bytes = states,
          .flops = numbers * (cost.flops + 12 * cost.states),
          .bytes_moved = numbers * 3 * value_bytes + 2 * states};
}

// Sums of rows and of columns of each matrix, read and written once.
OptimizerCosts cost_factored(const PerNumber& cost, const ParameterShape& shape, Count numbers) {
  const Count sums =
      shape.columns == 0 ? numbers : shape.matrices * (Count{shape.rows} + shape.columns);
  return {.state_bytes = value_bytes * sums,
          .flops = numbers * cost.flops,
          .bytes_moved = value_bytes * (numbers * (cost.reads + cost.writes) + 2 * sums)};
}

OptimizerCosts cost_of(Optimizer optimizer, const ParameterShape& shape) {
  const PerNumber cost = costs_of(optimizer);
  const Count numbers = numbers_in(shape);
  if (is_quantized(optimizer, numbers)) return cost_quantized(cost, numbers);
  if (optimizer == Optimizer::adafactor) return cost_factored(cost, shape, numbers);
  return {.state_bytes = value_bytes * cost.states * numbers,
          .flops = numbers * cost.flops,
          .bytes_moved = value_bytes * numbers * (cost.reads + cost.writes)};
}

}  // namespace

OptimizerCosts count_optimizer(Optimizer optimizer, const std::vector<ParameterShape>& tensors) {
  OptimizerCosts total;
  bool quantized = false;
  for (const ParameterShape& shape : tensors) {
    const OptimizerCosts one = cost_of(optimizer, shape);
    const Count counter = has_step_counter(optimizer) ? value_bytes : 0;
    total.state_bytes += shape.copies * (one.state_bytes + counter);
    total.flops += shape.copies * one.flops;
    total.bytes_moved += shape.copies * one.bytes_moved;
    quantized = quantized || is_quantized(optimizer, numbers_in(shape));
  }
  if (quantized) total.state_bytes += quantization_tables;
  return total;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What does an optimizer remember of a parameter, and what does its step cost?
//
// Parameters, gradients and states are FP32 whatever the precision of the products. Arithmetic is
// counted as everywhere (operation.hpp); traffic reads and writes each value once, more often only
// where a sum over the whole tensor must be known first. src/operations/optimizer.cpp derives each
// count and names its source.

#include <joulecast/model.hpp>
#include <joulecast/quantities.hpp>
#include <joulecast/training.hpp>

#include <vector>

namespace joulecast {

struct OptimizerCosts {
  Count state_bytes = 0;  // kept between steps
  Count flops = 0;        // of one step
  Count bytes_moved = 0;  // of one step
};

// Of all tensors together. Counts remember an overflow.
OptimizerCosts count_optimizer(Optimizer optimizer, const std::vector<ParameterShape>& tensors);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Measured training steps beside what `predict` says of them.

#include <joulecast/validation.hpp>

#include <span>

namespace joulecast {

LawReference refer_to(const Law& law);

// Steps measured on one device in one precision.
struct MeasuredSteps {
  const Device& device;
  MeasuredPrecision precision;
  std::span<const Measurement* const> rows;
};

// Adds the steps and their runs: subjects, rows and gaps. `laws` go before the shipped ones.
// Errors: those of `find_model`.
Result<void> judge_steps(const MeasuredSteps& steps, const LawSet& laws,
                         const ValidationOptions& options, Validation& validation);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where does one number come from? Formula, substituted values, law, source and range: the whole
// chain of an operation, of the step or of the run on one screen.

#include <joulecast/prediction.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

struct ExplanationStep {
  std::string quantity{};     // e.g. "duration of one execution"
  std::string formula{};      // e.g. "t = launch + max(c / (f_c v_max), bytes / (f_b BW))"
  std::string substituted{};  // the same with the numbers in it
  std::string result{};       // with unit
  std::string source{};       // paper, law or data sheet
  std::string range{};        // where it holds
};

struct Explanation {
  std::string subject{};
  std::vector<ExplanationStep> steps{};
  std::vector<std::string> law_ids{};  // of the laws that the number rests on
  std::vector<Warning> warnings{};
};

// `subject` is an operation's name, "step" or "run". Where a name stands in several blocks, the
// block goes before it: "encoder/qkv_projection". Where an operation has several phases, `phase`
// chooses; the default is the forward pass. Errors: not_found, with what there is; usage, for a
// name in several blocks, or "run" where no run is stated.
Result<Explanation> explain(const Prediction& prediction, std::string_view subject,
                            Phase phase = Phase::forward);

}  // namespace joulecast

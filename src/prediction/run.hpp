// SPDX-License-Identifier: Apache-2.0
#pragma once

// From one step to a whole run: steps, evaluation, checkpoints, padding, and the account of it.

#include <joulecast/prediction.hpp>

namespace joulecast {

struct RunInputs {
  const RunPlan& plan;
  const TrainingSetup& setup;
  const Site& site;
  const StepPrediction& step;
  Watts idle_power;  // while checkpoints are written
};

Result<std::optional<RunPrediction>> predict_run(const RunInputs& inputs);

}  // namespace joulecast

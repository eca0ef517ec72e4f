// SPDX-License-Identifier: Apache-2.0
#pragma once

// What will training this model cost? The whole chain in one call: model + training -> operations
// -> durations -> energy -> step -> run. A pure function: the same request gives the same result.

#include <joulecast/device.hpp>
#include <joulecast/duration.hpp>
#include <joulecast/energy.hpp>
#include <joulecast/error.hpp>
#include <joulecast/law.hpp>
#include <joulecast/memory.hpp>
#include <joulecast/model.hpp>
#include <joulecast/operation.hpp>
#include <joulecast/quantities.hpp>
#include <joulecast/training.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace joulecast {

// How long the training goes on. Exactly one of `steps`, `epochs` with `samples`, or `tokens`;
// none for a single step.
struct RunPlan {
  std::optional<std::int64_t> steps{};
  std::optional<std::int64_t> epochs{};
  std::optional<std::int64_t> samples{};  // sequences per epoch
  std::optional<std::int64_t> tokens{};   // real tokens, without padding
  // Time for evaluation and for writing checkpoints, as a fraction of the pure training time.
  double evaluation_fraction = 0.0;
  double checkpoint_fraction = 0.0;
  // Fraction of the positions of a batch that hold padding, in [0, 1).
  double padding_fraction = 0.0;
};

struct PredictionRequest {
  Model model{};
  Device device{};
  TrainingSetup setup{};
  std::optional<LawSet> laws{};  // the shipped ones where absent
  bool shipped_too = false;      // behind `laws`, for what they do not cover
  std::string law_family{};      // of shipped laws, in place of the one that the fit chose
  RunPlan plan{};
  Site site{};
};

// 90 % of measurements are expected between the two.
template <class Q>
struct Interval {
  Q lower{};
  Q upper{};
};

struct OperationPrediction {
  Operation operation{};
  DeviceRates rates{};
  std::string law_id{};
  // How far the operation lies outside the sizes that its law was fitted on: |ln| of its FLOPs over
  // the nearer end of the range, 0 within. Absent for the prior, which was fitted to none.
  std::optional<double> fitted_range_distance{};
  OperationDuration duration{};  // of one execution
  Seconds total_duration{};      // of all executions in a step
  // Of the board while it runs, and over all executions. Absent under the paper's convention,
  // which gives energy only for a whole step.
  std::optional<Watts> power{};
  std::optional<Joules> total_energy{};
  std::optional<IntervalFactors> interval{};        // of the duration
  std::optional<IntervalFactors> power_interval{};  // of the power
  bool power_is_prior = true;                       // nobody measured it for such operations here
  double duration_share = 0.0;                      // of the step
  std::optional<double> energy_share{};
};

// One optimisation step on one device.
struct StepPrediction {
  Flops flops{};
  Bytes bytes_moved{};
  Seconds duration{};
  std::optional<Interval<Seconds>> duration_interval{};
  // Absent where the paper's convention publishes no usable regression.
  std::optional<Joules> energy{};
  std::optional<Interval<Joules>> energy_interval{};
  std::optional<Watts> average_power{};
  double hef = 0.0;  // FLOPs / (duration x peak of the training precision)
};

// What one step needs of one device's memory.
struct MemoryPrediction {
  MemoryNeed need{};
  std::optional<Bytes> available{};                  // absent where the device does not state it
  std::optional<std::int64_t> largest_batch_size{};  // that fits; absent also where none does

  // Also where nobody knows: there is no reason to warn.
  [[nodiscard]] bool fits() const {
    return !available || static_cast<double>(need.peak_bytes) <= available->value();
  }
};

// A named part of a run's time; the parts sum to the whole.
struct RunPart {
  std::string name{};
  Seconds duration{};
  Joules energy{};  // all devices together
};

struct RunPrediction {
  std::int64_t steps = 0;
  std::int64_t num_gpus = 1;
  Seconds duration{};
  std::optional<Interval<Seconds>> duration_interval{};
  std::vector<RunPart> parts{};
  // The part of the training time that is spent on padding; contained in the parts above.
  RunPart padding{};
  // Host energy follows the time, the device's energy has its own bounds; what is stated (PUE,
  // carbon intensity, prices) counts as exact.
  std::optional<Interval<Joules>> device_energy_interval{};
  std::optional<Interval<Joules>> facility_energy_interval{};
  std::optional<Interval<Kilograms>> emissions_interval{};
  std::optional<Interval<double>> cost_interval{};
  Account account{};
};

// The paper's own figures beside the physical ones, under `--convention ecai2025`.
struct PaperFigures {
  struct Row {
    std::string operation{};
    std::string block{};
    std::string layers{};  // of the block that this row stands for: "1", "2 to 4"
    double hef_percent = 0.0;
    double duration_paper_microseconds = 0.0;  // 100 times too small: see docs/theory.md
  };
  std::vector<Row> rows{};
  std::string energy_equation{};  // equation (19) with its numbers; empty for recurrent models
  std::string energy_law_id{};    // of the regression, its source, and the file that states it
  std::string energy_source{};
  std::string energy_sha256{};
};

struct Assumption {
  std::string name{};
  std::string value{};
  std::string origin{};  // "stated", a flag, "default", "convention", or a file

  bool operator==(const Assumption&) const = default;
};

struct Prediction {
  Model model{};
  std::vector<ParameterCount> parameters{};
  std::int64_t parameter_count = 0;
  Device device{};
  TrainingSetup setup{};
  RunPlan plan{};
  Site site{};
  std::vector<Law> laws{};  // those that were used
  PowerPrior power{};
  Watts power_limit{};
  std::vector<OperationPrediction> operations{};
  StepPrediction step{};
  std::optional<MemoryPrediction> memory{};  // absent under the paper's convention
  std::optional<RunPrediction> run{};
  std::optional<PaperFigures> paper{};
  std::vector<Assumption> assumptions{};
  std::vector<Warning> warnings{};
};

// Errors: everything that list_operations, find_rates and find_power_limit refuse; usage, for a
// plan that contradicts itself; value, for sizes and fractions that cannot be.
Result<Prediction> predict(const PredictionRequest& request);

// Steps that a plan amounts to; absent where it states none. Errors: usage, value, overflow.
Result<std::optional<std::int64_t>> count_steps(const RunPlan& plan, const TrainingSetup& setup);

}  // namespace joulecast

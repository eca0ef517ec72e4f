// SPDX-License-Identifier: Apache-2.0
#include "prediction/run.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace joulecast {
namespace {

std::unexpected<Error> plan_error(ErrorKind kind, std::string flag, std::string message,
                                  std::string remedy) {
  return std::unexpected(Error{kind, std::move(message),
                               Location{.file = {}, .path = std::move(flag)}, std::move(remedy)});
}

Result<void> check_fraction(const char* flag, double value, double highest) {
  // Written so that NaN fails as well.
  if (value >= 0.0 && value <= highest) return {};
  return plan_error(ErrorKind::value, flag,
                    fmt::format("must be a fraction from 0 to {}, is {}", highest, value),
                    "give a fraction, e.g. 0.05 for five percent");
}

Result<void> check_plan(const RunPlan& plan) {
  if (auto ok = check_fraction("--evaluation-fraction", plan.evaluation_fraction, 10.0); !ok) {
    return ok;
  }
  if (auto ok = check_fraction("--checkpoint-fraction", plan.checkpoint_fraction, 10.0); !ok) {
    return ok;
  }
  if (auto ok = check_fraction("--padding-fraction", plan.padding_fraction, 0.999); !ok) return ok;
  const bool by_epochs = plan.epochs || plan.samples;
  if (by_epochs && !(plan.epochs && plan.samples)) {
    return plan_error(ErrorKind::usage, plan.epochs ? "--samples" : "--epochs",
                      "--epochs and --samples belong together", "give both");
  }
  const int ways = (plan.steps ? 1 : 0) + (by_epochs ? 1 : 0) + (plan.tokens ? 1 : 0);
  if (ways > 1) {
    return plan_error(ErrorKind::usage, "--steps",
                      "the length of the run is stated in more than one way",
                      "give one of --steps, --epochs with --samples, or --tokens");
  }
  struct Size {
    const char* flag;
    std::optional<std::int64_t> value;
  };
  // Tokens run to trillions; everything else stays below as well.
  constexpr std::int64_t most = std::int64_t{1} << 60U;
  for (const Size& size : {Size{"--steps", plan.steps}, Size{"--epochs", plan.epochs},
                           Size{"--samples", plan.samples}, Size{"--tokens", plan.tokens}}) {
    if (!size.value || (*size.value >= 1 && *size.value <= most)) continue;
    return plan_error(ErrorKind::value, size.flag,
                      fmt::format("must be a whole number from 1 to {}, is {}", most, *size.value),
                      "give the real number");
  }
  return {};
}

std::int64_t divide_up(std::int64_t total, std::int64_t part) {
  return total / part + (total % part == 0 ? 0 : 1);
}

// Only real tokens count; a step holds the rest of its positions for padding.
Result<std::optional<std::int64_t>> count_token_steps(const RunPlan& plan, Count positions) {
  // Exact where nothing is padded.
  if (plan.padding_fraction == 0.0) return divide_up(*plan.tokens, positions.value());
  const double real = positions.as_double() * (1.0 - plan.padding_fraction);
  const double steps = static_cast<double>(*plan.tokens) / real;
  // 1 - 0.9 is a little less than 0.1: a quotient that misses a whole number by rounding alone
  // must not cost a step more.
  constexpr double rounding = 1e-12;
  const double whole = std::max(1.0, std::ceil(steps * (1.0 - rounding)));
  if (whole >= 0x1p63) {
    return plan_error(ErrorKind::overflow, "--tokens", "the number of steps exceeds 64 bits",
                      "give the real numbers");
  }
  return static_cast<std::int64_t>(whole);
}

template <class Q>
Interval<Q> scale(const Interval<Q>& interval, double factor) {
  return {interval.lower * factor, interval.upper * factor};
}

// The account at both ends: the host draws its power for as long as the run takes, the rest follows
// from the energy.
void add_account_intervals(const Site& site, RunPrediction& run) {
  if (!run.duration_interval || !run.device_energy_interval) return;
  const Account low = make_account(site, run.device_energy_interval->lower,
                                   run.duration_interval->lower, run.num_gpus);
  const Account high = make_account(site, run.device_energy_interval->upper,
                                    run.duration_interval->upper, run.num_gpus);
  run.facility_energy_interval = {low.facility_energy, high.facility_energy};
  if (low.emissions) run.emissions_interval = {*low.emissions, *high.emissions};
  if (low.total_cost) run.cost_interval = {*low.total_cost, *high.total_cost};
}

}  // namespace

Result<std::optional<std::int64_t>> count_steps(const RunPlan& plan, const TrainingSetup& setup) {
  if (auto ok = check_plan(plan); !ok) return std::unexpected(ok.error());
  if (plan.steps) return plan.steps;
  const Count global_batch = Count{setup.batch_size} * setup.num_gpus * setup.accumulation_steps;
  const Count positions = global_batch * setup.sequence_length;
  if (positions.overflowed()) {
    return plan_error(ErrorKind::overflow, "--batch-size",
                      "the positions of one step exceed 64 bits", "give smaller sizes");
  }
  if (plan.tokens && setup.sequence_length == 0) {
    return plan_error(ErrorKind::usage, "--tokens", "the model reads no sequences of tokens",
                      "state --steps, or --epochs with --samples");
  }
  if (plan.tokens) return count_token_steps(plan, positions);
  if (!plan.epochs) return std::nullopt;
  const Count steps = *plan.epochs * Count{divide_up(*plan.samples, global_batch.value())};
  if (steps.overflowed()) {
    return plan_error(ErrorKind::overflow, "--epochs", "the number of steps exceeds 64 bits",
                      "give the real numbers");
  }
  return steps.value();
}

Result<std::optional<RunPrediction>> predict_run(const RunInputs& in) {
  const auto steps = count_steps(in.plan, in.setup);
  if (!steps) return std::unexpected(steps.error());
  if (!*steps) return std::nullopt;
  const double count = static_cast<double>(**steps);
  const double devices = static_cast<double>(in.setup.num_gpus);
  RunPrediction run;
  run.steps = **steps;
  run.num_gpus = in.setup.num_gpus;

  const Seconds training = in.step.duration * count;
  const Joules training_energy = *in.step.energy * (count * devices);
  const Seconds evaluation = training * in.plan.evaluation_fraction;
  const Seconds checkpoints = training * in.plan.checkpoint_fraction;
  run.parts = {{"training", training, training_energy},
               {"evaluation", evaluation, training_energy * in.plan.evaluation_fraction},
               {"checkpoints", checkpoints, in.idle_power * checkpoints * devices}};
  Joules device_energy;
  for (const RunPart& part : run.parts) {
    run.duration += part.duration;
    device_energy += part.energy;
  }
  run.padding = {"padding", training * in.plan.padding_fraction,
                 training_energy * in.plan.padding_fraction};
  // The named shares scale with the training time, and so do the intervals of the step.
  const double per_step = run.duration / in.step.duration;
  if (in.step.duration_interval) {
    run.duration_interval = scale(*in.step.duration_interval, per_step);
  }
  if (in.step.energy_interval) {
    run.device_energy_interval = scale(*in.step.energy_interval, device_energy / *in.step.energy);
  }
  run.account = make_account(in.site, device_energy, run.duration, in.setup.num_gpus);
  add_account_intervals(in.site, run);
  return run;
}

}  // namespace joulecast

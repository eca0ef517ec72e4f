// SPDX-License-Identifier: Apache-2.0
#include <joulecast/prediction.hpp>

#include "prediction/notes.hpp"
#include "prediction/paper.hpp"
#include "prediction/run.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace joulecast {
namespace {

// Under FP8 the products of two activations stay in BF16, so a device needs both.
Error name_second_rate(Error error, const PredictionRequest& request, const Operation& operation) {
  if (error.kind != ErrorKind::unsupported || request.setup.precision != Precision::fp8 ||
      operation.precision != Precision::bf16) {
    return error;
  }
  error.message =
      fmt::format("{} has no bf16 rate; fp8 training needs it for the products of activations ({})",
                  request.device.id, operation.name);
  error.remedy = "state a bf16 rate in a --device-file, or choose another --precision";
  return error;
}

// A law at the edge of what it may say, on sizes at the edge of what can be, leaves the numbers.
Result<void> check_figures(const OperationPrediction& entry, const Law& law) {
  const double time = entry.duration.one.value();
  const double energy = (*entry.power * entry.duration.one).value();
  const bool possible = time > 0.0 && energy > 0.0 && std::isfinite(entry.total_duration.value()) &&
                        std::isfinite(entry.total_energy->value());
  if (possible) return {};
  return std::unexpected(
      Error{ErrorKind::value,
            fmt::format("gives {} {:g} s and {:g} J per execution, which cannot be",
                        entry.operation.name, time, energy),
            Location{.file = law.file, .path = fmt::format("law {}", law.id)},
            "check the law's parameters, the model's sizes and the batch size"});
}

double intensity_of(const Operation& operation) {
  return static_cast<double>(operation.flops) /
         static_cast<double>(std::max<std::int64_t>(operation.bytes_moved, 1));
}

Result<OperationPrediction> predict_operation(const PredictionRequest& request, const LawSet& laws,
                                              Watts limit, const Operation& operation) {
  const auto rates = find_rates(request.device, operation);
  if (!rates) return std::unexpected(name_second_rate(rates.error(), request, operation));
  const Law* law = &laws.find(request.device, operation);
  if (!law_applies(*law, operation, *rates)) law = &laws.prior();
  OperationPrediction entry;
  entry.operation = operation;
  entry.rates = *rates;
  entry.law_id = law->id;
  entry.duration = predict_duration(*law, operation, *rates);
  entry.interval = interval_for(*law, entry.duration.one, intensity_of(operation));
  entry.total_duration = entry.duration.one * static_cast<double>(operation.count);
  if (const auto answer = predict_power(*law, operation, *rates, entry.duration.one)) {
    entry.power = answer->power;
    entry.power_interval = answer->interval;
    entry.power_is_prior = false;
  } else {
    entry.power = predict_power(laws.power(), limit, operation, *rates, entry.duration.one);
    entry.power_interval = laws.power().interval;
  }
  entry.total_energy = *entry.power * entry.total_duration;
  if (auto checked = check_figures(entry, *law); !checked) return std::unexpected(checked.error());
  return entry;
}

void note_law(Prediction& prediction, const LawSet& laws, const std::string& id) {
  const auto known = [&](const Law& law) { return law.id == id; };
  const auto found = std::find_if(laws.laws().begin(), laws.laws().end(), known);
  prediction.laws.push_back(found == laws.laws().end() ? laws.prior() : *found);
}

// Laws describe kernels one by one. What a framework adds (calls that the device waits for, gaps,
// copies) is not modelled, so a step may take longer than its kernels: the measured steps of small
// models in docs/accuracy.md took up to 1.7 times their upper bound. The prior's interval is wide
// enough to hold that.
constexpr double step_over_kernels = 1.7;

double upper_factor_of(const OperationPrediction& entry) {
  return entry.interval->upper * (entry.law_id == "prior" ? 1.0 : step_over_kernels);
}

// Errors of one law are fully correlated over the operations that use it, and different laws may
// err together, so the bounds add up. An operation without an interval leaves the sum without one.
std::optional<Interval<Seconds>> sum_intervals(const std::vector<OperationPrediction>& entries) {
  Interval<Seconds> sum;
  for (const OperationPrediction& entry : entries) {
    if (!entry.interval) return std::nullopt;
    sum.lower += entry.total_duration * entry.interval->lower;
    sum.upper += entry.total_duration * upper_factor_of(entry);
  }
  return sum;
}

// Time and power of one operation may err together, so its bounds multiply; those of several add up
// as above. No board draws more than its limit for longer than an instant.
std::optional<Interval<Joules>> sum_energy(const std::vector<OperationPrediction>& entries,
                                           Watts limit) {
  Interval<Joules> sum;
  for (const OperationPrediction& entry : entries) {
    if (!entry.interval || !entry.power_interval) return std::nullopt;
    const Watts least = *entry.power * entry.power_interval->lower;
    const Watts most = std::min(*entry.power * entry.power_interval->upper, limit);
    sum.lower += least * entry.total_duration * entry.interval->lower;
    sum.upper += most * entry.total_duration * upper_factor_of(entry);
  }
  return sum;
}

StepPrediction sum_step(const std::vector<OperationPrediction>& entries, Watts limit,
                        FlopsPerSecond peak) {
  StepPrediction step;
  Joules energy;
  for (const OperationPrediction& entry : entries) {
    const double count = static_cast<double>(entry.operation.count);
    step.flops += Flops{static_cast<double>(entry.operation.flops) * count};
    step.bytes_moved += Bytes{static_cast<double>(entry.operation.bytes_moved) * count};
    step.duration += entry.total_duration;
    energy += *entry.total_energy;
  }
  step.energy = energy;
  step.average_power = energy / step.duration;
  step.hef = step.flops / (peak * step.duration);
  step.duration_interval = sum_intervals(entries);
  step.energy_interval = sum_energy(entries, limit);
  return step;
}

void set_shares(Prediction& prediction) {
  for (OperationPrediction& entry : prediction.operations) {
    entry.duration_share = entry.total_duration / prediction.step.duration;
    if (entry.total_energy) entry.energy_share = *entry.total_energy / *prediction.step.energy;
  }
}

Result<Prediction> start_prediction(const PredictionRequest& request, const LawSet& laws) {
  Prediction prediction;
  prediction.model = request.model;
  const auto parameters = count_parameters(request.model);
  if (!parameters) return std::unexpected(parameters.error());
  prediction.parameters = *parameters;
  const auto total = count_all_parameters(request.model);
  if (!total) return std::unexpected(total.error());
  prediction.parameter_count = *total;
  prediction.device = request.device;
  prediction.setup = request.setup;
  prediction.plan = request.plan;
  prediction.site = request.site;
  prediction.power = laws.power();
  const auto limit = find_power_limit(request.device);
  if (!limit) return std::unexpected(limit.error());
  prediction.power_limit = *limit;
  return prediction;
}

Result<void> predict_step(const PredictionRequest& request, const LawSet& laws,
                          const Result<std::vector<Operation>>& operations,
                          Prediction& prediction) {
  if (!operations) return std::unexpected(operations.error());
  std::set<std::string> noted;
  for (const Operation& operation : *operations) {
    auto entry = predict_operation(request, laws, prediction.power_limit, operation);
    if (!entry) return std::unexpected(entry.error());
    if (noted.insert(entry->law_id).second) note_law(prediction, laws, entry->law_id);
    prediction.operations.push_back(std::move(*entry));
  }
  const auto peak = find_peak(request.device, request.setup.precision);
  if (!peak) return std::unexpected(peak.error());
  prediction.step = sum_step(prediction.operations, prediction.power_limit, peak->value);
  return {};
}

// Only what the step asks for: reading all of them would take longer than the prediction.
LawSet shipped_laws_for(const PredictionRequest& request,
                        const Result<std::vector<Operation>>& operations) {
  if (!operations || request.setup.convention == Convention::ecai2025) return shipped_prior();
  std::set<LawNeed> needs;
  for (const Operation& operation : *operations) {
    if (const auto precision = measured_precision_of(operation.precision)) {
      needs.insert({*precision, law_names(operation)});
    }
  }
  return shipped_laws(request.device,
                      {.needs = {needs.begin(), needs.end()}, .family = request.law_family});
}

}  // namespace

Result<Prediction> predict(const PredictionRequest& request) {
  if (auto checked = check_site(request.site); !checked) return std::unexpected(checked.error());
  const auto operations = list_operations(request.model, request.setup);
  LawSet laws = request.laws ? *request.laws : shipped_laws_for(request, operations);
  if (request.laws && request.shipped_too) {
    laws = laws.followed_by(shipped_laws_for(request, operations));
  }
  if (request.setup.convention == Convention::joulecast) laws = laws.queued();
  auto prediction = start_prediction(request, laws);
  if (!prediction) return prediction;
  const bool paper = request.setup.convention == Convention::ecai2025;
  const auto step = paper ? fill_paper_step(request, *prediction)
                          : predict_step(request, laws, operations, *prediction);
  if (!step) return std::unexpected(step.error());
  set_shares(*prediction);
  auto run = predict_run({.plan = request.plan,
                          .setup = request.setup,
                          .site = request.site,
                          .step = prediction->step,
                          .idle_power = prediction->power_limit * prediction->power.idle_fraction});
  if (!run) return std::unexpected(run.error());
  prediction->run = std::move(*run);
  prediction->assumptions = list_assumptions(*prediction);
  for (Warning& warning : list_warnings(*prediction)) {
    prediction->warnings.push_back(std::move(warning));
  }
  if (auto unused = request.laws ? warn_of_unused_laws(*prediction, *request.laws) : std::nullopt) {
    prediction->warnings.push_back(std::move(*unused));
  }
  return prediction;
}

}  // namespace joulecast

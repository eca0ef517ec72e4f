// SPDX-License-Identifier: Apache-2.0
#include <joulecast/explanation.hpp>

#include <joulecast/suggest.hpp>

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr const char* paper = "Mayaki & Charpenay, ECAI 2025, DOI 10.3233/FAIA250900";

const Law& law_of(const Prediction& prediction, const OperationPrediction& entry) {
  const auto found = std::find_if(prediction.laws.begin(), prediction.laws.end(),
                                  [&](const Law& law) { return law.id == entry.law_id; });
  assert(found != prediction.laws.end() && "every law in use is listed");
  return *found;
}

std::string range_of(const Law& law) {
  if (!law.fitted_range) return "any size: a prior, not fitted";
  return fmt::format("fitted on {:.4g} to {:.4g} FLOPs", law.fitted_range->lowest.value(),
                     law.fitted_range->highest.value());
}

ExplanationStep explain_flops(const Operation& operation) {
  ExplanationStep step{.quantity = "FLOPs of one execution"};
  step.result = fmt::format("c = {} FLOP", operation.flops);
  step.range = "exact";
  if (const auto* shape = std::get_if<MatmulShape>(&operation.shape)) {
    step.formula = "c = 2 batch m n k";
    step.substituted =
        fmt::format("2 * {} * {} * {} * {}", shape->batch, shape->m, shape->n, shape->k);
    step.source = "a multiply-add is two FLOPs; docs/theory.md";
  } else {
    const std::int64_t elements = std::get<ElementShape>(operation.shape).elements;
    step.formula = "c = elements * FLOPs per element";
    step.substituted = fmt::format("{} * {}", elements, operation.flops / elements);
    step.source = "docs/theory.md, elementwise costs";
  }
  return step;
}

ExplanationStep explain_bytes(const Operation& operation) {
  return {.quantity = "bytes moved by one execution",
          .formula = "each operand read once, each result written once",
          .substituted = describe(operation.shape),
          .result = fmt::format("{} B", operation.bytes_moved),
          .source = "docs/theory.md",
          .range = "compulsory traffic; caches and re-reads are not modelled"};
}

ExplanationStep explain_form(const SaturationLaw& law, const OperationPrediction& entry) {
  ExplanationStep step{.quantity = "hardware efficiency factor and duration of one execution"};
  step.formula = "eta = eta_max (1 - exp(-k C^alpha)), t = c / (v_max eta)";
  step.substituted = fmt::format(
      "eta = {:g} (1 - exp(-{:g} * {:g}^{:g})) = {:.6g}; t = {} / ({:g} * {:.6g})", law.eta_max,
      law.saturation_rate, static_cast<double>(entry.operation.flops) / law.flops_scale,
      law.saturation_exponent, *entry.duration.hef, entry.operation.flops,
      entry.rates.peak->value(), *entry.duration.hef);
  return step;
}

ExplanationStep explain_form(const RooflineLaw& law, const OperationPrediction& entry) {
  ExplanationStep step{.quantity = "duration of one execution"};
  step.formula = "t = launch + max(c / (f_c v_max), bytes / (f_b BW))";
  const std::string work = entry.rates.peak
                               ? fmt::format("{} / ({:g} * {:g})", entry.operation.flops,
                                             law.compute_fraction, entry.rates.peak->value())
                               : std::string("0");
  step.substituted = fmt::format("{:g} + max({}, {} / ({:g} * {:g}))", law.launch.value(), work,
                                 entry.operation.bytes_moved, law.bandwidth_fraction,
                                 entry.rates.bandwidth.value());
  return step;
}

ExplanationStep explain_duration(const Prediction& prediction, const OperationPrediction& entry) {
  const Law& law = law_of(prediction, entry);
  ExplanationStep step =
      std::visit([&](const auto& form) { return explain_form(form, entry); }, law.form);
  step.result = fmt::format("t = {:.6g} s", entry.duration.one.value());
  if (entry.duration.hef) step.result += fmt::format(", HEF {:.4f}", *entry.duration.hef);
  step.result += fmt::format(", bound by {}", to_string(entry.duration.bound));
  step.source = fmt::format("law {}: {}", law.id, law.source);
  step.range = range_of(law);
  return step;
}

ExplanationStep explain_power(const Prediction& prediction, const OperationPrediction& entry) {
  const PowerPrior& power = prediction.power;
  const double t = entry.duration.one.value();
  const double work =
      entry.rates.peak ? static_cast<double>(entry.operation.flops) / t / entry.rates.peak->value()
                       : 0.0;
  const double traffic =
      static_cast<double>(entry.operation.bytes_moved) / t / entry.rates.bandwidth.value();
  return {.quantity = "board power while it runs",
          .formula = "P = limit min(1, idle + a (c/t)/v_max + b (bytes/t)/BW)",
          .substituted = fmt::format(
              "{:g} min(1, {:g} + {:g} * {:.4g} + {:g} * {:.4g})", prediction.power_limit.value(),
              power.idle_fraction, power.compute_fraction, work, power.bandwidth_fraction, traffic),
          .result = fmt::format("P = {:.6g} W", entry.power->value()),
          .source = power.source,
          .range = "prior, not measured on this device"};
}

ExplanationStep explain_energy(const OperationPrediction& entry) {
  return {.quantity = "energy of all executions in one step",
          .formula = "E = count P t",
          .substituted = fmt::format("{} * {:.6g} * {:.6g}", entry.operation.count,
                                     entry.power->value(), entry.duration.one.value()),
          .result = fmt::format("E = {:.6g} J", entry.total_energy->value()),
          .source = fmt::format("{}, equation (2)", paper),
          .range = "device only"};
}

void add_chain(const Prediction& prediction, const OperationPrediction& entry,
               std::vector<ExplanationStep>& steps) {
  steps.push_back(explain_flops(entry.operation));
  steps.push_back(explain_bytes(entry.operation));
  steps.push_back(explain_duration(prediction, entry));
  if (!entry.power) return;
  steps.push_back(explain_power(prediction, entry));
  steps.push_back(explain_energy(entry));
}

using Entries = std::vector<const OperationPrediction*>;

// One block may hold an operation in several shapes: both gradients of an attention product, or
// the first recurrent layer and those above it. Each gets its chain.
Explanation explain_operation(const Prediction& prediction, const Entries& entries) {
  const Operation& operation = entries.front()->operation;
  Explanation explanation;
  explanation.subject =
      fmt::format("{} ({}) of {} on {}", operation.name, to_string(operation.phase),
                  operation.block, prediction.device.id);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t start = explanation.steps.size();
    add_chain(prediction, *entries[i], explanation.steps);
    if (entries.size() == 1) break;
    for (std::size_t j = start; j < explanation.steps.size(); ++j) {
      std::string& quantity = explanation.steps[j].quantity;
      quantity = fmt::format("{} of {}: {}", i + 1, entries.size(), quantity);
    }
  }
  explanation.warnings = prediction.warnings;
  return explanation;
}

// "encoder/qkv_projection": what tells operations of one name apart.
std::string qualified_name(const Operation& operation) {
  return fmt::format("{}/{}", operation.block, operation.name);
}

Error ambiguous(std::string_view subject, const std::vector<std::string>& blocks) {
  return {ErrorKind::usage, fmt::format("{} is in more than one block", subject.substr(0, 60)),
          Location{.file = {}, .path = "--operation"},
          fmt::format("choose one of {}", fmt::join(blocks, ", "))};
}

template <class Q>
std::string bounds(const std::optional<Interval<Q>>& interval, const char* unit) {
  if (!interval) return "no interval is known";
  return fmt::format("90 % interval {:.4g} to {:.4g} {}", interval->lower.value(),
                     interval->upper.value(), unit);
}

Explanation explain_step(const Prediction& prediction) {
  const StepPrediction& step = prediction.step;
  Explanation explanation{
      .subject = fmt::format("one step of {} on {}", prediction.model.name, prediction.device.id)};
  explanation.steps.push_back({.quantity = "time of one step",
                               .formula = "t = sum of count_i t_i",
                               .substituted = fmt::format("{} operations, one after the other",
                                                          prediction.operations.size()),
                               .result = fmt::format("t = {:.6g} s", step.duration.value()),
                               .source = fmt::format("{}, equation (3)", paper),
                               .range = bounds(step.duration_interval, "s")});
  if (prediction.paper && step.energy) {
    explanation.steps.push_back({.quantity = "energy of one step, by the paper's regression",
                                 .formula = "E = b + sum b_i t_i, t_i in the paper's microseconds",
                                 .substituted = prediction.paper->energy_equation,
                                 .result = fmt::format("E = {:.4f} J", step.energy->value()),
                                 .source = fmt::format("{}, equation (19), Table 8", paper),
                                 .range = "the 34 % of its rows that it fits within 25 %"});
  } else if (step.energy) {
    explanation.steps.push_back(
        {.quantity = "energy of one step",
         .formula = "E = sum of count_i P_i t_i",
         .substituted = fmt::format("average power {:.6g} W", step.average_power->value()),
         .result = fmt::format("E = {:.6g} J", step.energy->value()),
         .source = fmt::format("{}, equation (2)", paper),
         .range = bounds(step.energy_interval, "J")});
  }
  return explanation;
}

// The sum of facility energy spelt out, as far as its parts are known.
ExplanationStep explain_facility(const Prediction& prediction) {
  const Account& account = prediction.run->account;
  std::string sum = fmt::format("({:.6g}", account.device_energy.value());
  if (account.host_energy) sum += fmt::format(" + {:.6g}", account.host_energy->value());
  sum += ")";
  if (prediction.site.power_usage_effectiveness) {
    sum += fmt::format(" * {:g}", *prediction.site.power_usage_effectiveness);
  }
  return {.quantity = "facility energy",
          .formula = "E = (device + host) PUE",
          .substituted = sum + " J; parts that were not stated are left out",
          .result = fmt::format("E = {:.6g} J = {:.6g} kWh", account.facility_energy.value(),
                                account.facility_energy.value() / joules_per_kilowatt_hour),
          .source = "docs/theory.md",
          .range = bounds(prediction.run->device_energy_interval, "J (device)")};
}

Result<Explanation> explain_run(const Prediction& prediction) {
  if (!prediction.run) {
    return std::unexpected(Error{ErrorKind::usage, "no run is stated",
                                 Location{.file = {}, .path = "run"},
                                 "add --steps, --epochs with --samples, or --tokens"});
  }
  const RunPrediction& run = *prediction.run;
  Explanation explanation{
      .subject = fmt::format("the run of {} on {}", prediction.model.name, prediction.device.id)};
  const RunPlan& plan = prediction.plan;
  explanation.steps.push_back(
      {.quantity = "time of the run",
       .formula = "t = steps t_step (1 + evaluation + checkpoints)",
       .substituted = fmt::format("{} * {:.6g} * (1 + {:g} + {:g})", run.steps,
                                  prediction.step.duration.value(), plan.evaluation_fraction,
                                  plan.checkpoint_fraction),
       .result = fmt::format("t = {:.6g} s", run.duration.value()),
       .source = "docs/theory.md",
       .range = bounds(run.duration_interval, "s")});
  explanation.steps.push_back(explain_facility(prediction));
  if (run.account.emissions) {
    const Region& region = *prediction.site.region;
    explanation.steps.push_back(
        {.quantity = "CO2 equivalent",
         .formula = "m = E intensity",
         .substituted = fmt::format("{:.6g} J * {:.6g} kg/J", run.account.facility_energy.value(),
                                    region.carbon_intensity.value()),
         .result = fmt::format("m = {:.6g} kg", run.account.emissions->value()),
         .source = fmt::format("{}: {}", region.name, region.source),
         .range = region.year > 0 ? fmt::format("yearly average of {}", region.year)
                                  : std::string("as stated")});
  }
  return explanation;
}

}  // namespace

Result<Explanation> explain(const Prediction& prediction, std::string_view subject, Phase phase) {
  if (subject == "step" || subject == "run") {
    auto explanation =
        subject == "step" ? Result<Explanation>(explain_step(prediction)) : explain_run(prediction);
    if (explanation) explanation->warnings = prediction.warnings;
    return explanation;
  }
  std::vector<std::string> known = {"step", "run"};
  std::vector<std::string> blocks;
  Entries entries;
  const auto note = [](std::vector<std::string>& names, std::string name) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  };
  for (const OperationPrediction& entry : prediction.operations) {
    const Operation& operation = entry.operation;
    const bool wanted = operation.name == subject || qualified_name(operation) == subject;
    if (wanted && operation.phase == phase) {
      entries.push_back(&entry);
      note(blocks, qualified_name(operation));
    }
    note(known, wanted ? fmt::format("--phase {}", to_string(operation.phase)) : operation.name);
  }
  if (blocks.size() > 1) return std::unexpected(ambiguous(subject, blocks));
  if (!entries.empty()) return explain_operation(prediction, entries);
  const std::string hint = did_you_mean(subject, known);
  return std::unexpected(Error{
      ErrorKind::not_found,
      fmt::format("the prediction has no operation \"{}\" in the {} phase", subject.substr(0, 60),
                  to_string(phase)),
      Location{.file = {}, .path = "--operation"},
      fmt::format("{}{}there are: {}", hint, hint.empty() ? "" : " ", fmt::join(known, ", "))});
}

}  // namespace joulecast

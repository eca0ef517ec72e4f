// SPDX-License-Identifier: Apache-2.0
#include <joulecast/explanation.hpp>

#include "prediction/notes.hpp"

#include <joulecast/suggest.hpp>

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr const char* paper = "Mayaki & Charpenay, ECAI 2025, DOI 10.3233/FAIA250900";

std::string range_of(const Law& law) {
  if (!law.fitted_range) return "any size: a prior, not fitted";
  return fmt::format("fitted on {:.4g} to {:.4g} FLOPs", law.fitted_range->lowest.value(),
                     law.fitted_range->highest.value());
}

std::int64_t taps_of(const ConvolutionShape& shape) {
  return shape.kernel * (shape.one_dimensional ? 1 : shape.kernel);
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
  } else if (const auto* grouped = std::get_if<GroupedMatmulShape>(&operation.shape)) {
    step.formula = "c = 2 m n k, m or k over all groups";
    step.substituted = fmt::format("2 * {} * {} * {}", grouped->m, grouped->n, grouped->k);
    step.source = "a multiply-add is two FLOPs; docs/theory.md";
  } else if (const auto* convolution = std::get_if<ConvolutionShape>(&operation.shape)) {
    const std::int64_t taps = taps_of(*convolution);
    step.formula = "c = 2 P O taps C / groups, P positions of the output over the batch";
    step.substituted =
        fmt::format("2 * {} * {} * {} * {} / {}",
                    operation.flops / (2 * convolution->out_channels * taps *
                                       (convolution->in_channels / convolution->groups)),
                    convolution->out_channels, taps, convolution->in_channels, convolution->groups);
    step.source = "a multiply-add is two FLOPs; docs/theory.md";
  } else if (const auto* fused = std::get_if<FusedAttentionShape>(&operation.shape)) {
    const bool forward = operation.phase == Phase::forward;
    const char* factor = forward ? "2" : "5";
    step.formula = fmt::format("c = {} batch heads queries keys (d_query + d_value)", factor);
    step.substituted = fmt::format("{} * {} * {} * {} * {} * ({} + {})", factor, fused->batch,
                                   fused->heads, fused->queries, fused->keys,
                                   fused->query_head_dim, fused->value_head_dim);
    step.source =
        "every score, whatever a mask hides; backward computes the scores again: Dao et al. 2022, "
        "arXiv:2205.14135, and docs/theory.md";
  } else {
    const std::int64_t elements = std::get<ElementShape>(operation.shape).elements;
    step.formula = "c = elements * FLOPs per element";
    step.substituted = fmt::format("{} * {}", elements, operation.flops / elements);
    step.source = "docs/theory.md, elementwise costs";
  }
  return step;
}

// Bytes of one value as the operations are listed: FP8 operands give 16-bit results.
std::int64_t result_bytes(Precision precision) {
  return precision == Precision::fp32 || precision == Precision::tf32 ? 4 : 2;
}

struct BytesFormula {
  std::string formula;
  std::string substituted;
};

BytesFormula write_bytes(const Operation& operation) {
  if (const auto* shape = std::get_if<MatmulShape>(&operation.shape)) {
    const std::int64_t out = result_bytes(operation.precision);
    const std::int64_t in = operation.precision == Precision::fp8 ? 1 : out;
    return {"bytes = batch (e_in (m k + k n) + e_out m n)",
            fmt::format("{} * ({} * ({} * {} + {} * {}) + {} * {} * {})", shape->batch, in,
                        shape->m, shape->k, shape->k, shape->n, out, shape->m, shape->n)};
  }
  if (const auto* grouped = std::get_if<GroupedMatmulShape>(&operation.shape)) {
    const std::int64_t out = result_bytes(operation.precision);
    const std::int64_t in = operation.precision == Precision::fp8 ? 1 : out;
    if (grouped->split_k) {
      return {"bytes = e_in (m + n) k + e_out groups m n",
              fmt::format("{} * ({} + {}) * {} + {} * {} * {} * {}", in, grouped->m, grouped->n,
                          grouped->k, out, grouped->groups, grouped->m, grouped->n)};
    }
    return {"bytes = e_in (m k + groups k n) + e_out m n",
            fmt::format("{} * ({} * {} + {} * {} * {}) + {} * {} * {}", in, grouped->m, grouped->k,
                        grouped->groups, grouped->k, grouped->n, out, grouped->m, grouped->n)};
  }
  if (std::holds_alternative<ConvolutionShape>(operation.shape)) {
    const std::int64_t each = result_bytes(operation.precision);
    return {"bytes = (input + filters + output) bytes per value",
            fmt::format("{} * {}", operation.bytes_moved / each, each)};
  }
  if (std::holds_alternative<FusedAttentionShape>(operation.shape)) {
    const std::int64_t each = result_bytes(operation.precision);
    const bool forward = operation.phase == Phase::forward;
    return {fmt::format("bytes = {}(queries and results + keys and values) bytes per value",
                        forward ? "" : "2 "),
            fmt::format("{}{} * {}", forward ? "" : "2 * ",
                        operation.bytes_moved / (each * (forward ? 1 : 2)), each)};
  }
  const std::int64_t elements = std::get<ElementShape>(operation.shape).elements;
  return {"bytes = elements * bytes read and written per element, over all its kernels",
          fmt::format("{} * {}", elements, operation.bytes_moved / elements)};
}

ExplanationStep explain_bytes(const Operation& operation) {
  BytesFormula written = write_bytes(operation);
  return {.quantity = "bytes moved by one execution",
          .formula = std::move(written.formula),
          .substituted = std::move(written.substituted),
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

ExplanationStep explain_form(const FamilyLaw& law, const OperationPrediction& entry) {
  const LawFamily* family = find_family(law.family);
  ExplanationStep step{.quantity = "duration of one execution"};
  step.formula = fmt::format("{}: {}", family->name, family->formula);
  for (std::size_t i = 0; i < law.parameters.size(); ++i) {
    step.substituted += fmt::format("{}{} = {:.4g}", i == 0 ? "" : ", ", family->parameters[i].name,
                                    law.parameters[i]);
  }
  const DeviceFacts& facts = *entry.rates.facts;
  step.substituted += fmt::format("; v = {:g} FLOP/s, BW = {:g} B/s, SM = {:g}, L2 = {:g} B",
                                  facts.peak_flops_per_second, facts.bandwidth_bytes_per_second,
                                  facts.multiprocessors, facts.l2_bytes);
  return step;
}

ExplanationStep explain_form(const CommitteeLaw& law, const OperationPrediction& entry) {
  ExplanationStep step{.quantity = "duration of one execution"};
  step.formula =
      "ln t = sum of w_i ln t_i over laws of other devices, asked with this one's figures";
  for (const CommitteeMember& member : law.members) {
    step.substituted += fmt::format("{}{} (w = {:.3g})", step.substituted.empty() ? "" : ", ",
                                    member.law_id, member.weight);
  }
  const DeviceFacts& facts = *entry.rates.facts;
  step.substituted += fmt::format("; v = {:g} FLOP/s, BW = {:g} B/s, SM = {:g}, L2 = {:g} B",
                                  facts.peak_flops_per_second, facts.bandwidth_bytes_per_second,
                                  facts.multiprocessors, facts.l2_bytes);
  return step;
}

ExplanationStep explain_duration(const Prediction& prediction, const OperationPrediction& entry) {
  const Law& law = law_of(prediction, entry);
  ExplanationStep step =
      std::visit([&](const auto& form) { return explain_form(form, entry); }, law.form);
  step.result = fmt::format("t = {:.6g} s", entry.duration.one.value());
  if (entry.duration.hef) step.result += fmt::format(", HEF {:.4g}", *entry.duration.hef);
  step.result += fmt::format(", bound by {}", to_string(entry.duration.bound));
  step.source = fmt::format("law {}: {}", law.id, law.source);
  step.range = range_of(law);
  return step;
}

ExplanationStep explain_law_power(const Law& law, const OperationPrediction& entry) {
  const PowerLaw& power = law.power->law;
  const auto& factors = *entry.power_interval;
  return {
      .quantity = "board power while it runs",
      .formula =
          "P = (q^-s + (f limit)^-s)^(-1/s), "
          "q = idle + on + occ o + (e_flop c + e_byte bytes) / t",
      .substituted = fmt::format(
          "idle {:.4g} W, on {:.4g} W, occ {:.4g} W, e_flop {:.4g} J/FLOP, e_byte {:.4g} J/B, "
          "f {:.4g}, s {:.4g}, t {:.6g} s",
          power.idle_watts, power.active_watts, power.occupancy_watts, power.joules_per_flop,
          power.joules_per_byte, power.limit_fraction, power.sharpness, entry.duration.one.value()),
      .result = fmt::format("P = {:.6g} W", entry.power->value()),
      .source = fmt::format("law {}: {}", law.id, law.source),
      .range = fmt::format("90 % interval {:.4g} to {:.4g} W", entry.power->value() * factors.lower,
                           entry.power->value() * factors.upper)};
}

ExplanationStep explain_power(const Prediction& prediction, const OperationPrediction& entry) {
  if (!entry.power_is_prior) return explain_law_power(law_of(prediction, entry), entry);
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

// Names in the order they were met, each once.
class OrderedNames {
 public:
  void add(std::string name) {
    if (met_.insert(name).second) names_.push_back(std::move(name));
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::set<std::string> met_;
};

using Entries = std::vector<const OperationPrediction*>;

// The laws behind one operation, each once.
void add_law_ids(const Prediction& prediction, const OperationPrediction& entry,
                 std::vector<std::string>& ids) {
  const auto add = [&](const std::string& id) {
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  };
  add(entry.law_id);
  if (entry.power && entry.power_is_prior) add(prediction.power.id);
}

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
  for (const OperationPrediction* entry : entries) {
    add_law_ids(prediction, *entry, explanation.law_ids);
  }
  explanation.warnings = prediction.warnings;
  return explanation;
}

// "encoder/qkv_projection": what tells operations of one name apart.
std::string qualified_name(const Operation& operation) {
  return fmt::format("{}/{}", operation.block, operation.name);
}

Error ambiguous(std::string_view subject, std::vector<std::string> blocks) {
  constexpr std::size_t most_named = 20;
  if (blocks.size() > most_named) {
    const std::size_t more = blocks.size() - most_named;
    blocks.resize(most_named);
    blocks.push_back(fmt::format("{} more", more));
  }
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
          .range = bounds(prediction.run->facility_energy_interval, "J")};
}

// Evaluation draws what training draws, checkpoints the idle power.
ExplanationStep explain_device_energy(const Prediction& prediction) {
  const RunPrediction& run = *prediction.run;
  const Watts idle = prediction.power_limit * prediction.power.idle_fraction;
  return {.quantity = "device energy",
          .formula = "E = N (steps E_step (1 + evaluation) + P_idle steps t_step checkpoints)",
          .substituted =
              fmt::format("{} * ({} * {:.6g} * (1 + {:g}) + {:.6g} * {} * {:.6g} * {:g})",
                          run.num_gpus, run.steps, prediction.step.energy->value(),
                          prediction.plan.evaluation_fraction, idle.value(), run.steps,
                          prediction.step.duration.value(), prediction.plan.checkpoint_fraction),
          .result = fmt::format("E = {:.6g} J = {:.6g} kWh", run.account.device_energy.value(),
                                run.account.device_energy.value() / joules_per_kilowatt_hour),
          .source = "docs/theory.md",
          .range = bounds(run.device_energy_interval, "J")};
}

ExplanationStep explain_cost(const Prediction& prediction) {
  const RunPrediction& run = *prediction.run;
  const Site& site = prediction.site;
  ExplanationStep step{.quantity = "cost"};
  const auto add = [](std::string& sum, std::string part) {
    sum += (sum.empty() ? "" : " + ") + std::move(part);
  };
  std::string formula;
  if (site.price_per_kilowatt_hour) {
    add(formula, "E / 3.6e6 J per kWh * price per kWh");
    add(step.substituted, fmt::format("{:.6g} / 3.6e6 * {:g}", run.account.facility_energy.value(),
                                      *site.price_per_kilowatt_hour));
  }
  if (site.price_per_gpu_hour) {
    add(formula, "N t / 3600 s * price per GPU hour");
    add(step.substituted, fmt::format("{} * {:.6g} / 3600 * {:g}", run.num_gpus,
                                      run.duration.value(), *site.price_per_gpu_hour));
  }
  step.formula = "cost = " + formula;
  step.result = fmt::format("cost = {:.6g} {}", *run.account.total_cost,
                            site.currency.empty() ? "(currency of the price)" : site.currency);
  step.source = "prices as stated";
  step.range = run.cost_interval ? fmt::format("90 % interval {:.4g} to {:.4g}",
                                               run.cost_interval->lower, run.cost_interval->upper)
                                 : std::string("no interval is known");
  return step;
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
  explanation.steps.push_back(explain_device_energy(prediction));
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
         .range = fmt::format("{}; intensity {}", bounds(run.emissions_interval, "kg"),
                              region.year > 0 ? fmt::format("is the average of {}", region.year)
                                              : std::string("as stated"))});
  }
  if (run.account.total_cost) explanation.steps.push_back(explain_cost(prediction));
  return explanation;
}

}  // namespace

Result<Explanation> explain(const Prediction& prediction, std::string_view subject, Phase phase) {
  if (subject == "step" || subject == "run") {
    auto explanation =
        subject == "step" ? Result<Explanation>(explain_step(prediction)) : explain_run(prediction);
    if (!explanation) return explanation;
    explanation->warnings = prediction.warnings;
    for (const OperationPrediction& entry : prediction.operations) {
      add_law_ids(prediction, entry, explanation->law_ids);
    }
    // The idle power of checkpoints, and the paper's regression.
    if (subject == "run") explanation->law_ids.push_back(prediction.power.id);
    if (prediction.paper) explanation->law_ids.push_back(prediction.paper->energy_law_id);
    return explanation;
  }
  OrderedNames known;
  known.add("step");
  known.add("run");
  OrderedNames phases;
  OrderedNames blocks;
  Entries entries;
  for (const OperationPrediction& entry : prediction.operations) {
    const Operation& operation = entry.operation;
    const bool wanted = operation.name == subject || qualified_name(operation) == subject;
    if (wanted && operation.phase == phase) {
      entries.push_back(&entry);
      blocks.add(qualified_name(operation));
    }
    known.add(operation.name);
    if (wanted) phases.add(std::string(to_string(operation.phase)));
  }
  if (blocks.names().size() > 1) return std::unexpected(ambiguous(subject, blocks.names()));
  if (!entries.empty()) return explain_operation(prediction, entries);
  if (!phases.names().empty()) {
    return std::unexpected(
        Error{ErrorKind::not_found,
              fmt::format("{} has no {} phase", subject.substr(0, 60), to_string(phase)),
              Location{.file = {}, .path = "--phase"},
              fmt::format("its phases: {}", fmt::join(phases.names(), ", "))});
  }
  const std::string hint = did_you_mean(subject, known.names());
  return std::unexpected(
      Error{ErrorKind::not_found,
            fmt::format("the prediction has no operation \"{}\"", subject.substr(0, 60)),
            Location{.file = {}, .path = "--operation"},
            fmt::format("{}{}there are: {}", hint, hint.empty() ? "" : " ",
                        fmt::join(known.names(), ", "))});
}

}  // namespace joulecast

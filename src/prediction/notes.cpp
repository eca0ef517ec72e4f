// SPDX-License-Identifier: Apache-2.0
#include "prediction/notes.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

namespace joulecast {
namespace {

// The distinct names of operations whose law is of that origin, in the order of the step.
std::vector<std::string> names_with(const Prediction& prediction, LawOrigin origin) {
  std::vector<std::string> names;
  for (const OperationPrediction& entry : prediction.operations) {
    if (law_of(prediction, entry).origin != origin) continue;
    if (std::ranges::find(names, entry.operation.name) == names.end()) {
      names.push_back(entry.operation.name);
    }
  }
  return names;
}

void warn_of_extrapolation(const Prediction& prediction, std::vector<Warning>& warnings) {
  std::map<std::string, std::string> extrapolated;  // operation -> where it lies
  for (const OperationPrediction& entry : prediction.operations) {
    const Law& law = law_of(prediction, entry);
    if (entry.fitted_range_distance.value_or(0.0) == 0.0) continue;
    const Flops flops{static_cast<double>(entry.operation.flops)};
    extrapolated[entry.operation.name] = fmt::format(
        "{:.3g} FLOPs lie outside the {:.3g} to {:.3g} that law {} was fitted on", flops.value(),
        law.fitted_range->lowest.value(), law.fitted_range->highest.value(), law.id);
  }
  for (const auto& [operation, message] : extrapolated) {
    warnings.push_back({WarningCode::law_extrapolated, operation, message});
  }
}

bool power_is_prior_somewhere(const Prediction& prediction) {
  return std::ranges::any_of(prediction.operations, [](const OperationPrediction& entry) {
    return entry.power && entry.power_is_prior;
  });
}

void warn_of_laws(const Prediction& prediction, std::vector<Warning>& warnings) {
  const std::vector<std::string> uncovered = names_with(prediction, LawOrigin::prior);
  const bool prior_alone = std::ranges::all_of(
      prediction.laws, [](const Law& law) { return law.origin == LawOrigin::prior; });
  if (prior_alone) {
    warnings.push_back(
        {WarningCode::prior_not_measured, prediction.device.id,
         "prior, not measured: time and power come from data-sheet figures, see docs/accuracy.md"});
  } else if (!prediction.paper && power_is_prior_somewhere(prediction)) {
    warnings.push_back({WarningCode::power_not_measured, prediction.device.id,
                        "prior, not measured: where no law states the power it is a share of the "
                        "limit that follows from the rates reached, see docs/accuracy.md"});
  }
  if (!uncovered.empty() && !prior_alone) {
    warnings.push_back({WarningCode::no_law_for_operation,
                        fmt::format("{}", fmt::join(uncovered, ", ")),
                        "prior, not measured: no law covers these operations"});
  }
  const std::vector<std::string> transferred = names_with(prediction, LawOrigin::transferred);
  if (!transferred.empty()) {
    warnings.push_back({WarningCode::transferred_not_measured,
                        fmt::format("{}", fmt::join(transferred, ", ")),
                        fmt::format("transferred, not measured: laws learnt on other devices, with "
                                    "the figures of {}",
                                    prediction.device.id)});
  }
  warn_of_extrapolation(prediction, warnings);
}

// Elementwise operations run in FP32 beside the training precision, so several peaks may count. The
// paper's convention has its own, which only coincides with the device's in the paper's precision.
bool uses_peak(const Prediction& prediction, Precision precision, FlopsPerSecond peak) {
  return std::any_of(prediction.operations.begin(), prediction.operations.end(),
                     [&](const OperationPrediction& entry) {
                       return entry.operation.precision == precision && entry.rates.peak == peak;
                     });
}

template <class Q>
void warn_of_figure(const Prediction& prediction, const std::string& key,
                    const std::optional<Figure<Q>>& figure, std::vector<Warning>& warnings) {
  if (!figure || !figure->unverified) return;
  warnings.push_back({WarningCode::unsourced_figure, key,
                      fmt::format("the figure of {} has no source that can be checked: {}",
                                  prediction.device.id, figure->source)});
}

void warn_of_device(const Prediction& prediction, std::vector<Warning>& warnings) {
  const Device& device = prediction.device;
  for (const auto& [precision, peak] : device.peak_flops_per_second) {
    if (!uses_peak(prediction, precision, peak.value)) continue;
    warn_of_figure(prediction, fmt::format("peak_flops_per_second.{}", to_string(precision)),
                   std::optional<Figure<FlopsPerSecond>>(peak), warnings);
  }
  warn_of_figure(prediction, "memory_bandwidth", device.memory_bandwidth, warnings);
  warn_of_figure(prediction, "thermal_design_power", device.thermal_design_power, warnings);
  if (prediction.memory) warn_of_figure(prediction, "memory", device.memory, warnings);
}

void warn_of_lengths(const Prediction& prediction, std::vector<Warning>& warnings) {
  const SequenceUse use = sequences_of(prediction.model);
  if (use.sequence || use.target || prediction.setup.sequence_length == 0) return;
  warnings.push_back({WarningCode::no_effect, "--sequence-length",
                      "the model reads no sequences; its positions are fixed by its file"});
}

void warn_of_memory(const Prediction& prediction, std::vector<Warning>& warnings) {
  if (!prediction.memory || prediction.memory->fits()) return;
  const MemoryPrediction& memory = *prediction.memory;
  const double needed = static_cast<double>(memory.need.peak_bytes);
  const std::string largest =
      memory.largest_batch_size
          ? fmt::format("the largest batch that fits is {}", *memory.largest_batch_size)
          : std::string("not even a batch of one sequence fits");
  warnings.push_back(
      {WarningCode::exceeds_memory, prediction.device.id,
       fmt::format("the step needs {:.4g} GB of {:.4g} GB, does not fit by {:.4g} GB; {}",
                   needed / 1e9, memory.available->value() / 1e9,
                   (needed - memory.available->value()) / 1e9, largest)});
}

// What "old" is measured against: results must not depend on the day they are asked for.
std::int64_t newest_shipped_year() {
  std::int64_t newest = 0;
  for (const Region& region : shipped_regions()) newest = std::max(newest, region.year);
  return newest;
}

void warn_of_site(const Prediction& prediction, std::vector<Warning>& warnings) {
  if (!prediction.run) return;
  const Site& site = prediction.site;
  if (!site.host_power) {
    warnings.push_back({WarningCode::host_power_not_stated, "--host-power-watts",
                        "processors, memory and disks of the host are left out of the totals"});
  }
  if (!site.power_usage_effectiveness) {
    warnings.push_back({WarningCode::pue_not_stated, "--pue",
                        "cooling and power distribution are left out of the totals"});
  }
  if (!site.region) {
    warnings.push_back(
        {WarningCode::region_not_stated, "--region", "no CO2 is given: it depends on the grid"});
  } else if (site.region->year > 0 && site.region->year + 5 < newest_shipped_year()) {
    warnings.push_back({WarningCode::out_of_date, site.region->name,
                        fmt::format("the carbon intensity is of {}; --carbon-intensity states a "
                                    "newer one",
                                    site.region->year)});
  }
  if (!site.price_per_kilowatt_hour && !site.price_per_gpu_hour) {
    warnings.push_back(
        {WarningCode::price_not_stated, "--price-per-kwh", "no cost is given: state a price"});
  }
}

std::string figure_text(double value, std::string_view unit, std::string_view source) {
  return fmt::format("{:g} {} ({})", value, unit, source);
}

void assume_device(const Prediction& prediction, std::vector<Assumption>& list) {
  const Device& device = prediction.device;
  const auto peak = device.peak_flops_per_second.find(prediction.setup.precision);
  const std::string origin = device.file == "shipped" ? "device table" : device.file;
  if (peak != device.peak_flops_per_second.end()) {
    list.push_back({"peak rate",
                    figure_text(peak->second.value.value(), "FLOP/s", peak->second.source),
                    origin});
  }
  if (device.memory_bandwidth) {
    list.push_back({"memory bandwidth",
                    figure_text(device.memory_bandwidth->value.value(), "B/s",
                                device.memory_bandwidth->source),
                    origin});
  }
  list.push_back(
      {"power limit",
       figure_text(prediction.power_limit.value(), "W",
                   device.thermal_design_power ? device.thermal_design_power->source : "not known"),
       origin});
}

// Rates that the device does not state are no reason to refuse operations that memory bounds.
void assume_missing_rates(const Prediction& prediction, std::vector<Assumption>& list) {
  std::set<std::string> precisions;
  for (const OperationPrediction& entry : prediction.operations) {
    if (entry.operation.flops == 0 || entry.rates.peak) continue;
    precisions.emplace(to_string(entry.operation.precision));
  }
  for (const std::string& precision : precisions) {
    list.push_back({fmt::format("{} rate", precision),
                    fmt::format("not known: operations in {} are predicted by their memory traffic "
                                "alone and have no HEF",
                                precision),
                    "device table"});
  }
}

void assume_training(const Prediction& prediction, std::vector<Assumption>& list) {
  const TrainingSetup& setup = prediction.setup;
  const auto recomputation = setup.recomputation == Recomputation::none
                                 ? std::string("no recomputation")
                                 : fmt::format("{} recomputation", to_string(setup.recomputation));
  const auto accumulation =
      setup.accumulation_steps == 1
          ? std::string("no gradient accumulation")
          : fmt::format("gradients of {} batches accumulated", setup.accumulation_steps);
  list.push_back(
      {"operations",
       fmt::format("forward, backward and optimizer; attention unfused, {}, {}, {}no "
                   "kernel fusion",
                   recomputation, accumulation, setup.clip_gradients ? "gradients clipped, " : ""),
       "method"});
  list.push_back({"optimizer", std::string(to_string(setup.optimizer)), "setup"});
  list.push_back({"batch size",
                  setup.accumulation_steps == 1
                      ? fmt::format("{} sequences per GPU and step", setup.batch_size)
                      : fmt::format("{} sequences per GPU and batch, {} batches per step",
                                    setup.batch_size, setup.accumulation_steps),
                  "setup"});
  if (setup.num_gpus > 1) {
    list.push_back(
        {"data parallelism",
         fmt::format("{} GPUs, ideal: no time or energy for communication", setup.num_gpus),
         "method"});
  }
}

void assume_grid(const Site& site, const std::string& origin, std::vector<Assumption>& list) {
  const Region& region = *site.region;
  const double grams = region.carbon_intensity.value() * 1e3 * joules_per_kilowatt_hour;
  if (region.year == 0) {
    list.push_back({"carbon intensity",
                    fmt::format("{:g} g/kWh, {} (year not stated)", grams, region.name), origin});
    return;
  }
  const std::string id = region.id.empty() ? "" : fmt::format(" ({})", region.id);
  list.push_back({"region", region.name + id, origin});
  list.push_back({"carbon intensity",
                  fmt::format("{:g} g/kWh, {} ({})", grams, region.name, region.year),
                  region.source});
}

// What the user stated about the place, and where.
void assume_site(const Site& site, std::vector<Assumption>& list) {
  const auto origin = [&](std::string_view flag) {
    const auto found = site.origins.find(flag);
    return found == site.origins.end() ? std::string("stated") : found->second;
  };
  if (site.host_power) {
    list.push_back({"host power", fmt::format("{:g} W per GPU", site.host_power->value()),
                    origin("host-power-watts")});
  }
  if (site.power_usage_effectiveness) {
    list.push_back({"PUE", fmt::format("{:g}", *site.power_usage_effectiveness), origin("pue")});
  }
  if (site.region) {
    const bool own_figure = site.region->year == 0;
    assume_grid(site, origin(own_figure ? "carbon-intensity" : "region"), list);
  }
  const std::string currency = site.currency.empty() ? "" : " " + site.currency;
  if (site.price_per_kilowatt_hour) {
    list.push_back({"price of electricity",
                    fmt::format("{:g}{} per kWh", *site.price_per_kilowatt_hour, currency),
                    origin("price-per-kwh")});
  }
  if (site.price_per_gpu_hour) {
    list.push_back({"price of a GPU hour",
                    fmt::format("{:g}{} per hour of one GPU", *site.price_per_gpu_hour, currency),
                    origin("price-per-gpu-hour")});
  }
  if (!site.price_per_kilowatt_hour && !site.price_per_gpu_hour) return;
  if (site.currency.empty()) {
    list.push_back({"currency", "that of the prices, which is not stated", "default"});
  } else {
    list.push_back({"currency", site.currency, origin("currency")});
  }
}

void assume_run(const Prediction& prediction, std::vector<Assumption>& list) {
  if (!prediction.run) return;
  const RunPlan& plan = prediction.plan;
  const auto share = [&](const char* name, double fraction, const char* meaning) {
    list.push_back(
        {name, fmt::format("{:g} {}", fraction, meaning), fraction == 0.0 ? "default" : "stated"});
  };
  share("evaluation", plan.evaluation_fraction,
        "of the training time, at the training's average power");
  share("checkpoints", plan.checkpoint_fraction, "of the training time, at idle power");
  share("padding", plan.padding_fraction, "of the positions of a batch");
  assume_site(prediction.site, list);
}

}  // namespace

const Law& law_of(const Prediction& prediction, const OperationPrediction& entry) {
  const auto found = std::ranges::find(prediction.laws, entry.law_id, &Law::id);
  assert(found != prediction.laws.end() && "every law in use is listed");
  return *found;
}

std::optional<double> distance_from_fit(const Law& law, Flops flops) {
  if (!law.fitted_range) return std::nullopt;
  const FlopsRange& range = *law.fitted_range;
  // Lookups and copies have no FLOPs to be outside of.
  if (range.highest <= Flops{1.0}) return 0.0;
  if (flops < range.lowest) return std::log(range.lowest.value() / std::max(flops.value(), 1.0));
  return flops > range.highest ? std::log(flops.value() / range.highest.value()) : 0.0;
}

std::vector<Assumption> list_assumptions(const Prediction& prediction) {
  std::vector<Assumption> list;
  assume_device(prediction, list);
  assume_missing_rates(prediction, list);
  for (const Law& law : prediction.laws) {
    list.push_back({fmt::format("law {}", law.id), law.source, law.file});
  }
  if (!prediction.paper) {
    list.push_back({"power", prediction.power.source, "shipped"});
    assume_training(prediction, list);
  }
  assume_run(prediction, list);
  return list;
}

std::vector<Warning> list_warnings(const Prediction& prediction) {
  std::vector<Warning> warnings = prediction.model.warnings;
  warn_of_laws(prediction, warnings);
  warn_of_device(prediction, warnings);
  warn_of_lengths(prediction, warnings);
  warn_of_memory(prediction, warnings);
  if (prediction.setup.num_gpus > 1) {
    warnings.push_back({WarningCode::communication_not_modelled,
                        fmt::format("{} GPUs", prediction.setup.num_gpus),
                        "communication not modelled: ideal data parallelism is assumed"});
  }
  warn_of_site(prediction, warnings);
  return warnings;
}

std::optional<Warning> warn_of_unused_laws(const Prediction& prediction, const LawSet& given) {
  std::set<std::string_view> used;
  for (const Law& law : prediction.laws) used.insert(law.id);
  constexpr std::size_t most_named = 5;
  std::string names;
  std::size_t count = 0;
  for (const Law& law : given.laws()) {
    if (law.file == "shipped") continue;
    if (used.contains(law.id)) return std::nullopt;
    if (count++ < most_named) names += (names.empty() ? "" : ", ") + law.id;
  }
  if (count == 0) return std::nullopt;
  if (count > most_named) names += fmt::format(" and {} more", count - most_named);
  return Warning{WarningCode::laws_not_used, names,
                 "none of the given laws fits this device, precision and these operations"};
}

}  // namespace joulecast

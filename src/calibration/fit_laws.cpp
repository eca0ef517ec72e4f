// SPDX-License-Identifier: Apache-2.0
#include <joulecast/fit.hpp>

#include "calibration/group.hpp"
#include "calibration/intervals.hpp"
#include "calibration/transfer_fit.hpp"
#include "documents/digits.hpp"
#include "fitting/parallel.hpp"
#include "fitting/power_fit.hpp"
#include "validation/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

namespace joulecast {
namespace {

// More digits than a fit can tell.
constexpr int parameter_digits = 6;

struct Trial {
  FamilyLaw law{};
  std::vector<Residual> residuals{};  // in the order of the rows
  LawErrors errors{};
};

LawErrors errors_of(std::span<const Residual> residuals) {
  std::vector<PredictedValue> values;
  values.reserve(residuals.size());
  for (const Residual& residual : residuals) {
    values.push_back({.measured = residual.predicted_seconds * std::exp(residual.log_ratio),
                      .predicted = residual.predicted_seconds});
  }
  const ErrorMetrics metrics = compute_metrics(values);
  return {metrics.count, metrics.mape, metrics.median_ape};
}

bool is_candidate(const LawFamily& family, const FitGroup& group, std::string_view wanted) {
  if (wanted != "auto" && family.name != wanted) return false;
  // With a parameter for each shape it would describe the shapes, not the kernel.
  if (group.shapes <= static_cast<std::int64_t>(family.parameters.size())) return false;
  const LawSample& sample = group.rows.front().sample;
  if (family.takes_any_shape && !(sample.flops > 0.0)) return false;
  return family_answers(family, question_of(sample, group.facts));
}

// Folds start from the fit to all rows: a few steps lead to their own optimum.
Result<Trial> try_family(const LawFamily& family, const FitGroup& group) {
  FamilyFitOptions options;
  options.fine_rows = family.fit_rows;
  options.coarse_rows = std::min(options.coarse_rows, family.fit_rows);
  const std::vector<LawSample> samples = all_samples(group);
  auto whole = fit_family(family, group.facts, samples, options);
  if (!whole) return std::unexpected(whole.error());
  Trial trial{.law = {.family = std::string(family.name)}};
  for (const double value : whole->parameters)
    trial.law.parameters.push_back(rounded(value, parameter_digits));
  trial.residuals.resize(group.rows.size());
  options.fine_iterations = 12;
  for (int fold = 0; fold < fold_count; ++fold) {
    auto part = refine_family(family, group.facts, samples_outside(group, fold), whole->parameters,
                              options);
    if (!part) return std::unexpected(part.error());
    for (std::size_t i = 0; i < group.rows.size(); ++i) {
      if (group.rows[i].fold != fold) continue;
      const LawSample& sample = group.rows[i].sample;
      const double predicted = family.seconds(part->parameters, question_of(sample, group.facts));
      trial.residuals[i] = {predicted, sample.flops / std::max(sample.bytes, 1.0),
                            std::log(sample.seconds / predicted)};
    }
  }
  trial.errors = errors_of(trial.residuals);
  return trial;
}

void describe_parameters(const FitGroup& group, const FitOptions& options, LawFit& fit) {
  const auto& own = std::get<FamilyLaw>(fit.law.form);
  const LawFamily& family = *find_family(own.family);
  FamilyFitOptions refine;
  refine.fine_rows = family.fit_rows;
  refine.fine_iterations = 1;
  refine.bootstrap = options.bootstrap;
  const auto described =
      refine_family(family, group.facts, all_samples(group), own.parameters, refine);
  if (!described) return;
  fit.law.not_identified = described->not_identified;
  // Whatever a parameter's interval spans widely is not told by the rows, though the law's
  // durations may be.
  constexpr double wide = 10.0;
  for (std::size_t i = 0; i < described->intervals.size(); ++i) {
    const std::string name(family.parameters[i].name);
    const bool open = described->intervals[i].upper > wide * described->intervals[i].lower;
    if (open && std::ranges::find(fit.law.not_identified, name) == fit.law.not_identified.end()) {
      fit.law.not_identified.push_back(name);
    }
    fit.law.parameter_intervals.push_back({std::string(family.parameters[i].name),
                                           described->intervals[i].lower,
                                           described->intervals[i].upper});
  }
}

std::optional<double> board_watts(const Measurement& row) {
  if (row.energy_kind != EnergyKind::board) return std::nullopt;
  if (row.power) return row.power->value();
  if (row.energy) return (*row.energy / row.duration).value();
  return std::nullopt;
}

constexpr std::size_t least_power_rows = 60;

void add_power(const FitGroup& group, double idle_watts, const FitOptions& options, Law& law) {
  std::vector<PowerSample> samples;
  for (const FitRow& row : group.rows) {
    const auto watts = board_watts(*row.row);
    if (!watts || row.row->marks.doubts_power()) continue;
    const double limit =
        row.row->power_limit ? row.row->power_limit->value() : group.facts.power_limit_watts;
    const LawSample& sample = row.sample;
    samples.push_back({sample.operation, sample.shape, sample.precision, sample.flops, sample.bytes,
                       sample.seconds, *watts, limit});
  }
  if (samples.size() < least_power_rows) return;
  const auto fit =
      fit_power(group.facts, samples, {.idle_watts = idle_watts, .bootstrap = options.bootstrap});
  if (!fit) return;
  LawPower power{.law = fit->law,
                 .below_limit = fit->below_limit,
                 .at_limit = fit->at_limit,
                 .errors = fit->errors,
                 .not_identified = fit->not_identified};
  for (double* value : {&power.law.idle_watts, &power.law.active_watts, &power.law.occupancy_watts,
                        &power.law.joules_per_flop, &power.law.joules_per_byte,
                        &power.law.limit_fraction, &power.law.sharpness}) {
    *value = rounded(*value, parameter_digits);
  }
  for (const auto& [name, interval] : fit->intervals) {
    power.parameter_intervals.push_back({std::string(name), interval.lower, interval.upper});
  }
  law.power = std::move(power);
}

std::string source_of(const FitGroup& group) {
  std::set<std::string> sources;
  std::set<std::string> stacks;
  for (const FitRow& row : group.rows) {
    sources.insert(row.row->source);
    if (!row.row->software.empty()) stacks.insert(row.row->software);
  }
  std::string text =
      fmt::format("fitted to {} rows of {}", group.rows.size(), fmt::join(sources, ", "));
  if (!stacks.empty()) text += fmt::format(" ({})", fmt::join(stacks, ", "));
  return text;
}

// The source paper's sweeps wait for every call to end: what they show of small operations is the
// host, which in a training step runs ahead of the device.
bool is_host_timed(const FitGroup& group) {
  return std::ranges::all_of(
      group.rows, [](const FitRow& row) { return row.row->source.starts_with("ecai2025"); });
}

std::vector<double> log_ratios_of(const Trial& trial) {
  std::vector<double> ratios;
  for (const Residual& residual : trial.residuals) ratios.push_back(residual.log_ratio);
  return ratios;
}

Result<LawFit> fit_group(const FitGroup& group, double idle_watts, const FitOptions& options) {
  std::vector<Trial> trials;
  for (const LawFamily& family : law_families()) {
    if (!is_candidate(family, group, options.family)) continue;
    auto trial = try_family(family, group);
    if (!trial) return std::unexpected(trial.error());
    trials.push_back(std::move(*trial));
  }
  if (trials.empty()) {
    return std::unexpected(Error{ErrorKind::value, "no family covers these rows", Location{},
                                 "measure more shapes, or choose another --family"});
  }
  std::ranges::stable_sort(
      trials, {}, [](const Trial& trial) { return trial.errors.mean_absolute_percentage_error; });
  LawFit fit{.rows = static_cast<std::int64_t>(group.rows.size()),
             .doubted = group.doubted,
             .shapes = group.shapes,
             .warnings = group.warnings};
  Law& law = fit.law;
  law.id =
      fmt::format("{}/{}/{}", group.id.device, to_string(group.id.precision), group.id.operation);
  law.device = group.id.device;
  law.operation = group.id.operation;
  law.precision = group.id.precision;
  law.form = trials.front().law;
  law.errors = trials.front().errors;
  law.bands = conformal_bands(trials.front().residuals);
  law.source = source_of(group);
  law.host_timed = is_host_timed(group);
  const auto flops_of = [](const FitRow& row) { return row.sample.flops; };
  const auto [least, most] = std::ranges::minmax(group.rows, {}, flops_of);
  law.fitted_range =
      FlopsRange{Flops{std::max(least.sample.flops, 1.0)}, Flops{std::max(most.sample.flops, 1.0)}};
  for (const Trial& trial : trials) {
    law.trials.push_back({trial.law, trial.errors, conformal_factors(log_ratios_of(trial))});
  }
  for (const FitRow& row : group.rows) law.row_hashes.push_back(row.hash);
  describe_parameters(group, options, fit);
  add_power(group, idle_watts, options, law);
  return fit;
}

// Upper bounds of what the devices draw between kernels, of all their labels.
std::map<std::string, double, std::less<>> waiting_powers(
    std::span<const Measurement> measurements) {
  std::map<std::string, std::vector<double>, std::less<>> labels;
  for (const Measurement& row : measurements) {
    if (const auto watts = board_watts(row); watts && *watts > 0.0) {
      labels[row.device].push_back(*watts);
    }
  }
  std::map<std::string, double, std::less<>> waiting;
  for (const auto& [device, watts] : labels) waiting[device] = waiting_power(watts);
  return waiting;
}

}  // namespace

Result<LawFits> fit_laws(std::span<const Measurement> measurements, const DeviceCatalogue& devices,
                         const FitOptions& options) {
  if (options.family != "auto" && find_family(options.family) == nullptr) {
    return std::unexpected(Error{
        ErrorKind::usage, fmt::format("unknown law family \"{}\"", options.family.substr(0, 60)),
        Location{.file = {}, .path = "--family"}, "choose auto or paper"});
  }
  LawFits fits;
  const std::vector<FitGroup> groups = make_groups(measurements, devices, fits.gaps);
  const auto waiting = waiting_powers(measurements);
  std::vector<Result<LawFit>> results(groups.size(), std::unexpected(Error{}));
  in_parallel(groups.size(), options.threads, [&](std::size_t i) {
    const auto idle = waiting.find(groups[i].id.device);
    results[i] = fit_group(groups[i], idle == waiting.end() ? 0.0 : idle->second, options);
  });
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (results[i]) {
      fits.laws.push_back(std::move(*results[i]));
    } else {
      fits.gaps.push_back({groups[i].id.device, groups[i].id.precision, groups[i].id.operation,
                           static_cast<std::int64_t>(groups[i].rows.size()),
                           results[i].error().message});
    }
  }
  if (fits.laws.empty()) {
    const std::string why =
        fits.gaps.empty()
            ? "there are no rows"
            : fmt::format("{}/{}/{}: {}", fits.gaps[0].device, to_string(fits.gaps[0].precision),
                          fits.gaps[0].operation, fits.gaps[0].reason);
    return std::unexpected(Error{ErrorKind::value, "no law can be fitted: " + why, Location{},
                                 "give more measurements"});
  }
  fits.transfers = judge_transfers(fits.laws, groups, devices);
  return fits;
}

Result<void> save_fits(const std::filesystem::path& directory, const LawFits& fits) {
  for (const LawFit& fit : fits.laws) {
    if (auto saved = save_law(directory, fit.law); !saved) return saved;
  }
  return save_transfers(directory, fits.transfers);
}

}  // namespace joulecast

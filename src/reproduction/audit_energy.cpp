// SPDX-License-Identifier: Apache-2.0
// Points 6, 7 and 8: what the energy columns measure.
#include "reproduction/audit.hpp"
#include "reproduction/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <string_view>

namespace joulecast {
namespace {

// One tracker reading per configuration; the power that fits the board's limit says ten steps.
constexpr double steps_between_readings = 10.0;

struct CounterPower {
  std::vector<double> gpu;
  std::vector<double> cpu;
  std::vector<double> ram;
};

// Rows that follow each other in the full table bracket one configuration of the sweep. Only
// single-repeat A100 rows: elsewhere the counters hold the tracker's own start and stop.
CounterPower measure_counter_power(const std::vector<TransformerStepRow>& rows) {
  std::map<std::int64_t, const TransformerStepRow*> by_index;
  for (const auto& row : rows) by_index.emplace(row.index, &row);
  CounterPower power;
  for (const auto& [index, row] : by_index) {
    const auto before = by_index.find(index - 1);
    if (before == by_index.end() || row->gpu != "a100" || row->repeats != 1.0) continue;
    const double watts_per_kwh =
        joules_per_kilowatt_hour / (steps_between_readings * row->duration_seconds);
    const double gpu = row->gpu_counter_kwh - before->second->gpu_counter_kwh;
    // A copy of the same reading, or the start of another sweep, brackets nothing.
    if (gpu <= 0.0) continue;
    power.gpu.push_back(gpu * watts_per_kwh);
    power.cpu.push_back((row->cpu_counter_kwh - before->second->cpu_counter_kwh) * watts_per_kwh);
    power.ram.push_back((row->ram_counter_kwh - before->second->ram_counter_kwh) * watts_per_kwh);
  }
  return power;
}

void add_label_power(const std::vector<TransformerStepRow>& rows, std::string_view gpu,
                     const std::string& device, AuditPoint& point) {
  std::vector<double> watts;
  for (const auto& row : rows) {
    if (row.gpu == gpu && row.repeats == 1.0) {
      watts.push_back(row.energy_joules / row.duration_seconds);
    }
  }
  if (watts.empty()) return;
  point.evidence.push_back({device + ", mean of energy label over duration", compute_mean(watts),
                            "W", EvidenceSource::from_data});
  point.evidence.push_back({device + ", its standard deviation over all loads",
                            compute_standard_deviation(watts), "W", EvidenceSource::from_data});
}

// The counter against the row number; with several reading points in each run, a line for each.
Result<double> explain_counter(const std::vector<RnnStepRow>& rows, bool line_per_operation) {
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> lines;
  std::vector<double> all;
  for (const auto& row : rows) {
    auto& [index, counter] = lines[line_per_operation ? row.operation : ""];
    index.push_back(static_cast<double>(row.index));
    counter.push_back(row.counter_kwh);
    all.push_back(row.counter_kwh);
  }
  double residuals = 0.0;
  for (const auto& [operation, line] : lines) {
    const Feature feature{"row number", line.first};
    const auto fit = fit_ordinary_least_squares({&feature, 1}, line.second);
    if (!fit) return std::unexpected(fit.error());
    residuals += fit->sum_of_squares;
  }
  const double total =
      std::pow(compute_standard_deviation(all), 2) * static_cast<double>(all.size());
  return total > 0.0 ? 1.0 - residuals / total : 0.0;
}

}  // namespace

AuditPoint audit_power(const AuditInputs* inputs) {
  AuditPoint point{6,
                   "the energy label is one power sample after the step times its duration: near "
                   "idle power, whatever the load",
                   "",
                   {}};
  if (inputs == nullptr) {
    point.method = "needs SubsetDataForTransformer_energyModel.csv";
    point.evidence = {{"a100-80gb-pcie label power", 98.0, "W", EvidenceSource::quoted},
                      {"rtx-2080-ti label power", 83.0, "W", EvidenceSource::quoted},
                      {"a100-80gb-pcie GPU power by counter", 246.0, "W", EvidenceSource::quoted},
                      {"CPU power by counter", 57.0, "W", EvidenceSource::quoted},
                      {"RAM power by counter", 32.0, "W", EvidenceSource::quoted}};
    return point;
  }
  point.method =
      "label / duration over single-repeat rows; the cumulative counters of rows that follow each "
      "other, over ten steps each (median)";
  const auto& rows = inputs->tables.transformer_steps;
  add_label_power(rows, "a100", "a100-80gb-pcie", point);
  add_label_power(rows, "grid", "rtx-2080-ti", point);
  const CounterPower power = measure_counter_power(rows);
  if (power.gpu.empty()) return point;
  for (const auto& [name, watts] :
       {std::pair{"GPU", &power.gpu}, std::pair{"CPU", &power.cpu}, std::pair{"RAM", &power.ram}}) {
    point.evidence.push_back({fmt::format("a100-80gb-pcie, {} power by counter", name),
                              compute_median(*watts), "W", EvidenceSource::from_data});
  }
  point.evidence.push_back(
      {"pairs of rows", static_cast<double>(power.gpu.size()), "", EvidenceSource::from_data});
  return point;
}

Result<AuditPoint> audit_rnn_counter(const AuditInputs* inputs) {
  AuditPoint point{7,
                   "the RNN energy column is a cumulative counter, linear in run order: no "
                   "evidence about training",
                   "",
                   {}};
  if (inputs == nullptr) {
    point.method = "needs SubsetDataForLSTM_energyModel.csv";
    point.evidence = {{"R2 of energy against run order", 0.9996, "", EvidenceSource::quoted}};
    return point;
  }
  const auto& rows = inputs->tables.rnn_steps;
  const auto together = explain_counter(rows, false);
  if (!together) return std::unexpected(together.error());
  const auto apart = explain_counter(rows, true);
  if (!apart) return std::unexpected(apart.error());
  point.method =
      "least squares on the row number alone; each run reads the counter once per operation, so "
      "a line for each";
  point.evidence = {
      {"R2 against run order, one line per operation", *apart, "", EvidenceSource::from_data},
      {"R2 against run order, one line for all", *together, "", EvidenceSource::from_data},
      {"R2 of the regression on durations", inputs->regressions.rnn.r_squared, "",
       EvidenceSource::from_data}};
  return point;
}

// HEF = 100 * FLOPs of n batches / (duration * peak) is solved for n.
AuditPoint audit_epoch(const AuditInputs* inputs) {
  AuditPoint point{8, "\"per epoch\" is one optimisation step on one batch", "", {}};
  if (inputs == nullptr) {
    point.method = "needs SubsetDataForTransformer_energyModel.csv";
    point.evidence = {{"batches per \"epoch\"", 1.0, "batches", EvidenceSource::quoted}};
    return point;
  }
  std::vector<double> batches;
  std::vector<double> seconds;
  for (const auto& row : inputs->tables.transformer_steps) {
    const double work =
        row.hef_percent / 100.0 * row.duration_seconds * row.peak_teraflop_per_second;
    batches.push_back(work / row.model_teraflop);
    seconds.push_back(row.duration_seconds / row.repeats);
  }
  const auto [low, high] = std::ranges::minmax_element(batches);
  point.method =
      "the table's efficiency solved for the work done in the timed duration, over the FLOPs of "
      "one batch";
  point.evidence = {
      {"fewest batches in a timed duration", *low, "batches", EvidenceSource::from_data},
      {"most batches in a timed duration", *high, "batches", EvidenceSource::from_data},
      {"longest \"epoch\"", std::ranges::max(seconds), "s", EvidenceSource::from_data}};
  return point;
}

}  // namespace joulecast

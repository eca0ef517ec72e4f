// SPDX-License-Identifier: Apache-2.0
#include "reports/measured_steps.hpp"

#include "reports/common.hpp"

#include <algorithm>
#include <string>

namespace joulecast {
namespace {

Table empty_table(bool runs) {
  return {.key = runs ? "runs" : "steps",
          .title = runs ? "Runs: sums over their steps" : "Steps",
          .columns = {{"device", "device", Unit::none},
                      {"precision", "", Unit::none},
                      {"phase", "", Unit::none},
                      {"source", "", Unit::none},
                      {"software", "", Unit::none},
                      {"model", "model", Unit::none},
                      {"batch_size", "batch", Unit::count},
                      {"sequence_length", "sequence", Unit::count},
                      {"num_gpus", "", Unit::count},
                      {"precision_text", "in", Unit::none},
                      {"optimizer", "optimizer", Unit::none},
                      {"steps", "steps", Unit::count},
                      {"measured_duration_seconds", "time", Unit::seconds},
                      {"predicted_duration_seconds", "predicted", Unit::seconds},
                      {"predicted_duration_lower_seconds", "", Unit::seconds},
                      {"predicted_duration_upper_seconds", "", Unit::seconds},
                      {"duration_error_fraction", "off by", Unit::fraction},
                      {"measured_energy_joules", "energy", Unit::joules},
                      {"predicted_energy_joules", "predicted", Unit::joules},
                      {"predicted_energy_lower_joules", "", Unit::joules},
                      {"predicted_energy_upper_joules", "", Unit::joules},
                      {"energy_error_fraction", "off by", Unit::fraction},
                      {"in_sample", "", Unit::none},
                      {"marks", "marks", Unit::none}}};
}

// Lower and upper bound; nothing where there is no interval.
std::array<Datum, 2> bounds_of(double value, const std::optional<IntervalFactors>& interval) {
  if (!interval) return {};
  return {Datum(value * interval->lower), Datum(value * interval->upper)};
}

std::vector<Datum> cells(const ValidationRow& row) {
  const Measurement& measured = *row.row;
  const auto& shape = std::get<StepShape>(measured.shape);
  const double duration = row.predicted_duration.value();
  const auto duration_bounds = bounds_of(duration, row.duration_interval);
  Datum measured_energy;
  Datum predicted_energy;
  Datum energy_error;
  std::array<Datum, 2> energy_bounds;
  if (row.predicted_power) {
    const double energy = (*row.measured_power * measured.duration).value();
    const double predicted = (*row.predicted_power * row.predicted_duration).value();
    measured_energy = energy;
    predicted_energy = predicted;
    energy_error = predicted / energy - 1.0;
    energy_bounds = bounds_of(predicted, row.energy_interval);
  }
  return {measured.device,
          std::string(to_string(measured.precision)),
          std::string(to_string(measured.phase)),
          measured.source,
          measured.software,
          shape.model,
          shape.batch_size,
          shape.sequence_length,
          shape.num_gpus,
          std::string(to_string(measured.precision)),
          std::string(to_string(shape.optimizer)),
          shape.steps,
          measured.duration.value(),
          duration,
          duration_bounds[0],
          duration_bounds[1],
          duration / measured.duration.value() - 1.0,
          measured_energy,
          predicted_energy,
          energy_bounds[0],
          energy_bounds[1],
          energy_error,
          row.in_sample,
          describe(measured.marks)};
}

}  // namespace

std::vector<Table> list_measured_steps(const Validation& validation) {
  Table steps = empty_table(false);
  Table runs = empty_table(true);
  for (const ValidationRow& row : validation.rows) {
    const std::string& operation = validation.subjects[row.subject].operation;
    if (operation == step_operation) steps.rows.push_back(cells(row));
    if (operation == run_operation) runs.rows.push_back(cells(row));
  }
  if (steps.rows.empty()) return {};
  runs.for_people = std::ranges::any_of(validation.subjects, [&](const ValidationSubject& subject) {
    return subject.operation == run_operation && !repeats_steps(validation, subject);
  });
  std::vector<Table> tables;
  tables.push_back(std::move(steps));
  tables.push_back(std::move(runs));
  return tables;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "reports/common.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace joulecast {
namespace {

struct Quantity {
  std::string key;
  std::string title;
  Unit unit;
  std::optional<double> value;
};

// What is compared, in this order, for one prediction.
std::vector<Quantity> quantities_of(const Prediction& p) {
  const auto value = [](const auto& optional) {
    return optional ? std::optional<double>(optional->value()) : std::nullopt;
  };
  std::vector<Quantity> list = {
      {"parameters", "parameters", Unit::count, static_cast<double>(p.parameter_count)},
      {"step_flops", "FLOPs per step", Unit::flops, p.step.flops.value()},
      {"step_duration_seconds", "time per step", Unit::seconds, p.step.duration.value()},
      {"step_energy_joules", "energy per step", Unit::joules, value(p.step.energy)},
      {"step_average_power_watts", "average power", Unit::watts, value(p.step.average_power)},
      {"step_hef", "HEF of the step", Unit::fraction, p.step.hef}};
  if (!p.run) return list;
  const Account& account = p.run->account;
  list.push_back({"steps", "steps", Unit::count, static_cast<double>(p.run->steps)});
  list.push_back(
      {"run_duration_seconds", "time of the run", Unit::seconds, p.run->duration.value()});
  list.push_back({"run_device_energy_joules", "device energy of the run", Unit::joules,
                  account.device_energy.value()});
  list.push_back({"run_facility_energy_joules", "energy of the run, all parts stated", Unit::joules,
                  account.facility_energy.value()});
  list.push_back(
      {"run_emissions_kilograms", "CO2 equivalent", Unit::kilograms, value(account.emissions)});
  list.push_back(
      {"run_total_cost", fmt::format("cost {}", p.site.currency), Unit::money, account.total_cost});
  return list;
}

Datum as_datum(const Quantity& quantity) {
  if (!quantity.value) return std::monostate{};
  if (quantity.unit == Unit::count) return static_cast<std::int64_t>(*quantity.value);
  return *quantity.value;
}

Datum ratio(const Quantity& quantity, const Quantity& first) {
  if (!quantity.value || !first.value || *first.value == 0.0) return std::monostate{};
  return *quantity.value / *first.value;
}

// For machines: one row per prediction, one column per quantity and per ratio.
Table machine_table(const std::vector<Prediction>& predictions) {
  Table table{.key = "predictions", .title = ""};
  table.for_people = false;
  table.columns = {{"model", "", Unit::none},
                   {"model_sha256", "", Unit::none},
                   {"device", "", Unit::none},
                   {"device_sha256", "", Unit::none}};
  const std::vector<Quantity> first = quantities_of(predictions.front());
  for (const Quantity& quantity : first) table.columns.push_back({quantity.key, "", quantity.unit});
  for (const Quantity& quantity : first) {
    table.columns.push_back({quantity.key + "_ratio", "", Unit::plain});
  }
  for (const Prediction& prediction : predictions) {
    std::vector<Datum> row = {prediction.model.name, prediction.model.sha256, prediction.device.id,
                              prediction.device.sha256};
    const std::vector<Quantity> own = quantities_of(prediction);
    for (const Quantity& quantity : own) row.push_back(as_datum(quantity));
    for (std::size_t i = 0; i < own.size(); ++i) row.push_back(ratio(own[i], first[i]));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// For people: one row per quantity; every prediction with its ratio to the first.
Table people_table(const std::vector<Prediction>& predictions) {
  Table table{.key = "", .title = ""};
  table.for_machines = false;
  table.columns = {{"quantity", "quantity", Unit::none}};
  bool several_devices = false;
  for (const Prediction& prediction : predictions) {
    several_devices = several_devices || prediction.device.id != predictions.front().device.id;
  }
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    std::string name = predictions[i].model.name;
    if (several_devices) name += " on " + predictions[i].device.id;
    // Right-aligned like numbers: the cells are texts that hold numbers with units.
    table.columns.push_back({name, name, Unit::plain});
    if (i > 0) table.columns.push_back({name + " ratio", "ratio", Unit::plain});
  }
  std::vector<std::vector<Quantity>> all;
  for (const Prediction& prediction : predictions) all.push_back(quantities_of(prediction));
  for (std::size_t q = 0; q < all.front().size(); ++q) {
    std::vector<Datum> row = {all.front()[q].title};
    for (std::size_t i = 0; i < all.size(); ++i) {
      row.emplace_back(show(as_datum(all[i][q]), all[i][q].unit));
      if (i > 0) row.push_back(ratio(all[i][q], all.front()[q]));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

Report report_comparison(const std::vector<Prediction>& predictions) {
  assert(!predictions.empty());
  const Prediction& first = predictions.front();
  Report report{.kind = "comparison"};
  report.title = fmt::format(
      "{}, batch size {} per GPU, sequence length {}, {} GPU{}; ratios to "
      "the first",
      to_string(first.setup.precision), first.setup.batch_size, first.setup.sequence_length,
      first.setup.num_gpus, first.setup.num_gpus == 1 ? "" : "s");
  Table machine = machine_table(predictions);
  report.csv = machine;
  report.sections.emplace_back(describe_training(first.setup));
  report.sections.emplace_back(list_laws(predictions));
  report.sections.emplace_back(std::move(machine));
  report.sections.emplace_back(people_table(predictions));
  std::vector<Warning> warnings;
  for (const Prediction& prediction : predictions) {
    for (const Warning& warning : prediction.warnings) {
      if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) {
        warnings.push_back(warning);
      }
    }
  }
  report.sections.emplace_back(list_warnings_table(warnings));
  return report;
}

}  // namespace joulecast

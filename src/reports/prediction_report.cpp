// SPDX-License-Identifier: Apache-2.0
#include "reports/common.hpp"
#include "reports/statement.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

const std::vector<Column> operation_columns = {
    {"operation", "operation", Unit::none},
    {"block", "block", Unit::none},
    {"phase", "phase", Unit::none},
    {"kind", "", Unit::none},
    {"shape", "shape m*n*k", Unit::none},
    {"precision", "precision", Unit::none},
    {"count", "count", Unit::count},
    {"flops", "FLOPs each", Unit::flops},
    {"bytes_moved", "", Unit::bytes},
    {"hef", "HEF", Unit::fraction},
    {"bound", "bound by", Unit::none},
    {"duration_seconds", "time each", Unit::seconds},
    {"total_duration_seconds", "time", Unit::seconds},
    {"power_watts", "", Unit::watts},
    {"total_energy_joules", "energy", Unit::joules},
    {"duration_share", "share of time", Unit::fraction},
    {"energy_share", "share of energy", Unit::fraction},
    {"law", "", Unit::none},
    {"fitted_range_distance", "", Unit::plain},
};

Table operation_table(const Prediction& prediction) {
  Table table{.key = "operations", .title = "Operations of one step", .columns = operation_columns};
  for (const OperationPrediction& entry : prediction.operations) {
    const Operation& operation = entry.operation;
    table.rows.push_back({operation.name, operation.block, std::string(to_string(operation.phase)),
                          std::string(to_string(operation.kind)), describe(operation.shape),
                          std::string(to_string(operation.precision)), operation.count,
                          operation.flops, operation.bytes_moved, datum(entry.duration.hef),
                          std::string(to_string(entry.duration.bound)), entry.duration.one.value(),
                          entry.total_duration.value(), datum(entry.power),
                          datum(entry.total_energy), entry.duration_share,
                          datum(entry.energy_share), entry.law_id,
                          datum(entry.fitted_range_distance)});
  }
  return table;
}

// One row per operation, its phases added up: what fits on a screen.
struct Group {
  std::string name;
  std::string block;
  double flops = 0.0;
  double weighted_peak_seconds = 0.0;  // what the FLOPs would take at the peak
  double duration = 0.0;
  std::optional<double> energy{};
  double duration_share = 0.0;
  std::optional<double> energy_share{};
};

std::vector<Group> group_operations(const Prediction& prediction) {
  std::vector<Group> groups;
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> places;
  for (const OperationPrediction& entry : prediction.operations) {
    const Operation& operation = entry.operation;
    const auto [place, added] = places.emplace(
        std::pair<std::string_view, std::string_view>(operation.block, operation.name),
        groups.size());
    if (added) groups.push_back(Group{operation.name, operation.block});
    Group* group = &groups[place->second];
    const double flops =
        static_cast<double>(entry.operation.flops) * static_cast<double>(entry.operation.count);
    group->flops += flops;
    if (entry.rates.peak) group->weighted_peak_seconds += flops / entry.rates.peak->value();
    group->duration += entry.total_duration.value();
    group->duration_share += entry.duration_share;
    if (entry.total_energy) {
      group->energy = group->energy.value_or(0.0) + entry.total_energy->value();
      group->energy_share = group->energy_share.value_or(0.0) + *entry.energy_share;
    }
  }
  return groups;
}

Table group_table(const Prediction& prediction) {
  Table table{.key = "operation_groups",
              .title = "Operations of one step (forward and backward together)",
              .columns = {{"operation", "operation", Unit::none},
                          {"block", "block", Unit::none},
                          {"flops", "FLOPs", Unit::flops},
                          {"hef", "HEF", Unit::fraction},
                          {"duration_seconds", "time", Unit::seconds},
                          {"energy_joules", "energy", Unit::joules},
                          {"duration_share", "share of time", Unit::fraction},
                          {"energy_share", "share of energy", Unit::fraction}}};
  if (prediction.paper) table.title = "Operations of one step (those the paper counts)";
  table.for_machines = false;
  for (const Group& group : group_operations(prediction)) {
    const bool has_hef = group.weighted_peak_seconds > 0.0;
    table.rows.push_back(
        {group.name, group.block, count_datum(group.flops),
         has_hef ? Datum(group.weighted_peak_seconds / group.duration) : Datum(std::monostate{}),
         group.duration, datum(group.energy), group.duration_share, datum(group.energy_share)});
  }
  return table;
}

Table paper_table(const PaperFigures& paper) {
  Table table{.key = "paper_operations",
              .title = "In the paper's own units (its microseconds are 100 times too small)",
              .columns = {{"operation", "operation", Unit::none},
                          {"block", "block", Unit::none},
                          {"layers", "layers", Unit::none},
                          {"hef_percent", "HEF in percent", Unit::plain},
                          {"duration_paper_microseconds", "time in paper us", Unit::plain}}};
  for (const PaperFigures::Row& row : paper.rows) {
    table.rows.push_back(
        {row.operation, row.block, row.layers, row.hef_percent, row.duration_paper_microseconds});
  }
  return table;
}

Fields step_fields(const Prediction& prediction) {
  const StepPrediction& step = prediction.step;
  const auto time = bounds(step.duration_interval);
  const auto energy = bounds(step.energy_interval);
  const bool paper = prediction.paper.has_value();
  return {.key = "step",
          .title = "One step on one GPU",
          .fields = {
              {"flops", "FLOPs", Unit::flops, count_datum(step.flops.value())},
              {"bytes_moved", "memory traffic", Unit::bytes, count_datum(step.bytes_moved.value())},
              {"duration_seconds", paper ? "time of these operations" : "time", Unit::seconds,
               step.duration.value()},
              {"duration_interval", "  90 % interval", Unit::none,
               show_interval(step.duration_interval, Unit::seconds)},
              {"duration_lower_seconds", "", Unit::seconds, time.first},
              {"duration_upper_seconds", "", Unit::seconds, time.second},
              {"energy_joules", paper && step.energy ? "energy by equation (19)" : "energy",
               Unit::joules, datum(step.energy)},
              {"energy_interval", "  90 % interval", Unit::none,
               show_interval(step.energy_interval, Unit::joules)},
              {"energy_lower_joules", "", Unit::joules, energy.first},
              {"energy_upper_joules", "", Unit::joules, energy.second},
              {"average_power_watts", "average power", Unit::watts, datum(step.average_power)},
              {"hef", "HEF of the step", Unit::fraction, step.hef}}};
}

Fields run_fields(const Prediction& prediction) {
  const RunPrediction& run = *prediction.run;
  const Account& account = run.account;
  const auto time = bounds(run.duration_interval);
  const auto energy = bounds(run.device_energy_interval);
  Fields fields{.key = "run",
                .title = fmt::format("The whole run on {} GPU{}", run.num_gpus,
                                     run.num_gpus == 1 ? "" : "s")};
  fields.fields = {{"steps", "steps", Unit::count, run.steps},
                   {"num_gpus", "", Unit::count, run.num_gpus},
                   {"duration_seconds", "time", Unit::seconds, run.duration.value()},
                   {"duration_interval", "  90 % interval", Unit::none,
                    show_interval(run.duration_interval, Unit::seconds)},
                   {"duration_lower_seconds", "", Unit::seconds, time.first},
                   {"duration_upper_seconds", "", Unit::seconds, time.second}};
  for (const RunPart& part : run.parts) {
    fields.fields.push_back({fmt::format("{}_duration_seconds", part.name),
                             fmt::format("  {}", part.name), Unit::seconds, part.duration.value()});
  }
  fields.fields.push_back({"padding_duration_seconds", "  of which padding", Unit::seconds,
                           run.padding.duration.value()});
  fields.fields.push_back(
      {"device_energy_joules", "device energy", Unit::joules, account.device_energy.value()});
  fields.fields.push_back({"device_energy_kilowatt_hours", "", Unit::plain,
                           account.device_energy.value() / joules_per_kilowatt_hour});
  fields.fields.push_back({"device_energy_interval", "  90 % interval", Unit::none,
                           show_interval(run.device_energy_interval, Unit::joules)});
  fields.fields.push_back({"device_energy_lower_joules", "", Unit::joules, energy.first});
  fields.fields.push_back({"device_energy_upper_joules", "", Unit::joules, energy.second});
  for (const RunPart& part : run.parts) {
    fields.fields.push_back({fmt::format("{}_energy_joules", part.name),
                             fmt::format("  {}", part.name), Unit::joules, part.energy.value()});
  }
  fields.fields.push_back(
      {"padding_energy_joules", "  of which padding", Unit::joules, run.padding.energy.value()});
  const auto known = [](const auto& part, const char* flag) {
    return part ? Datum(part->value()) : Datum(fmt::format("not stated ({})", flag));
  };
  const bool host = account.host_energy.has_value();
  const bool pue = account.overhead_energy.has_value();
  fields.fields.push_back(
      {"host_energy_joules", host ? "host energy" : "", Unit::joules, datum(account.host_energy)});
  fields.fields.push_back({"overhead_energy_joules", pue ? "cooling and distribution" : "",
                           Unit::joules, datum(account.overhead_energy)});
  if (!host) {
    fields.fields.push_back({"host_energy_note", "host energy", Unit::none,
                             known(account.host_energy, "--host-power-watts")});
  }
  if (!pue) {
    fields.fields.push_back({"overhead_energy_note", "cooling and distribution", Unit::none,
                             known(account.overhead_energy, "--pue")});
  }
  std::string parts = "device";
  if (host) parts += " + host";
  if (pue) parts += " + cooling";
  fields.fields.push_back({"facility_energy_joules", fmt::format("energy ({})", parts),
                           Unit::joules, account.facility_energy.value()});
  fields.fields.push_back({"facility_energy_kilowatt_hours", "", Unit::plain,
                           account.facility_energy.value() / joules_per_kilowatt_hour});
  fields.fields.push_back({"facility_energy_parts", "", Unit::none, parts});
  const auto facility = bounds(run.facility_energy_interval);
  fields.fields.push_back({"facility_energy_interval", "  90 % interval", Unit::none,
                           show_interval(run.facility_energy_interval, Unit::joules)});
  fields.fields.push_back({"facility_energy_lower_joules", "", Unit::joules, facility.first});
  fields.fields.push_back({"facility_energy_upper_joules", "", Unit::joules, facility.second});
  return fields;
}

// CO2 and money, which hang on what the user stated.
void add_consequences(Fields& fields, const Prediction& prediction) {
  const RunPrediction& run = *prediction.run;
  const Account& account = run.account;
  const Site& site = prediction.site;
  const auto emissions = bounds(run.emissions_interval);
  fields.fields.push_back({"emissions_kilograms", account.emissions ? "CO2 equivalent" : "",
                           Unit::kilograms, datum(account.emissions)});
  if (!account.emissions) {
    fields.fields.push_back({"emissions_note", "CO2 equivalent", Unit::none,
                             std::string("not stated (--region or --carbon-intensity)")});
  }
  fields.fields.push_back({"emissions_interval", account.emissions ? "  90 % interval" : "",
                           Unit::none, show_interval(run.emissions_interval, Unit::kilograms)});
  fields.fields.push_back({"emissions_lower_kilograms", "", Unit::kilograms, emissions.first});
  fields.fields.push_back({"emissions_upper_kilograms", "", Unit::kilograms, emissions.second});
  fields.fields.push_back({"electricity_cost", "", Unit::plain, datum(account.electricity_cost)});
  fields.fields.push_back({"gpu_cost", "", Unit::plain, datum(account.gpu_cost)});
  fields.fields.push_back({"total_cost", "", Unit::plain, datum(account.total_cost)});
  const auto& cost = run.cost_interval;
  const auto [cheapest, dearest] = bounds(cost);
  fields.fields.push_back({"total_cost_lower", "", Unit::plain, cheapest});
  fields.fields.push_back({"total_cost_upper", "", Unit::plain, dearest});
  fields.fields.push_back({"currency", "", Unit::none,
                           site.currency.empty() ? Datum(std::monostate{}) : Datum(site.currency)});
  if (account.electricity_cost) {
    fields.fields.push_back({"electricity_cost_text", "price of electricity", Unit::none,
                             money(account.electricity_cost, site.currency)});
  }
  if (account.gpu_cost) {
    fields.fields.push_back({"gpu_cost_text", "price of GPU hours", Unit::none,
                             money(account.gpu_cost, site.currency)});
  }
  fields.fields.push_back(
      {"total_cost_text", "cost", Unit::none,
       account.total_cost ? money(account.total_cost, site.currency)
                          : std::string("not stated (--price-per-kwh, --price-per-gpu-hour)")});
  if (cost) {
    fields.fields.push_back(
        {"total_cost_interval", "  90 % interval", Unit::none, money(*cost, site.currency)});
  }
}

Table assumption_table(const Prediction& prediction) {
  Table table{.key = "assumptions",
              .title = "Assumptions",
              .columns = {{"name", "what", Unit::none},
                          {"value", "value", Unit::none},
                          {"origin", "from", Unit::none}}};
  for (const Assumption& assumption : prediction.assumptions) {
    table.rows.push_back({assumption.name, assumption.value, assumption.origin});
  }
  return table;
}

// The operations, then the step and the run as rows of the same columns.
Table csv_of(const Prediction& prediction, const Table& operations) {
  Table csv = operations;
  csv.columns.insert(csv.columns.begin(), {"record", "record", Unit::none});
  for (const char* key :
       {"total_duration_lower_seconds", "total_duration_upper_seconds", "total_energy_lower_joules",
        "total_energy_upper_joules", "emissions_kilograms", "emissions_lower_kilograms",
        "emissions_upper_kilograms", "total_cost", "total_cost_lower", "total_cost_upper",
        "currency", "memory_bytes"}) {
    csv.columns.push_back({key, key, Unit::none});
  }
  for (auto& row : csv.rows) {
    row.emplace(row.begin(), std::string("operation"));
    row.resize(csv.columns.size());
  }
  const auto column = [&](std::string_view key) {
    const auto found = std::find_if(csv.columns.begin(), csv.columns.end(),
                                    [&](const Column& entry) { return entry.key == key; });
    return static_cast<std::size_t>(found - csv.columns.begin());
  };
  const auto set = [&](std::string_view key, Datum value) {
    csv.rows.back()[column(key)] = std::move(value);
  };
  const auto set_bounds = [&](std::string_view lower, std::string_view upper,
                              const std::pair<Datum, Datum>& interval) {
    set(lower, interval.first);
    set(upper, interval.second);
  };
  const auto set_energy_bounds = [&](const std::optional<Interval<Joules>>& interval) {
    set_bounds("total_energy_lower_joules", "total_energy_upper_joules", bounds(interval));
  };
  const auto set_time_bounds = [&](const std::optional<Interval<Seconds>>& interval) {
    set_bounds("total_duration_lower_seconds", "total_duration_upper_seconds", bounds(interval));
  };
  const auto add = [&](const char* record, Datum duration, Datum energy, std::int64_t count) {
    std::vector<Datum> row(csv.columns.size());
    row[0] = std::string(record);
    row[column("count")] = count;
    row[column("total_duration_seconds")] = std::move(duration);
    row[column("total_energy_joules")] = std::move(energy);
    csv.rows.push_back(std::move(row));
  };
  add("step", prediction.step.duration.value(), datum(prediction.step.energy), 1);
  set("flops", count_datum(prediction.step.flops.value()));
  set("bytes_moved", prediction.step.bytes_moved.value());
  set("hef", prediction.step.hef);
  set("power_watts", datum(prediction.step.average_power));
  set_time_bounds(prediction.step.duration_interval);
  set_energy_bounds(prediction.step.energy_interval);
  // Of the parts, what they hold at the moment that needs most: they sum to that of the step.
  if (prediction.memory) set("memory_bytes", prediction.memory->need.peak_bytes);
  if (!prediction.run) return csv;
  const RunPrediction& run = *prediction.run;
  const Account& account = run.account;
  add("run_device", run.duration.value(), account.device_energy.value(), run.steps);
  set_time_bounds(run.duration_interval);
  set_energy_bounds(run.device_energy_interval);
  if (account.host_energy) {
    add("run_host", run.duration.value(), datum(account.host_energy), run.steps);
  }
  if (account.overhead_energy) {
    add("run_overhead", run.duration.value(), datum(account.overhead_energy), run.steps);
  }
  add("run_facility", run.duration.value(), account.facility_energy.value(), run.steps);
  set_time_bounds(run.duration_interval);
  set_energy_bounds(run.facility_energy_interval);
  set("emissions_kilograms", datum(account.emissions));
  set_bounds("emissions_lower_kilograms", "emissions_upper_kilograms",
             bounds(run.emissions_interval));
  set("total_cost", datum(account.total_cost));
  if (run.cost_interval) {
    set("total_cost_lower", run.cost_interval->lower);
    set("total_cost_upper", run.cost_interval->upper);
  }
  if (!prediction.site.currency.empty()) set("currency", prediction.site.currency);
  return csv;
}

}  // namespace

Report report_prediction(const Prediction& prediction, const PredictionReportOptions& options) {
  Report report{.kind = "prediction"};
  report.title = fmt::format("{} on {}: {}", prediction.model.name, prediction.device.id,
                             name_training(prediction.setup));
  Table operations = operation_table(prediction);
  report.csv = csv_of(prediction, operations);
  if (options.statement) {
    report.kind = "statement";
    report.title.clear();
    report.sections.emplace_back(Paragraph{"statement", statement_of(prediction)});
    return report;
  }
  operations.for_people = options.phases;
  report.sections.emplace_back(describe_model(prediction.model, prediction.parameters));
  report.sections.emplace_back(describe_device(prediction.device, prediction.setup.precision));
  report.sections.emplace_back(describe_training(prediction.setup));
  report.sections.emplace_back(list_laws({&prediction, 1}));
  if (!options.phases) report.sections.emplace_back(group_table(prediction));
  report.sections.emplace_back(std::move(operations));
  if (prediction.paper) report.sections.emplace_back(paper_table(*prediction.paper));
  report.sections.emplace_back(step_fields(prediction));
  if (prediction.memory) {
    report.sections.emplace_back(list_memory(prediction.memory->need));
    report.sections.emplace_back(describe_memory(*prediction.memory));
  }
  if (prediction.run) {
    Fields run = run_fields(prediction);
    add_consequences(run, prediction);
    report.sections.emplace_back(std::move(run));
  }
  report.sections.emplace_back(assumption_table(prediction));
  report.sections.emplace_back(list_warnings_table(prediction.warnings));
  return report;
}

}  // namespace joulecast

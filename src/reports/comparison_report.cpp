// SPDX-License-Identifier: Apache-2.0
#include "reports/common.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

struct Quantity {
  std::string key;
  std::string title;
  Unit unit;
  std::optional<double> value;
  std::optional<Interval<double>> interval{};
  bool has_interval = false;  // a quantity of which intervals are known, though not of this one
};

template <class Q>
Quantity with_interval(Quantity quantity, const std::optional<Interval<Q>>& interval) {
  quantity.has_interval = true;
  if (!interval) return quantity;
  quantity.interval = Interval<double>{number_of(interval->lower), number_of(interval->upper)};
  return quantity;
}

// What is compared, in this order, for one prediction.
std::vector<Quantity> quantities_of(const Prediction& p) {
  const auto value = [](const auto& optional) {
    return optional ? std::optional<double>(optional->value()) : std::nullopt;
  };
  const StepPrediction& step = p.step;
  std::vector<Quantity> list = {
      {"parameters", "parameters", Unit::count, static_cast<double>(p.parameter_count)},
      {"step_flops", "FLOPs per step", Unit::flops, step.flops.value()},
      with_interval(
          {"step_duration_seconds", "time per step", Unit::seconds, step.duration.value()},
          step.duration_interval),
      with_interval({"step_energy_joules", "energy per step", Unit::joules, value(step.energy)},
                    step.energy_interval),
      {"step_average_power_watts", "average power", Unit::watts, value(step.average_power)},
      {"step_hef", "HEF of the step", Unit::fraction, step.hef}};
  if (!p.run) return list;
  const RunPrediction& run = *p.run;
  const Account& account = run.account;
  list.push_back({"steps", "steps", Unit::count, static_cast<double>(run.steps)});
  list.push_back(with_interval(
      {"run_duration_seconds", "time of the run", Unit::seconds, run.duration.value()},
      run.duration_interval));
  list.push_back(with_interval({"run_device_energy_joules", "device energy of the run",
                                Unit::joules, account.device_energy.value()},
                               run.device_energy_interval));
  list.push_back(with_interval({"run_facility_energy_joules", "energy of the run, all parts stated",
                                Unit::joules, account.facility_energy.value()},
                               run.facility_energy_interval));
  list.push_back(with_interval(
      {"run_emissions_kilograms", "CO2 equivalent", Unit::kilograms, value(account.emissions)},
      run.emissions_interval));
  const std::string currency = p.site.currency.empty() ? "" : " in " + p.site.currency;
  list.push_back(with_interval(
      {"run_total_cost", "cost" + currency, Unit::money, account.total_cost}, run.cost_interval));
  return list;
}

// "step_duration_seconds" -> "step_duration_lower_seconds"; money has no unit to keep last.
std::string bound_key(const Quantity& quantity, std::string_view bound) {
  const std::size_t unit = quantity.key.rfind('_');
  if (quantity.unit == Unit::money) return fmt::format("{}_{}", quantity.key, bound);
  return fmt::format("{}_{}{}", quantity.key.substr(0, unit), bound, quantity.key.substr(unit));
}

// A name for each prediction that no other has: model and, where there are several, device; file
// and number where models share their name.
std::vector<std::string> labels_of(const std::vector<Prediction>& predictions) {
  const bool several_devices = std::ranges::any_of(predictions, [&](const Prediction& prediction) {
    return prediction.device.id != predictions.front().device.id;
  });
  std::map<std::string, std::set<std::string>> files;  // by name of the model
  for (const Prediction& p : predictions) files[p.model.name].insert(p.model.file);
  std::map<std::string, int> met;
  std::vector<std::string> labels;
  for (const Prediction& p : predictions) {
    std::string label = p.model.name;
    if (files[p.model.name].size() > 1) label += fmt::format(" ({})", p.model.file);
    if (several_devices) label += " on " + p.device.id;
    const int place = ++met[label];
    labels.push_back(place == 1 ? label : fmt::format("{} [{}]", label, place));
  }
  return labels;
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

// For machines: one row per prediction, one column per quantity, bound and ratio.
Table machine_table(const std::vector<Prediction>& predictions) {
  Table table{.key = "predictions", .title = ""};
  table.for_people = false;
  table.columns = {{"prediction", "", Unit::none},    {"model", "", Unit::none},
                   {"model_sha256", "", Unit::none},  {"device", "", Unit::none},
                   {"device_sha256", "", Unit::none}, {"currency", "", Unit::none}};
  const std::vector<Quantity> first = quantities_of(predictions.front());
  for (const Quantity& quantity : first) {
    table.columns.push_back({quantity.key, "", quantity.unit});
    if (!quantity.has_interval) continue;
    table.columns.push_back({bound_key(quantity, "lower"), "", quantity.unit});
    table.columns.push_back({bound_key(quantity, "upper"), "", quantity.unit});
  }
  for (const Quantity& quantity : first) {
    table.columns.push_back({quantity.key + "_ratio", "", Unit::plain});
  }
  const std::vector<std::string> labels = labels_of(predictions);
  for (std::size_t p = 0; p < predictions.size(); ++p) {
    const Prediction& prediction = predictions[p];
    const std::string& currency = prediction.site.currency;
    std::vector<Datum> row = {labels[p],
                              prediction.model.name,
                              prediction.model.sha256,
                              prediction.device.id,
                              prediction.device.sha256,
                              currency.empty() ? Datum(std::monostate{}) : Datum(currency)};
    const std::vector<Quantity> own = quantities_of(prediction);
    for (const Quantity& quantity : own) {
      row.push_back(as_datum(quantity));
      if (!quantity.has_interval) continue;
      const auto [lower, upper] = bounds(quantity.interval);
      row.push_back(lower);
      row.push_back(upper);
    }
    for (std::size_t i = 0; i < own.size(); ++i) row.push_back(ratio(own[i], first[i]));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// The row of bounds below a quantity; nothing where no prediction has any.
std::optional<std::vector<Datum>> interval_row(const std::vector<std::vector<Quantity>>& all,
                                               std::size_t q) {
  std::vector<Datum> row = {std::string("  its 90 % interval")};
  bool known = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Quantity& quantity = all[i][q];
    known = known || quantity.interval.has_value();
    row.emplace_back(quantity.interval ? show_both(quantity.interval->lower,
                                                   quantity.interval->upper, quantity.unit)
                                       : std::string());
    if (i > 0) row.emplace_back(std::string());
  }
  return known ? std::optional(std::move(row)) : std::nullopt;
}

// For people: one row per quantity; every prediction with its ratio to the first.
Table people_table(const std::vector<Prediction>& predictions) {
  Table table{.key = "", .title = ""};
  table.for_machines = false;
  table.columns = {{"quantity", "quantity", Unit::none}};
  for (const std::string& label : labels_of(predictions)) {
    // Right-aligned like numbers: the cells are texts that hold numbers with units.
    const bool first = table.columns.size() == 1;
    table.columns.push_back({label, label, Unit::plain});
    if (!first) table.columns.push_back({label + " ratio", "ratio", Unit::plain});
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
    if (auto interval = interval_row(all, q)) table.rows.push_back(std::move(*interval));
  }
  return table;
}

// "all", the device or else the labels: whose these are, in as few words as there can be.
std::string name_group(const std::vector<Prediction>& predictions,
                       const std::vector<std::size_t>& group) {
  if (group.size() == predictions.size()) return "all";
  const std::string& device = predictions[group.front()].device.id;
  const auto on_device = [&](const Prediction& p) { return p.device.id == device; };
  const auto inside = std::ranges::count_if(
      group, [&](std::size_t place) { return on_device(predictions[place]); });
  const bool whole_device = inside == static_cast<std::ptrdiff_t>(group.size()) &&
                            inside == std::ranges::count_if(predictions, on_device);
  if (whole_device && group.size() > 1) return device;
  const std::vector<std::string> labels = labels_of(predictions);
  std::string names;
  for (const std::size_t place : group) names += (names.empty() ? "" : ", ") + labels[place];
  return names;
}

// Each assumption once, with the predictions that make it.
Table shared_assumptions(const std::vector<Prediction>& predictions) {
  Table table{.key = "assumptions",
              .title = "Assumptions",
              .columns = {{"name", "what", Unit::none},
                          {"value", "value", Unit::none},
                          {"origin", "from", Unit::none},
                          {"predictions", "of", Unit::none}}};
  std::vector<std::pair<Assumption, std::vector<std::size_t>>> list;
  for (std::size_t p = 0; p < predictions.size(); ++p) {
    for (const Assumption& assumption : predictions[p].assumptions) {
      const auto found = std::ranges::find(list, assumption, [](auto& e) { return e.first; });
      if (found == list.end()) {
        list.push_back({assumption, {p}});
      } else if (found->second.back() != p) {
        found->second.push_back(p);
      }
    }
  }
  for (const auto& [assumption, group] : list) {
    table.rows.push_back(
        {assumption.name, assumption.value, assumption.origin, name_group(predictions, group)});
  }
  return table;
}

}  // namespace

Report report_comparison(const std::vector<Prediction>& predictions) {
  assert(!predictions.empty());
  const Prediction& first = predictions.front();
  Report report{.kind = "comparison"};
  report.title = fmt::format("{}, {} GPU{}; ratios to the first", name_training(first.setup),
                             first.setup.num_gpus, first.setup.num_gpus == 1 ? "" : "s");
  Table machine = machine_table(predictions);
  report.csv = machine;
  report.sections.emplace_back(describe_training(first.setup));
  report.sections.emplace_back(list_laws(predictions));
  report.sections.emplace_back(std::move(machine));
  report.sections.emplace_back(people_table(predictions));
  report.sections.emplace_back(shared_assumptions(predictions));
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

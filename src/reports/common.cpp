// SPDX-License-Identifier: Apache-2.0
#include "reports/common.hpp"

#include <fmt/format.h>

namespace joulecast {

Fields describe_model(const Model& model, const std::vector<ParameterCount>& parameters) {
  std::int64_t total = 0;
  for (const ParameterCount& entry : parameters) total += entry.count;
  Fields fields{.key = "model", .title = "Model"};
  fields.fields = {{"name", "name", Unit::none, model.name},
                   {"family", "family", Unit::none, model.family},
                   {"file", "file", Unit::none, model.file},
                   {"sha256", "", Unit::none, model.sha256},
                   {"parameters", "parameters", Unit::count, total}};
  for (const ParameterCount& entry : parameters) {
    fields.fields.push_back({fmt::format("parameters_{}", entry.name),
                             fmt::format("  in {}", entry.name), Unit::count, entry.count});
  }
  for (const ParameterCount& entry : model.parameter_variants) {
    std::string title = entry.name;
    for (char& character : title) character = character == '_' ? ' ' : character;
    fields.fields.push_back({fmt::format("parameters_{}", entry.name), fmt::format("  {}", title),
                             Unit::count, entry.count});
  }
  return fields;
}

Fields describe_device(const Device& device, Precision precision) {
  Fields fields{.key = "device", .title = ""};
  fields.fields = {{"id", "", Unit::none, device.id},
                   {"name", "", Unit::none, device.name},
                   {"file", "", Unit::none, device.file},
                   {"sha256", "", Unit::none, device.sha256}};
  const auto peak = device.peak_flops_per_second.find(precision);
  if (peak != device.peak_flops_per_second.end()) {
    fields.fields.push_back(
        {"peak_flops_per_second", "", Unit::flops_per_second, peak->second.value.value()});
  }
  if (device.memory_bandwidth) {
    fields.fields.push_back({"memory_bandwidth_bytes_per_second", "", Unit::bytes_per_second,
                             device.memory_bandwidth->value.value()});
  }
  if (device.thermal_design_power) {
    fields.fields.push_back({"thermal_design_power_watts", "", Unit::watts,
                             device.thermal_design_power->value.value()});
  }
  return fields;
}

std::string name_training(const TrainingSetup& setup) {
  std::string text =
      fmt::format("{}, batch size {} per GPU", to_string(setup.precision), setup.batch_size);
  if (setup.sequence_length > 0) {
    text += fmt::format(", sequence length {}", setup.sequence_length);
  }
  if (setup.target_sequence_length) {
    text += fmt::format(", target sequence length {}", *setup.target_sequence_length);
  }
  return text;
}

Fields describe_training(const TrainingSetup& setup) {
  return {
      .key = "training",
      .title = "",
      .fields = {{"batch_size", "", Unit::count, setup.batch_size},
                 {"sequence_length", "", Unit::count, setup.sequence_length},
                 {"target_sequence_length", "", Unit::count, datum(setup.target_sequence_length)},
                 {"precision", "", Unit::none, std::string(to_string(setup.precision))},
                 {"optimizer", "", Unit::none, std::string(to_string(setup.optimizer))},
                 {"accumulation_steps", "", Unit::count, setup.accumulation_steps},
                 {"clip_gradients", "", Unit::none, setup.clip_gradients},
                 {"recomputation", "", Unit::none, std::string(to_string(setup.recomputation))},
                 {"num_gpus", "", Unit::count, setup.num_gpus},
                 {"convention", "", Unit::none, std::string(to_string(setup.convention))}}};
}

std::string show_both(double lower, double upper, Unit unit) {
  std::string first = show(lower, unit);
  std::string second = show(upper, unit);
  // Watt-hours stand beside many joules only; beside one bound alone they would confuse.
  const std::size_t hours = second.find(" (");
  if (unit == Unit::joules && first.find(" (") == std::string::npos && hours != std::string::npos) {
    second.resize(hours);
  }
  return first + " to " + second;
}

Table list_warnings_table(const std::vector<Warning>& warnings) {
  Table table{.key = "warnings",
              .title = "Warnings",
              .columns = {{"code", "code", Unit::none},
                          {"subject", "about", Unit::none},
                          {"message", "what it means", Unit::none}}};
  for (const Warning& warning : warnings) {
    table.rows.push_back({std::string(to_string(warning.code)), warning.subject, warning.message});
  }
  return table;
}

std::string money(const std::optional<double>& amount, const std::string& currency) {
  if (!amount) return "-";
  return fmt::format("{} {}", show(*amount, Unit::money),
                     currency.empty() ? "(currency of the price)" : currency);
}

std::string money(const Interval<double>& interval, const std::string& currency) {
  return fmt::format("{} to {}", show(interval.lower, Unit::money),
                     money(interval.upper, currency));
}

}  // namespace joulecast

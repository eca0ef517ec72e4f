// SPDX-License-Identifier: Apache-2.0
// Reports that list what there is: operations, devices, regions, explanations.
#include "reports/common.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

template <class Q>
void add_figure(Table& table, const char* name, Unit unit, const std::optional<Figure<Q>>& figure) {
  if (!figure) return;
  const double value = number_of(figure->value);
  const Datum shown = unit == Unit::count ? count_datum(value) : Datum(value);
  table.rows.push_back({std::string(name), shown, show(shown, unit), figure->source,
                        std::string(figure->unverified ? "unverified" : "")});
}

// People are not shown what is not stated.
std::string title(const char* shown, const std::string& value) {
  return value.empty() ? std::string() : std::string(shown);
}

Datum peak_of(const Device& device, Precision precision) {
  const auto found = device.peak_flops_per_second.find(precision);
  if (found == device.peak_flops_per_second.end()) return std::monostate{};
  return found->second.value.value();
}

// The precisions whose matrix products are predicted by laws of that origin. None without the power
// limit and the bandwidth, which every prediction needs.
std::string precisions_with(const Device& device, LawOrigin origin) {
  std::string names;
  if (!device.thermal_design_power || !device.memory_bandwidth) return names;
  for (const auto& [precision, peak] : device.peak_flops_per_second) {
    const auto measured = measured_precision_of(precision);
    const LawOrigin own = measured ? shipped_coverage(device, *measured) : LawOrigin::prior;
    if (own == origin) names += (names.empty() ? "" : " ") + std::string(to_string(precision));
  }
  return names;
}

Datum published_of(const ShippedModel& model) {
  if (!model.published_parameters) return std::monostate{};
  return *model.published_parameters;
}

// Why a device cannot be predicted as it stands; absent where it can.
Datum missing_figures(const Device& device) {
  std::string names;
  if (!device.thermal_design_power) names = "power limit";
  if (!device.memory_bandwidth) names += (names.empty() ? "" : " or ") + std::string("bandwidth");
  if (names.empty()) return std::monostate{};
  return fmt::format("no prediction: no {}", names);
}

template <class Q>
Datum value_of(const std::optional<Figure<Q>>& figure) {
  if (!figure) return std::monostate{};
  return number_of(figure->value);
}

}  // namespace

Report report_operations(const Model& model, const TrainingSetup& setup,
                         const std::vector<Operation>& operations,
                         const std::optional<MemoryNeed>& memory) {
  Report report{.kind = "operations"};
  report.title = fmt::format("Operations of one step of {}: {}", model.name, name_training(setup));
  Table table{.key = "operations",
              .title = "",
              .columns = {{"operation", "operation", Unit::none},
                          {"block", "block", Unit::none},
                          {"phase", "phase", Unit::none},
                          {"kind", "kind", Unit::none},
                          {"shape", "shape", Unit::none},
                          {"precision", "precision", Unit::none},
                          {"count", "count", Unit::count},
                          {"flops", "FLOPs each", Unit::flops},
                          {"bytes_moved", "bytes each", Unit::bytes},
                          {"total_flops", "FLOPs", Unit::flops}}};
  for (const Operation& operation : operations) {
    table.rows.push_back(
        {operation.name, operation.block, std::string(to_string(operation.phase)),
         std::string(to_string(operation.kind)), describe(operation.shape),
         std::string(to_string(operation.precision)), operation.count, operation.flops,
         operation.bytes_moved,
         static_cast<double>(operation.flops) * static_cast<double>(operation.count)});
  }
  report.csv = table;
  const auto parameters = count_parameters(model);
  report.sections.emplace_back(
      describe_model(model, parameters ? *parameters : std::vector<ParameterCount>{}));
  report.sections.emplace_back(describe_training(setup));
  report.sections.emplace_back(std::move(table));
  report.sections.emplace_back(Fields{
      .key = "step",
      .title = "One step on one GPU",
      .fields = {
          {"flops", "FLOPs", Unit::flops, total_flops(operations).value()},
          {"bytes_moved", "memory traffic", Unit::bytes, total_bytes_moved(operations).value()}}});
  if (memory) report.sections.emplace_back(list_memory(*memory));
  report.sections.emplace_back(list_warnings_table(model.warnings));
  return report;
}

Report report_devices(const std::vector<Device>& devices) {
  Report report{.kind = "devices"};
  Table table{.key = "devices",
              .title = "",
              .columns = {{"id", "id", Unit::none},
                          {"name", "name", Unit::none},
                          {"vendor", "", Unit::none},
                          {"architecture", "architecture", Unit::none},
                          {"launch_year", "year", Unit::year}}};
  for (const Precision precision : all_precisions) {
    const std::string name(to_string(precision));
    const bool shown = precision != Precision::fp4 && precision != Precision::int8;
    table.columns.push_back(
        {fmt::format("{}_flops_per_second", name), shown ? name : "", Unit::flops_per_second});
  }
  table.columns.push_back({"memory_bytes", "memory", Unit::bytes});
  table.columns.push_back(
      {"memory_bandwidth_bytes_per_second", "bandwidth", Unit::bytes_per_second});
  table.columns.push_back({"thermal_design_power_watts", "power limit", Unit::watts});
  table.columns.push_back({"measured", "measured", Unit::none});
  table.columns.push_back({"transferred", "transferred", Unit::none});
  table.columns.push_back({"prior", "prior", Unit::none});
  table.columns.push_back({"remark", "remark", Unit::none});
  table.columns.push_back({"file", "", Unit::none});
  for (const Device& device : devices) {
    std::vector<Datum> row = {
        device.id, device.name, device.vendor, device.architecture,
        device.launch_year == 0 ? Datum(std::monostate{}) : Datum(device.launch_year)};
    for (const Precision precision : all_precisions) row.push_back(peak_of(device, precision));
    row.push_back(value_of(device.memory));
    row.push_back(value_of(device.memory_bandwidth));
    row.push_back(value_of(device.thermal_design_power));
    for (const LawOrigin origin : {LawOrigin::fitted, LawOrigin::transferred, LawOrigin::prior}) {
      row.emplace_back(precisions_with(device, origin));
    }
    row.push_back(missing_figures(device));
    row.emplace_back(device.file);
    table.rows.push_back(std::move(row));
  }
  report.csv = table;
  report.sections.emplace_back(std::move(table));
  return report;
}

Report report_device(const Device& device) {
  Report report{.kind = "device", .title = fmt::format("{}: {}", device.id, device.name)};
  Fields about{.key = "device", .title = ""};
  std::string aliases;
  for (const std::string& alias : device.aliases) {
    aliases += (aliases.empty() ? "" : "; ") + alias;
  }
  about.fields = {
      {"id", "", Unit::none, device.id},
      {"name", "", Unit::none, device.name},
      {"vendor", "vendor", Unit::none, device.vendor},
      {"architecture", "architecture", Unit::none, device.architecture},
      {"launch_year", device.launch_year == 0 ? "" : "year", Unit::year,
       device.launch_year == 0 ? Datum(std::monostate{}) : Datum(device.launch_year)},
      {"aliases", title("also known as", aliases), Unit::none, aliases},
      {"confidence", title("confidence", device.confidence), Unit::none, device.confidence},
      {"interconnect_type", title("interconnect", device.interconnect_type), Unit::none,
       device.interconnect_type},
      {"notes", title("notes", device.notes), Unit::none, device.notes},
      {"file", "file", Unit::none, device.file},
      {"sha256", "", Unit::none, device.sha256}};
  report.sections.emplace_back(std::move(about));
  Table table{.key = "figures",
              .title = "Figures",
              .columns = {{"figure", "figure", Unit::none},
                          {"value_si", "", Unit::plain},
                          {"shown", "value", Unit::none},
                          {"source", "source", Unit::none},
                          {"remark", "remark", Unit::none}}};
  for (const auto& [precision, figure] : device.peak_flops_per_second) {
    add_figure(table, fmt::format("peak {}", to_string(precision)).c_str(), Unit::flops_per_second,
               std::optional(figure));
  }
  add_figure(table, "memory", Unit::bytes, device.memory);
  add_figure(table, "memory bandwidth", Unit::bytes_per_second, device.memory_bandwidth);
  add_figure(table, "power limit", Unit::watts, device.thermal_design_power);
  add_figure(table, "multiprocessors", Unit::count, device.multiprocessors);
  add_figure(table, "L2 cache", Unit::bytes, device.l2_cache);
  add_figure(table, "interconnect bandwidth", Unit::bytes_per_second,
             device.interconnect_bandwidth);
  report.csv = table;
  report.sections.emplace_back(std::move(table));
  return report;
}

Report report_models(const std::vector<ShippedModel>& models) {
  Report report{.kind = "models"};
  Table table{.key = "models",
              .title = "",
              .columns = {{"id", "model", Unit::none},
                          {"family", "family", Unit::none},
                          {"parameters", "parameters", Unit::count},
                          {"active_parameters", "active", Unit::count},
                          {"published_parameters", "", Unit::plain},
                          {"source", "source", Unit::none},
                          {"verified", "", Unit::none},
                          {"notes", "", Unit::none}}};
  for (const ShippedModel& model : models) {
    table.rows.push_back({model.id, model.family, model.parameters, model.active_parameters,
                          published_of(model), model.source,
                          std::string(model.unverified ? "unverified" : "read"), model.notes});
  }
  report.csv = table;
  report.sections.emplace_back(std::move(table));
  return report;
}

Report report_regions(const std::vector<Region>& regions) {
  Report report{.kind = "regions"};
  Table table{.key = "regions",
              .title = "",
              .columns = {{"id", "region", Unit::none},
                          {"name", "name", Unit::none},
                          {"carbon_intensity_kilograms_per_joule", "", Unit::plain},
                          {"carbon_intensity_grams_per_kilowatt_hour", "carbon intensity",
                           Unit::grams_per_kilowatt_hour},
                          {"year", "year", Unit::year},
                          {"source", "", Unit::none}}};
  for (const Region& region : regions) {
    table.rows.push_back({region.id, region.name, region.carbon_intensity.value(),
                          region.carbon_intensity.value() * 1e3 * joules_per_kilowatt_hour,
                          region.year, region.source});
  }
  report.csv = table;
  report.sections.emplace_back(std::move(table));
  if (!regions.empty()) {
    report.sections.emplace_back(Paragraph{"", "Source: " + regions.front().source});
  }
  return report;
}

Report report_explanation(const Explanation& explanation, const Prediction& prediction) {
  Report report{.kind = "explanation", .title = explanation.subject};
  Table table{.key = "steps",
              .title = "",
              .columns = {{"quantity", "", Unit::none},
                          {"formula", "", Unit::none},
                          {"substituted", "", Unit::none},
                          {"result", "", Unit::none},
                          {"source", "", Unit::none},
                          {"range", "", Unit::none}}};
  table.for_people = false;
  report.sections.emplace_back(Fields{
      .key = "subject", .title = "", .fields = {{"name", "", Unit::none, explanation.subject}}});
  // People see them in the formulas; machines tell by them whether two numbers belong together.
  Fields model = describe_model(prediction.model, prediction.parameters);
  for (Field& field : model.fields) field.title.clear();
  report.sections.emplace_back(std::move(model));
  report.sections.emplace_back(describe_device(prediction.device, prediction.setup.precision));
  report.sections.emplace_back(describe_training(prediction.setup));
  report.sections.emplace_back(list_laws({&prediction, 1}, explanation.law_ids));
  for (const ExplanationStep& step : explanation.steps) {
    table.rows.push_back(
        {step.quantity, step.formula, step.substituted, step.result, step.source, step.range});
    report.sections.emplace_back(Fields{.key = "",
                                        .title = step.quantity,
                                        .fields = {{"", "formula", Unit::none, step.formula},
                                                   {"", "numbers", Unit::none, step.substituted},
                                                   {"", "result", Unit::none, step.result},
                                                   {"", "source", Unit::none, step.source},
                                                   {"", "range", Unit::none, step.range}}});
  }
  report.csv = table;
  report.sections.emplace_back(std::move(table));
  report.sections.emplace_back(list_warnings_table(explanation.warnings));
  return report;
}

}  // namespace joulecast

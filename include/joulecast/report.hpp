// SPDX-License-Identifier: Apache-2.0
#pragma once

// How is a result shown? A report is a list of sections (fields, tables, paragraphs) with raw SI
// values; one renderer per format turns it into text, Markdown, CSV or JSON. JSON and CSV carry
// every digit with the unit in the key; text and Markdown carry four digits with the unit beside
// the number. Nothing is computed here.

#include <joulecast/ecai2025.hpp>
#include <joulecast/explanation.hpp>
#include <joulecast/fit.hpp>
#include <joulecast/measurement.hpp>
#include <joulecast/meter.hpp>
#include <joulecast/prediction.hpp>
#include <joulecast/region.hpp>
#include <joulecast/regression.hpp>
#include <joulecast/reproduction.hpp>
#include <joulecast/shipped_model.hpp>
#include <joulecast/validation.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace joulecast {

enum class Format { text, markdown, csv, json };

// The unit of a value, which decides how people see it. `plain` numbers are shown as they are.
enum class Unit {
  none,  // a text or truth value
  plain,
  count,
  year,
  fraction,
  seconds,
  joules,
  watts,
  flops,
  flops_per_second,
  bytes,
  bytes_per_second,
  kilograms,
  grams_per_kilowatt_hour,
  money,
  hertz,
  celsius,
};

// Absent values are `null` in JSON, empty in CSV and a dash in text.
using Datum = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct Field {
  std::string key{};    // e.g. "duration_seconds": the unit is the last word
  std::string title{};  // e.g. "time"; empty hides the field from people
  Unit unit = Unit::none;
  Datum value{};
};

struct Fields {
  std::string key{};
  std::string title{};
  std::vector<Field> fields{};
};

struct Column {
  std::string key{};
  std::string title{};  // empty hides the column from people
  Unit unit = Unit::none;
};

struct Table {
  std::string key{};
  std::string title{};
  std::vector<Column> columns{};
  std::vector<std::vector<Datum>> rows{};
  bool for_people = true;    // shown as text and Markdown
  bool for_machines = true;  // shown as JSON
};

// Shown to people only, unless it has a key.
struct Paragraph {
  std::string key{};
  std::string text{};
};

using Section = std::variant<Fields, Table, Paragraph>;

struct Report {
  std::string kind{};   // "prediction", "comparison", ...
  std::string title{};  // for people
  std::vector<Section> sections{};
  Table csv{};  // what --format csv prints
};

struct RenderOptions {
  bool colour = false;
};

std::string render(const Report& report, Format format, const RenderOptions& options = {});

// The file appears, or is replaced, once it is complete. Errors: not_found, io.
Result<void> save_report(const std::filesystem::path& path, const Report& report, Format format);

std::optional<Format> format_from(std::string_view name);

// "35.08 us", "1.2 kWh": a value with its unit, as people read it.
std::string show(const Datum& value, Unit unit);

struct PredictionReportOptions {
  bool phases = false;     // one row per operation and phase instead of one per operation
  bool statement = false;  // a paragraph for a paper or model card, with BibTeX
};

Report report_prediction(const Prediction& prediction, const PredictionReportOptions& options = {});
// `memory` is absent under the paper's convention.
Report report_operations(const Model& model, const TrainingSetup& setup,
                         const std::vector<Operation>& operations,
                         const std::optional<MemoryNeed>& memory = std::nullopt);
// Side by side; ratios are to the first. Requires at least one prediction.
Report report_comparison(const std::vector<Prediction>& predictions);
Report report_models(const std::vector<ShippedModel>& models);
Report report_devices(const std::vector<Device>& devices);
Report report_device(const Device& device);
Report report_regions(const std::vector<Region>& regions);
// `prediction` is the one explained.
Report report_explanation(const Explanation& explanation, const Prediction& prediction);
Report report_reproduction(const Reproduction& reproduction);
// `output` is where the table went.
// `directory` is where the laws went.
Report report_fits(const LawFits& fits, const std::string& directory);
Report report_regression(const Regression& regression);
Report report_validation(const Validation& validation);
Report report_import(const Import& imported, const std::string& output);

// A command that ran under the meter.
struct MeasuredCommand {
  std::vector<std::string> command{};
  bool finished = true;  // else the figures are those up to now
  std::optional<std::int64_t> exit_code{};
  std::optional<std::int64_t> signal{};  // that ended it
  // Of the command and those of its children that it or the meter waited for.
  Seconds user_time{};
  Seconds system_time{};
  Bytes peak_memory{};                // the largest resident set of one process
  std::optional<MeterRecord> idle{};  // before the command
  Seconds meter_time{};               // processor time of the meter itself
};

Report report_measurement(const MeterRecord& record, const MeasuredCommand& command);
// The same without a command.
Report report_watch(const MeterRecord& record);

}  // namespace joulecast

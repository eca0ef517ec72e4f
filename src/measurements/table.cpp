// SPDX-License-Identifier: Apache-2.0
// The measurement table: CSV with these columns and no others, one schema version per file.
#include "documents/csv.hpp"
#include "documents/hash.hpp"
#include "documents/save.hpp"
#include "measurements/names.hpp"
#include "measurements/shape_text.hpp"
#include "measurements/source_table.hpp"

#include <joulecast/suggest.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

enum Column : std::size_t {
  schema_version_column,
  record_column,
  source_column,
  device_column,
  software_column,
  operation_column,
  phase_column,
  precision_column,
  shape_column,
  duration_column,
  power_column,
  energy_column,
  energy_kind_column,
  power_limit_column,
  marks_column,
  column_count,
};

const std::vector<std::string> column_names = {"schema_version", "record",
                                               "source",         "device",
                                               "software",       "operation",
                                               "phase",          "precision",
                                               "shape",          "duration_seconds",
                                               "power_watts",    "energy_joules",
                                               "energy_kind",    "power_limit_watts",
                                               "marks"};

std::string joined_names() {
  std::string names;
  for (const std::string& name : column_names) names += (names.empty() ? "" : ",") + name;
  return names;
}

// One row after the other, the first error kept with its place.
class RowReader {
 public:
  explicit RowReader(const SourceTable& table) : table_(table) {}

  Result<Measurement> read(std::size_t row) {
    row_ = row;
    error_.reset();
    Measurement measurement;
    check_version();
    measurement.source = text(source_column);
    measurement.device = text(device_column);
    measurement.software = field(software_column);
    measurement.operation = text(operation_column);
    measurement.phase = name(phase_column, measured_phase_from, "a phase");
    measurement.precision = name(precision_column, measured_precision_from, "a precision");
    measurement.shape = shape(measurement.operation);
    measurement.duration = Seconds{positive(duration_column).value_or(0.0)};
    if (measurement.duration.value() == 0.0) refuse(duration_column, "a positive number");
    if (const auto value = positive(power_column)) measurement.power = Watts{*value};
    if (const auto value = positive(energy_column)) measurement.energy = Joules{*value};
    if (const auto value = positive(power_limit_column)) measurement.power_limit = Watts{*value};
    measurement.energy_kind = name(energy_kind_column, energy_kind_from, "a kind of energy");
    measurement.marks = marks();
    check_record(measurement);
    check_energy(measurement);
    if (error_) return std::unexpected(*error_);
    return measurement;
  }

 private:
  std::string_view field(Column column) { return table_.field(row_, column); }

  void fail(Column column, std::string message, std::string remedy = "") {
    if (!error_) error_ = table_.bad_field(row_, column, std::move(message), std::move(remedy));
  }
  void refuse(Column column, std::string_view wanted) {
    fail(column, fmt::format("expected {}, got \"{}\"", wanted, field(column).substr(0, 80)));
  }

  void check_version() {
    if (field(schema_version_column) == fmt::format("{}", measurement_schema_version)) return;
    refuse(schema_version_column, fmt::format("{}", measurement_schema_version));
    error_->remedy = "a newer table needs a newer joulecast";
  }

  std::string text(Column column) {
    if (field(column).empty()) refuse(column, "a text");
    return std::string(field(column));
  }

  template <class Value>
  Value name(Column column, std::optional<Value> (*find)(std::string_view),
             std::string_view wanted) {
    const std::optional<Value> found = find(field(column));
    if (!found) refuse(column, wanted);
    return found.value_or(Value{});
  }

  std::optional<double> positive(Column column) {
    if (field(column).empty()) return {};
    const auto value = table_.number(row_, column);
    if (!value) {
      if (!error_) error_ = value.error();
      return {};
    }
    if (*value <= 0.0) refuse(column, "a positive number");
    return *value;
  }

  MeasuredShape shape(const std::string& operation) {
    const MeasuredOperation* known = find_measured_operation(operation);
    if (known == nullptr) {
      const std::vector<std::string> names(measured_operations().begin(),
                                           measured_operations().end());
      fail(operation_column, fmt::format("unknown operation \"{}\"", operation.substr(0, 80)),
           did_you_mean(operation, names));
      return {};
    }
    auto parsed = parse_shape(known->shape, field(shape_column));
    if (!parsed) {
      fail(shape_column, parsed.error().message, parsed.error().remedy);
      return {};
    }
    return *std::move(parsed);
  }

  MarkSet marks() {
    MarkSet set;
    std::string_view rest = field(marks_column);
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(';'));
      const auto mark = mark_from(word);
      if (!mark) {
        fail(marks_column, fmt::format("unknown mark \"{}\"", word.substr(0, 80)));
        return set;
      }
      set.add(*mark);
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    }
    return set;
  }

  void check_record(const Measurement& measurement) {
    const std::string_view stated = field(record_column);
    if (error_ || stated == to_string(measurement.record())) return;
    fail(record_column,
         fmt::format("expected {} for the operation \"{}\", got \"{}\"",
                     to_string(measurement.record()), measurement.operation, stated.substr(0, 80)));
  }

  // A figure without its kind could be mixed with others; a kind without a figure means nothing.
  void check_energy(const Measurement& measurement) {
    const bool measured = measurement.power.has_value() || measurement.energy.has_value();
    if (measured != (measurement.energy_kind != EnergyKind::none)) {
      fail(energy_kind_column, measured ? "power or energy is given without its kind"
                                        : "there is a kind of energy, but no power or energy");
    }
    if (!measurement.power || !measurement.energy || error_) return;
    const double product = measurement.power->value() * measurement.duration.value();
    if (std::abs(measurement.energy->value() / product - 1.0) > 0.01) {
      fail(energy_column,
           fmt::format("{} J is not power times duration, {} J", measurement.energy->value(),
                       product),
           "check the units; leave one of them empty if they were measured apart");
    }
  }

  const SourceTable& table_;
  std::size_t row_ = 0;
  std::optional<Error> error_{};
};

void append_field(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char character : text) {
    if (character == '"') out += '"';
    out += character;
  }
  out += '"';
}

template <class Q>
void append_quantity(std::string& out, const std::optional<Q>& quantity) {
  if (quantity) fmt::format_to(std::back_inserter(out), "{}", quantity->value());
}

void append_row(std::string& out, const Measurement& row) {
  fmt::format_to(std::back_inserter(out), "{},{},", measurement_schema_version,
                 to_string(row.record()));
  for (const std::string* text : {&row.source, &row.device, &row.software, &row.operation}) {
    append_field(out, *text);
    out += ',';
  }
  fmt::format_to(std::back_inserter(out), "{},{},", to_string(row.phase), to_string(row.precision));
  append_field(out, describe(row.shape));
  fmt::format_to(std::back_inserter(out), ",{},", row.duration.value());
  append_quantity(out, row.power);
  out += ',';
  append_quantity(out, row.energy);
  fmt::format_to(std::back_inserter(out), ",{},", to_string(row.energy_kind));
  append_quantity(out, row.power_limit);
  out += ',';
  out += describe(row.marks);
  out += '\n';
}

Result<std::vector<Measurement>> read_rows(CsvTable csv) {
  const auto table = SourceTable::open(std::move(csv), column_names, TableStrictness::exact);
  if (!table) return std::unexpected(table.error());
  std::vector<Measurement> measurements;
  measurements.reserve(table->row_count());
  RowReader reader(*table);
  for (std::size_t row = 0; row < table->row_count(); ++row) {
    auto measurement = reader.read(row);
    if (!measurement) return std::unexpected(measurement.error());
    measurements.push_back(*std::move(measurement));
  }
  return measurements;
}

}  // namespace

Result<std::vector<Measurement>> parse_measurements(std::string_view text, std::string file) {
  auto csv = parse_csv(text, std::move(file));
  if (!csv) return std::unexpected(csv.error());
  return read_rows(*std::move(csv));
}

Result<std::vector<Measurement>> read_measurements(const std::filesystem::path& path) {
  auto csv = read_csv_file(path.string());
  if (!csv) return std::unexpected(csv.error());
  return read_rows(*std::move(csv));
}

std::string write_measurements(std::span<const Measurement> measurements) {
  std::string text = joined_names() + "\n";
  text.reserve(160 * (measurements.size() + 1));
  for (const Measurement& measurement : measurements) append_row(text, measurement);
  return text;
}

Result<void> save_measurements(const std::filesystem::path& path,
                               std::span<const Measurement> measurements) {
  return save_text(path, write_measurements(measurements));
}

std::string hash_of(const Measurement& row) {
  std::string identity = fmt::format("joulecast measurement 1\n{}\n{}\n{}\n{}\n", row.device,
                                     row.operation, to_string(row.phase), to_string(row.precision));
  append_shape(identity, row.shape);
  fmt::format_to(std::back_inserter(identity), "\n{}\n", row.duration.value());
  append_quantity(identity, row.power);
  identity += '\n';
  append_quantity(identity, row.energy);
  fmt::format_to(std::back_inserter(identity), "\n{}", to_string(row.energy_kind));
  return sha256(identity).substr(0, 16);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the importers share: which rows were seen before, on which device a row ran, and where in
// the sources each measurement stands.

#include "documents/value.hpp"
#include "measurements/source_table.hpp"

#include <joulecast/measurement.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace joulecast {

// What a meter may have written, in SI units.
inline constexpr Range any_energy{0.0, 1e15};
inline constexpr Range any_power{1e-3, 1e6};

class Collector {
 public:
  Collector(const ImportRequest& request, const DeviceCatalogue& devices)
      : request_(request), devices_(devices) {}

  // From here on, measurements come from this file.
  void begin_file(const std::filesystem::path& file);
  [[nodiscard]] const std::filesystem::path& file() const { return files_.back(); }
  // Where file names do not tell files apart.
  void name_source(std::string_view name);

  // Room for that many more.
  void expect(std::size_t rows);

  // The device that a file calls so, unless --device states one.
  Result<const Device*> reported_device(const std::string& name, const Location& place);

  // What else the request states.
  [[nodiscard]] const ImportRequest& request() const { return request_; }

  // One row more of the source that is no table.
  void count_row() { ++source_rows_; }

  // False for an exact copy of a row that came before, in this file or another of its kind, on the
  // same device; the copy is counted.
  bool take(const SourceTable& table, std::size_t row, const Device& device);

  // The device of --device. Errors: usage, where it is missing; not_found.
  Result<const Device*> flag_device();
  // The device of --device, else the one that the file's place states.
  Result<const Device*> device_or(const std::optional<std::string>& name);
  // The one that a field names. Errors: usage, where --device is given as well; not_found.
  Result<const Device*> named_device(const SourceTable& table, std::size_t row, std::size_t column);

  // A measurement to fill in: its source, software and device are set, its phase is forward.
  [[nodiscard]] Measurement start(const Device& device, std::string_view operation) const;
  // Errors: value, if the shape is impossible.
  Result<void> add(Measurement measurement, const Location& place);

  // Used by the checks that follow.
  std::vector<Measurement> measurements{};
  [[nodiscard]] Location locate(std::size_t measurement) const;
  [[nodiscard]] std::int64_t source_rows() const { return source_rows_; }
  [[nodiscard]] std::int64_t exact_copies() const { return exact_copies_; }
  std::int64_t failed_rows = 0;
  std::int64_t not_held_out = 0;

 private:
  struct Place {
    std::size_t file = 0;
    int line = 0;
  };

  Result<const Device*> find(const std::string& name, const Location& place);

  const ImportRequest& request_;
  const DeviceCatalogue& devices_;
  std::vector<std::filesystem::path> files_{};
  std::string source_{};
  std::vector<Place> places_{};
  std::unordered_set<std::string> seen_{};
  std::map<std::string, const Device*, std::less<>> found_{};
  std::string key_{};
  std::int64_t source_rows_ = 0;
  std::int64_t exact_copies_ = 0;
};

// One reader per format; each takes a file as it stands and adds what it says.
Result<void> import_ecai2025_ops(CsvTable csv, Collector& collector);
Result<void> import_ecai2025_lstm_ops(CsvTable csv, Collector& collector);
Result<void> import_aiconfigurator_gemm(CsvTable csv, Collector& collector);
Result<void> import_aiconfigurator_attention(CsvTable csv, Collector& collector);
Result<void> import_aiconfigurator_encoder_attention(CsvTable csv, Collector& collector);
Result<void> import_aiconfigurator_moe(CsvTable csv, Collector& collector);
Result<void> import_aiconfigurator_computescale(CsvTable csv, Collector& collector);
Result<void> import_neusight_ops(CsvTable csv, Collector& collector);
Result<void> import_vidur_ops(CsvTable csv, Collector& collector);
// The two that are no tables.
Result<void> import_campaign(std::string_view text, Collector& collector);
Result<void> import_meter_report(std::string_view text, Collector& collector);

// An optional column that is absent must not hide under another name.
Result<bool> has_optional_column(const CsvTable& csv, const std::string& column);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// From foreign files to measurements: read, check, mark, count.
#include "measurements/checks.hpp"
#include "measurements/collector.hpp"

#include <joulecast/suggest.hpp>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joulecast {
namespace {

using TableReader = Result<void> (*)(CsvTable csv, Collector& collector);
using TextReader = Result<void> (*)(std::string_view text, Collector& collector);

struct FormatReader {
  std::string_view name;
  std::variant<TableReader, TextReader> import;
};

constexpr std::array formats = {
    FormatReader{"ecai2025-ops", import_ecai2025_ops},
    FormatReader{"ecai2025-lstm-ops", import_ecai2025_lstm_ops},
    FormatReader{"aiconfigurator-gemm", import_aiconfigurator_gemm},
    FormatReader{"aiconfigurator-attention", import_aiconfigurator_attention},
    FormatReader{"aiconfigurator-encoder-attention", import_aiconfigurator_encoder_attention},
    FormatReader{"aiconfigurator-moe", import_aiconfigurator_moe},
    FormatReader{"aiconfigurator-computescale", import_aiconfigurator_computescale},
    FormatReader{"neusight-ops", import_neusight_ops},
    FormatReader{"vidur-ops", import_vidur_ops},
    FormatReader{"campaign", import_campaign},
    FormatReader{"measure", import_meter_report},
};

Result<const FormatReader*> find_format(const std::string& name) {
  const auto found = std::ranges::find(formats, name, &FormatReader::name);
  if (found != formats.end()) return &*found;
  const std::vector<std::string> known = import_formats();
  const std::string hint = did_you_mean(name, known);
  return std::unexpected(
      Error{ErrorKind::not_found, fmt::format("unknown format \"{}\"", name.substr(0, 80)),
            Location{.file = {}, .path = "FORMAT"},
            hint.empty() ? fmt::format("choose one of: {}", fmt::join(known, ", ")) : hint});
}

Result<void> import_file(const FormatReader& format, const std::filesystem::path& file,
                         Collector& collector) {
  if (const auto* import = std::get_if<TextReader>(&format.import)) {
    const auto text = read_text_file(file);
    return text ? (*import)(*text, collector) : std::unexpected(text.error());
  }
  auto csv = read_csv_file(file.string());
  if (!csv) return std::unexpected(csv.error());
  return std::get<TableReader>(format.import)(*std::move(csv), collector);
}

Result<void> refuse_unit_slips(const Collector& collector, const DeviceCatalogue& devices) {
  for (std::size_t i = 0; i < collector.measurements.size(); ++i) {
    const Measurement& measurement = collector.measurements[i];
    const auto slip = find_unit_slip(measurement, device_of(measurement, devices));
    if (!slip) continue;
    return std::unexpected(Error{ErrorKind::value, *slip, collector.locate(i),
                                 "is the duration in another unit, or of another device?"});
  }
  return {};
}

std::vector<MeasurementCount> count_groups(const std::vector<Measurement>& measurements) {
  using Key = std::tuple<std::string_view, std::string_view, MeasuredPrecision>;
  std::map<Key, MeasurementCount> groups;
  for (const Measurement& row : measurements) {
    MeasurementCount& count = groups[Key{row.device, row.operation, row.precision}];
    ++count.rows;
    count.doubted_durations += row.marks.doubts_duration() ? 1 : 0;
    const bool has_power = row.power || row.energy;
    count.with_power += has_power ? 1 : 0;
    count.doubted_powers += has_power && row.marks.doubts_power() ? 1 : 0;
  }
  std::vector<MeasurementCount> counts;
  for (auto& [key, count] : groups) {
    std::tie(count.device, count.operation, count.precision) = key;
    counts.push_back(std::move(count));
  }
  return counts;
}

}  // namespace

std::vector<std::string> import_formats() {
  std::vector<std::string> names;
  for (const FormatReader& format : formats) names.emplace_back(format.name);
  return names;
}

Result<Import> import_measurements(const ImportRequest& request, const DeviceCatalogue& devices) {
  const auto format = find_format(request.format);
  if (!format) return std::unexpected(format.error());
  Collector collector(request, devices);
  for (const std::filesystem::path& file : request.files) {
    collector.begin_file(file);
    if (auto read = import_file(**format, file, collector); !read) {
      return std::unexpected(read.error());
    }
  }
  if (auto checked = refuse_unit_slips(collector, devices); !checked) {
    return std::unexpected(checked.error());
  }
  mark_faster_than_peak(collector.measurements, devices);
  mark_repeats(collector.measurements);
  mark_power_labels(collector.measurements);
  Import result{.format = request.format,
                .source_rows = collector.source_rows(),
                .exact_copies = collector.exact_copies(),
                .failed_rows = collector.failed_rows,
                .not_held_out = collector.not_held_out};
  result.measurements = std::move(collector.measurements);
  result.counts = count_groups(result.measurements);
  for (std::size_t i = 0; i < all_marks.size(); ++i) {
    result.mark_counts[i] = std::ranges::count_if(
        result.measurements, [&](const Measurement& row) { return row.marks.has(all_marks[i]); });
  }
  return result;
}

}  // namespace joulecast

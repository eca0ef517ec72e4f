// SPDX-License-Identifier: Apache-2.0
#include <joulecast/report.hpp>

namespace joulecast {

Report report_import(const Import& imported, const std::string& output) {
  Report report{.kind = "import", .title = "Imported " + imported.format};
  report.sections.emplace_back(Fields{
      .key = "import",
      .title = "",
      .fields = {{"format", "", Unit::none, imported.format},
                 {"output", "table", Unit::none, output},
                 {"source_rows", "rows read", Unit::count, imported.source_rows},
                 {"exact_copies", "exact copies left out", Unit::count, imported.exact_copies},
                 {"failed_rows", imported.failed_rows > 0 ? "failed, left out" : "", Unit::count,
                  imported.failed_rows},
                 {"not_held_out", imported.not_held_out > 0 ? "not held out, left out" : "",
                  Unit::count, imported.not_held_out},
                 {"measurements", "measurements", Unit::count,
                  static_cast<std::int64_t>(imported.measurements.size())}}});
  Table counts{.key = "counts",
               .title = "Measurements",
               .columns = {{"device", "device", Unit::none},
                           {"operation", "operation", Unit::none},
                           {"precision", "precision", Unit::none},
                           {"rows", "rows", Unit::count},
                           {"doubted_durations", "time doubted", Unit::count},
                           {"with_power", "with power", Unit::count},
                           {"doubted_powers", "power doubted", Unit::count}}};
  for (const MeasurementCount& count : imported.counts) {
    counts.rows.push_back({count.device, count.operation, std::string(to_string(count.precision)),
                           count.rows, count.doubted_durations, count.with_power,
                           count.doubted_powers});
  }
  report.csv = counts;
  report.sections.emplace_back(std::move(counts));
  Table marks{.key = "marks",
              .title = "Marks",
              .columns = {{"mark", "mark", Unit::none},
                          {"doubts", "doubts", Unit::none},
                          {"rows", "rows", Unit::count}}};
  for (std::size_t i = 0; i < all_marks.size(); ++i) {
    marks.rows.push_back({std::string(to_string(all_marks[i])),
                          std::string(doubts_duration(all_marks[i]) ? "time" : "power"),
                          imported.mark_counts[i]});
  }
  report.sections.emplace_back(std::move(marks));
  return report;
}

}  // namespace joulecast

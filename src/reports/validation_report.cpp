// SPDX-License-Identifier: Apache-2.0
#include "reports/common.hpp"
#include "reports/measured_steps.hpp"

#include <joulecast/validation.hpp>

#include <algorithm>
#include <span>
#include <tuple>

#include <fmt/format.h>

namespace joulecast {
namespace {

std::string text(std::string_view name) { return std::string(name); }

Table empty_groups() {
  return {.key = "groups",
          .columns = {{"set", "set", Unit::none},
                      {"device", "", Unit::none},
                      {"precision", "", Unit::none},
                      {"operation", "", Unit::none},
                      {"regime", "regime", Unit::none},
                      {"quantity", "of", Unit::none},
                      {"count", "rows", Unit::count},
                      {"mape", "mean", Unit::fraction},
                      {"median_ape", "median", Unit::fraction},
                      {"p90_ape", "p90", Unit::fraction},
                      {"bias", "bias", Unit::fraction},
                      {"r2", "R2", Unit::fraction},
                      {"r2_log", "R2 of logs", Unit::fraction},
                      {"coverage_90", "in 90 %", Unit::fraction}}};
}

std::vector<Datum> cells(const ValidationGroup& group) {
  const ErrorMetrics& metrics = group.metrics;
  return {text(to_string(group.set)),
          group.device,
          text(to_string(group.precision)),
          group.operation,
          text(to_string(group.regime)),
          text(to_string(group.quantity)),
          metrics.count,
          metrics.mape,
          metrics.median_ape,
          metrics.p90_ape,
          metrics.bias,
          datum(metrics.r2),
          datum(metrics.r2_log),
          datum(metrics.coverage_90)};
}

bool same_subject(const ValidationGroup& a, const ValidationGroup& b) {
  return std::tie(a.device, a.operation, a.precision) ==
         std::tie(b.device, b.operation, b.precision);
}

bool is_unmarked(ValidationSet set) {
  return set == ValidationSet::out_of_sample_unmarked || set == ValidationSet::in_sample_unmarked;
}

// Without marked rows a group is the same both ways, which people need to read once. `own` are the
// groups of its subject.
bool repeats_another(const ValidationGroup& group, std::span<const ValidationGroup> own) {
  if (!is_unmarked(group.set)) return false;
  const ValidationSet whole = group.set == ValidationSet::out_of_sample_unmarked
                                  ? ValidationSet::out_of_sample
                                  : ValidationSet::in_sample;
  return std::ranges::any_of(own, [&](const ValidationGroup& other) {
    return other.set == whole && other.regime == group.regime && other.quantity == group.quantity &&
           other.metrics.count == group.metrics.count;
  });
}

// For machines: all groups, each with what it is of.
Table list_groups(const Validation& validation) {
  Table table = empty_groups();
  table.for_people = false;
  for (const ValidationGroup& group : validation.groups) table.rows.push_back(cells(group));
  return table;
}

// Runs of one row each have the figures of their steps.
bool is_left_out(const Validation& validation, const ValidationGroup& group) {
  return std::ranges::any_of(validation.subjects, [&](const ValidationSubject& subject) {
    return subject.operation == group.operation && subject.device == group.device &&
           subject.precision == group.precision && repeats_steps(validation, subject);
  });
}

// For people: a table per subject.
std::vector<Table> list_by_subject(const Validation& validation) {
  std::vector<Table> tables;
  const std::span<const ValidationGroup> all = validation.groups;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (end < all.size() && same_subject(all[end], all[begin])) ++end;
    Table table = empty_groups();
    table.for_machines = false;
    table.title = fmt::format("{}, {}, {}", all[begin].operation, to_string(all[begin].precision),
                              all[begin].device);
    const auto own = all.subspan(begin, end - begin);
    begin = end;
    if (is_left_out(validation, own.front())) continue;
    for (const ValidationGroup& group : own) {
      if (!repeats_another(group, own)) table.rows.push_back(cells(group));
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

Fields summarize(const Validation& validation) {
  // Runs are sums of other rows.
  const auto count = [&](auto belongs) {
    return static_cast<std::int64_t>(
        std::ranges::count_if(validation.rows, [&](const ValidationRow& row) {
          return validation.subjects[row.subject].operation != run_operation && belongs(row);
        }));
  };
  return {
      .key = "validation",
      .title = "",
      .fields = {{"measurements", "measurements", Unit::count, validation.measurements},
                 {"compared", "with a predicted duration", Unit::count,
                  count([](const ValidationRow&) { return true; })},
                 {"in_sample", "  that the laws were fitted to", Unit::count,
                  count([](const ValidationRow& row) { return row.in_sample; })},
                 {"doubted_durations", "  that have a doubted time", Unit::count,
                  count([](const ValidationRow& row) { return row.doubted_duration; })},
                 {"with_power", "with a predicted power", Unit::count,
                  count([](const ValidationRow& row) { return row.predicted_power.has_value(); })},
                 {"doubted_powers", "  that have a doubted power", Unit::count,
                  count([](const ValidationRow& row) { return row.doubted_power; })}}};
}

Table list_laws(const Validation& validation) {
  Table table{.key = "laws",
              .title = "Laws",
              .columns = {{"device", "device", Unit::none},
                          {"precision", "precision", Unit::none},
                          {"operation", "operation", Unit::none},
                          {"law", "law", Unit::none},
                          {"origin", "origin", Unit::none},
                          {"file", "file", Unit::none},
                          {"sha256", "", Unit::none}}};
  for (const ValidationSubject& subject : validation.subjects) {
    for (const LawReference& law : subject.laws) {
      table.rows.push_back({subject.device, text(to_string(subject.precision)), subject.operation,
                            law.id, text(to_string(law.origin)), law.file, law.sha256});
    }
  }
  return table;
}

const char* explain(NotCompared reason) {
  switch (reason) {
    case NotCompared::no_law: return "no law for it";
    case NotCompared::refused: return "cannot be predicted";
    case NotCompared::other_phase: return "laws speak of forward executions";
    case NotCompared::no_answer: return "the law or the device's figures allow no answer";
    case NotCompared::implausible: return "the measured value cannot be one";
    case NotCompared::no_power_law: return "nothing predicts its power";
    case NotCompared::other_energy_kind: return "not the energy of the board";
  }
  return "";
}

Table list_gaps(const Validation& validation) {
  Table table{.key = "not_compared",
              .title = "Not compared",
              .columns = {{"device", "device", Unit::none},
                          {"precision", "precision", Unit::none},
                          {"operation", "operation", Unit::none},
                          {"quantity", "of", Unit::none},
                          {"rows", "rows", Unit::count},
                          {"reason", "", Unit::none},
                          {"reason_text", "why", Unit::none}}};
  for (const ValidationGap& gap : validation.gaps) {
    table.rows.push_back({gap.device, text(to_string(gap.precision)), gap.operation,
                          text(to_string(gap.quantity)), gap.rows, text(to_string(gap.reason)),
                          gap.detail.empty() ? text(explain(gap.reason)) : gap.detail});
  }
  return table;
}

}  // namespace

Report report_validation(const Validation& validation) {
  Report report{.kind = "validation", .title = "Laws against measurements"};
  report.csv = list_groups(validation);
  report.sections.emplace_back(summarize(validation));
  report.sections.emplace_back(report.csv);
  for (Table& table : list_by_subject(validation)) report.sections.emplace_back(std::move(table));
  if (!validation.rows.empty()) {
    report.sections.emplace_back(Paragraph{
        .key = "",
        .text =
            "Mean, median and 90th percentile of |predicted - measured| / measured; bias is its "
            "mean with the sign. \"unmarked\" leaves out rows whose measurement is doubted, where "
            "there are any."});
  }
  for (Table& table : list_measured_steps(validation)) {
    report.sections.emplace_back(std::move(table));
  }
  report.sections.emplace_back(list_laws(validation));
  report.sections.emplace_back(list_gaps(validation));
  return report;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "reports/common.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

std::string digits(const std::optional<double>& value) {
  return value ? fmt::format("{:.6g}", *value) : std::string("-");
}

std::string verdict(const ReproductionRow& row) {
  if (row.status != ReproductionStatus::recomputed) return std::string(to_string(row.status));
  if (!row.agrees) return "recomputed: DISAGREES";
  return row.misprint ? "recomputed: misprint" : "recomputed";
}

// What people read: four columns, the numbers as short as they can be.
Table people_section(const ReproductionSection& section) {
  Table table{.key = "",
              .title = fmt::format("{}: {}", section.name, section.title),
              .columns = {{"", "what", Unit::none},
                          {"", "published", Unit::plain},
                          {"", "ours", Unit::plain},
                          {"", "difference", Unit::plain},
                          {"", "unit", Unit::none},
                          {"", "status", Unit::none},
                          {"", "note", Unit::none}}};
  table.for_machines = false;
  for (const ReproductionRow& row : section.rows) {
    table.rows.push_back({row.item, row.published, digits(row.ours), digits(row.difference),
                          row.unit, verdict(row), row.note});
  }
  return table;
}

Table all_rows(const Reproduction& reproduction) {
  Table table{.key = "rows",
              .title = "",
              .columns = {{"section", "", Unit::none},
                          {"item", "", Unit::none},
                          {"unit", "", Unit::none},
                          {"published", "", Unit::none},
                          {"ours", "", Unit::plain},
                          {"difference", "", Unit::plain},
                          {"tolerance", "", Unit::plain},
                          {"status", "", Unit::none},
                          {"misprint", "", Unit::none},
                          {"agrees", "", Unit::none},
                          {"note", "", Unit::none}}};
  table.for_people = false;
  for (const ReproductionSection& section : reproduction.sections) {
    for (const ReproductionRow& row : section.rows) {
      table.rows.push_back({section.name, row.item, row.unit, row.published, datum(row.ours),
                            datum(row.difference), datum(row.tolerance),
                            std::string(to_string(row.status)), row.misprint, row.agrees,
                            row.note});
    }
  }
  return table;
}

Table audit_table(const Reproduction& reproduction) {
  Table table{.key = "audit",
              .title = "Audit: what the released data carries",
              .columns = {{"number", "no.", Unit::plain},
                          {"claim", "point", Unit::none},
                          {"quantity", "evidence", Unit::none},
                          {"value", "value", Unit::plain},
                          {"unit", "unit", Unit::none},
                          {"source", "source", Unit::none},
                          {"method", "", Unit::none}}};
  for (const AuditPoint& point : reproduction.audit) {
    for (const AuditEvidence& evidence : point.evidence) {
      table.rows.push_back({static_cast<std::int64_t>(point.number), point.claim, evidence.quantity,
                            evidence.value, evidence.unit, std::string(to_string(evidence.source)),
                            point.method});
    }
  }
  return table;
}

Table audit_for_people(const AuditPoint& point) {
  Table table{.key = "",
              .title = fmt::format("Audit {}: {}", point.number, point.claim),
              .columns = {{"", "evidence", Unit::none},
                          {"", "value", Unit::plain},
                          {"", "unit", Unit::none},
                          {"", "source", Unit::none}}};
  table.for_machines = false;
  for (const AuditEvidence& evidence : point.evidence) {
    table.rows.push_back({evidence.quantity, fmt::format("{:.6g}", evidence.value), evidence.unit,
                          std::string(to_string(evidence.source))});
  }
  return table;
}

Table tables_read(const Reproduction& reproduction) {
  Table table{.key = "tables",
              .title = "Tables of the authors that were read",
              .columns = {{"name", "table", Unit::none},
                          {"file", "", Unit::none},
                          {"sha256", "", Unit::none},
                          {"rows", "rows read here", Unit::count},
                          {"released_rows", "rows released", Unit::count}}};
  for (const AuthorTableFile& file : reproduction.tables) {
    table.rows.push_back({file.name, file.file, file.sha256, file.rows, datum(file.released_rows)});
  }
  return table;
}

Fields summary_of(const Reproduction& reproduction) {
  std::int64_t recomputed = 0;
  std::int64_t disagree = 0;
  std::int64_t misprints = 0;
  std::int64_t refit = 0;
  std::int64_t quoted = 0;
  for (const ReproductionSection& section : reproduction.sections) {
    for (const ReproductionRow& row : section.rows) {
      recomputed += row.status == ReproductionStatus::recomputed ? 1 : 0;
      refit += row.status == ReproductionStatus::refit ? 1 : 0;
      quoted += row.status == ReproductionStatus::quoted ? 1 : 0;
      disagree += row.agrees ? 0 : 1;
      misprints += row.misprint ? 1 : 0;
    }
  }
  return {
      .key = "summary",
      .title = "Summary",
      .fields = {{"recomputed", "recomputed", Unit::count, recomputed},
                 {"disagreeing", "  that disagree", Unit::count, disagree},
                 {"misprints", "  that are misprints", Unit::count, misprints},
                 {"refit", "refit", Unit::count, refit},
                 {"quoted", "quoted", Unit::count, quoted},
                 {"agrees", "all recomputed numbers agree", Unit::none, reproduction.agrees()}}};
}

}  // namespace

Report report_reproduction(const Reproduction& reproduction) {
  Report report{.kind = "reproduction"};
  report.title = "Mayaki & Charpenay, ECAI 2025, DOI 10.3233/FAIA250900: every published number";
  Table rows = all_rows(reproduction);
  report.csv = rows;
  report.sections.emplace_back(std::move(rows));
  for (const ReproductionSection& section : reproduction.sections) {
    report.sections.emplace_back(people_section(section));
  }
  Table audit = audit_table(reproduction);
  audit.for_people = false;
  report.sections.emplace_back(std::move(audit));
  for (const AuditPoint& point : reproduction.audit) {
    report.sections.emplace_back(audit_for_people(point));
    report.sections.emplace_back(Paragraph{"", "  " + point.method});
  }
  report.sections.emplace_back(tables_read(reproduction));
  report.sections.emplace_back(summary_of(reproduction));
  report.sections.emplace_back(list_warnings_table(reproduction.warnings));
  return report;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include <joulecast/report.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joulecast {
namespace {

std::string name_of(const LawForm& form) { return std::get<FamilyLaw>(form).family; }

Table table_of_laws(const LawFits& fits) {
  Table table{.key = "laws",
              .title = "Laws, judged on shapes that the fit had not seen",
              .columns = {{"device", "device", Unit::none},
                          {"precision", "precision", Unit::none},
                          {"operation", "operation", Unit::none},
                          {"rows", "rows", Unit::count},
                          {"doubted", "doubted rows left out", Unit::count},
                          {"shapes", "shapes", Unit::count},
                          {"family", "family", Unit::none},
                          {"mape", "mean error", Unit::fraction},
                          {"median_ape", "median error", Unit::fraction},
                          {"not_identified", "not identified", Unit::none}}};
  for (const LawFit& fit : fits.laws) {
    table.rows.push_back({fit.law.device, std::string(to_string(*fit.law.precision)),
                          fit.law.operation, fit.rows, fit.doubted, fit.shapes,
                          name_of(fit.law.form), fit.law.errors->mean_absolute_percentage_error,
                          fit.law.errors->median_absolute_percentage_error,
                          fmt::format("{}", fmt::join(fit.law.not_identified, ", "))});
  }
  return table;
}

Table table_of_families(const LawFits& fits) {
  Table table{.key = "families",
              .title = "Every family that was tried",
              .columns = {{"law", "law", Unit::none},
                          {"family", "family", Unit::none},
                          {"mape", "mean error", Unit::fraction},
                          {"median_ape", "median error", Unit::fraction}}};
  for (const LawFit& fit : fits.laws) {
    for (const FamilyTrial& trial : fit.law.trials) {
      table.rows.push_back({fit.law.id, trial.law.family,
                            trial.errors.mean_absolute_percentage_error,
                            trial.errors.median_absolute_percentage_error});
    }
  }
  return table;
}

Table table_of_powers(const LawFits& fits) {
  Table table{.key = "powers",
              .title = "Board power by measured time, on labels that no mark doubts",
              .columns = {{"law", "law", Unit::none},
                          {"rows", "rows", Unit::count},
                          {"mape", "mean error", Unit::fraction},
                          {"median_ape", "median error", Unit::fraction},
                          {"not_identified", "not identified", Unit::none}}};
  for (const LawFit& fit : fits.laws) {
    if (!fit.law.power) continue;
    table.rows.push_back({fit.law.id, fit.law.power->errors.rows,
                          fit.law.power->errors.mean_absolute_percentage_error,
                          fit.law.power->errors.median_absolute_percentage_error,
                          fmt::format("{}", fmt::join(fit.law.power->not_identified, ", "))});
  }
  return table;
}

Table table_of_transfers(const LawFits& fits) {
  Table table{.key = "transfers",
              .title = "Laws of other devices, each device left out in turn",
              .columns = {{"precision", "precision", Unit::none},
                          {"operation", "operation", Unit::none},
                          {"devices", "devices", Unit::none},
                          {"mape", "mean error", Unit::fraction},
                          {"median_ape", "median error", Unit::fraction}}};
  for (const TransferFit& fit : fits.transfers) {
    table.rows.push_back({std::string(to_string(fit.precision)), fit.operation,
                          fmt::format("{}", fmt::join(fit.devices, ", ")),
                          fit.errors.mean_absolute_percentage_error,
                          fit.errors.median_absolute_percentage_error});
  }
  return table;
}

Table table_of_gaps(const LawFits& fits) {
  Table table{.key = "gaps",
              .title = "Rows without a law",
              .columns = {{"device", "device", Unit::none},
                          {"precision", "precision", Unit::none},
                          {"operation", "operation", Unit::none},
                          {"rows", "rows", Unit::count},
                          {"reason", "reason", Unit::none}}};
  for (const FitGap& gap : fits.gaps) {
    table.rows.push_back(
        {gap.device, std::string(to_string(gap.precision)), gap.operation, gap.rows, gap.reason});
  }
  return table;
}

Table table_of_warnings(const LawFits& fits) {
  Table table{.key = "warnings",
              .title = "Warnings",
              .columns = {{"code", "code", Unit::none},
                          {"about", "about", Unit::none},
                          {"message", "what it means", Unit::none}}};
  for (const LawFit& fit : fits.laws) {
    for (const Warning& warning : fit.warnings) {
      table.rows.push_back(
          {std::string(to_string(warning.code)), warning.subject, warning.message});
    }
  }
  return table;
}

}  // namespace

Report report_fits(const LawFits& fits, const std::string& directory) {
  Report report{.kind = "fit", .title = "Fitted laws"};
  report.sections.emplace_back(Fields{
      .key = "fit",
      .title = "",
      .fields = {{"directory", "written to", Unit::none, directory},
                 {"law_count", "laws", Unit::count, static_cast<std::int64_t>(fits.laws.size())}}});
  Table laws = table_of_laws(fits);
  report.csv = laws;
  report.sections.emplace_back(std::move(laws));
  report.sections.emplace_back(table_of_families(fits));
  report.sections.emplace_back(table_of_powers(fits));
  report.sections.emplace_back(table_of_transfers(fits));
  report.sections.emplace_back(table_of_gaps(fits));
  report.sections.emplace_back(table_of_warnings(fits));
  return report;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "reports/common.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joulecast {
namespace {

Table table_of_terms(const Regression& regression) {
  Table table{.key = "terms",
              .title = "Coefficients, with 95 % intervals",
              .columns = {{"term", "term", Unit::none},
                          {"coefficient", "coefficient", Unit::plain},
                          {"lower_95", "lower", Unit::plain},
                          {"upper_95", "upper", Unit::plain},
                          {"unit", "unit", Unit::none},
                          {"identified", "identified", Unit::none}}};
  for (const RegressionTerm& term : regression.terms) {
    table.rows.push_back({term.name, term.coefficient, datum(term.lower), datum(term.upper),
                          term.unit, term.identified});
  }
  return table;
}

Table table_of_same_columns(const Regression& regression) {
  Table table{.key = "same_columns",
              .title = "Columns that are one column up to a factor",
              .columns = {{"column", "column", Unit::none},
                          {"same_as", "same as", Unit::none},
                          {"factor", "times", Unit::plain}}};
  for (const SameColumns& same : regression.same_columns) {
    for (std::size_t i = 1; i < same.names.size(); ++i) {
      table.rows.push_back({same.names[i], same.names[0], same.factors[i]});
    }
  }
  return table;
}

Fields fields_of(const Regression& regression) {
  const RegressionOptions& options = regression.options;
  const std::string error_key = fmt::format("mean_absolute_error_{}", regression.unit);
  const auto& held_out = regression.held_out;
  Fields fields{
      .key = "regression",
      .title = "",
      .fields = {
          {"method", "method", Unit::none, std::string(to_string(options.method))},
          {"target", "target", Unit::none, options.target},
          {"target_unit", "unit of the target", Unit::none, regression.unit},
          {"table", "table", Unit::none, regression.file},
          {"row_count", "rows", Unit::count, regression.rows},
          {"distinct_row_count", "distinct rows", Unit::count, regression.distinct_rows},
          {"rank", "rank of the features", Unit::count, regression.rank},
          {"r_squared", "R2 of the fit", Unit::plain, regression.fitted.r_squared},
          {error_key, "mean absolute error", Unit::plain, regression.fitted.mean_absolute_error},
          {"held_out_r_squared", "R2 on rows held out", Unit::plain,
           held_out ? Datum(held_out->r_squared) : Datum()},
          {"held_out_" + error_key, "mean absolute error on them", Unit::plain,
           held_out ? Datum(held_out->mean_absolute_error) : Datum()},
          {"resample_count", "resamples", Unit::count, std::int64_t{options.resamples}}}};
  if (options.method == RegressionMethod::ridge) {
    fields.fields.push_back({"penalty", "ridge penalty", Unit::plain, options.penalty});
  }
  return fields;
}

}  // namespace

Report report_regression(const Regression& regression) {
  Report report{.kind = "regression", .title = "Regression of " + regression.options.target};
  report.sections.emplace_back(fields_of(regression));
  Table terms = table_of_terms(regression);
  report.csv = terms;
  report.sections.emplace_back(std::move(terms));
  report.sections.emplace_back(table_of_same_columns(regression));
  report.sections.emplace_back(list_warnings_table(regression.warnings));
  return report;
}

}  // namespace joulecast

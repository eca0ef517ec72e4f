// SPDX-License-Identifier: Apache-2.0
#include <joulecast/regression.hpp>

#include "documents/csv.hpp"
#include "fitting/linear.hpp"
#include "fitting/linear_bootstrap.hpp"
#include "validation/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joulecast {
namespace {

constexpr int regression_folds = 5;
// Columns in two units, written with nine digits or more, are still one column.
constexpr double same_column_tolerance = 1e-9;

struct UnitWord {
  std::string_view plural;
  std::string_view singular;
};
constexpr std::array unit_words{UnitWord{"joules", "joule"}, UnitWord{"seconds", "second"},
                                UnitWord{"watts", "watt"},   UnitWord{"kilograms", "kilogram"},
                                UnitWord{"flops", "FLOP"},   UnitWord{"bytes", "byte"},
                                UnitWord{"hertz", "hertz"},  UnitWord{"celsius", "celsius"}};

const UnitWord* find_unit(std::string_view column) {
  const std::string_view word = column.substr(column.find_last_of("_ ") + 1);
  const auto* found = std::ranges::find(unit_words, word, &UnitWord::plural);
  return found == unit_words.end() ? nullptr : &*found;
}

std::string unit_of_coefficient(std::string_view target_unit, std::string_view column) {
  const UnitWord* unit = find_unit(column);
  return unit != nullptr ? fmt::format("{} per {}", target_unit, unit->singular)
                         : fmt::format("{} per unit of {}", target_unit, column);
}

std::unexpected<Error> misuse(std::string_view flag, std::string message, std::string remedy) {
  return std::unexpected(Error{ErrorKind::usage, std::move(message),
                               Location{.file = {}, .path = std::string(flag)}, std::move(remedy)});
}

Result<void> check_options(const RegressionOptions& options) {
  if (options.features.empty()) {
    return misuse("--features", "names no column",
                  "name columns, e.g. --features a_seconds,layers");
  }
  std::set<std::string_view> named{options.target};
  for (const std::string& feature : options.features) {
    if (named.insert(feature).second) continue;
    return misuse("--features", fmt::format("the column \"{}\" is named twice", feature),
                  "name each column once; the target is none of them");
  }
  if (find_unit(options.target) == nullptr) {
    return misuse("--target", fmt::format("\"{}\" does not end in a unit", options.target),
                  "convert the column to SI and let its last word say so: joules, seconds, watts "
                  "(1 kWh is 3.6e6 joules)");
  }
  return {};
}

struct RegressionData {
  std::vector<Feature> features;
  std::vector<double> target;
};

Result<RegressionData> read_columns(const std::filesystem::path& path,
                                    const RegressionOptions& options) {
  const auto table = read_csv_file(path.string());
  if (!table) return std::unexpected(table.error());
  RegressionData data;
  for (const std::string& name : options.features) {
    auto values = table->numbers(name);
    if (!values) return std::unexpected(values.error());
    data.features.push_back({name, std::move(*values)});
  }
  auto target = table->numbers(options.target);
  if (!target) return std::unexpected(target.error());
  data.target = std::move(*target);
  return data;
}

std::vector<double> features_of(const RegressionData& data, std::size_t row) {
  std::vector<double> values;
  for (const Feature& feature : data.features) values.push_back(feature.values[row]);
  return values;
}

Result<std::int64_t> count_distinct(const RegressionData& data, const std::string& file) {
  std::set<std::vector<double>> rows;
  for (std::size_t i = 0; i < data.target.size(); ++i) {
    std::vector<double> row = features_of(data, i);
    row.push_back(data.target[i]);
    rows.insert(std::move(row));
  }
  const auto fail = [&](std::string message) {
    return std::unexpected(Error{ErrorKind::value, std::move(message), Location{.file = file},
                                 "give more measurements"});
  };
  const std::size_t terms = data.features.size() + 1;
  if (rows.size() <= terms) {
    return fail(fmt::format("{} distinct rows cannot fix {} coefficients and their errors",
                            rows.size(), terms));
  }
  const auto [least, most] = std::ranges::minmax(data.target);
  if (least == most) return fail("all values of the target are alike");
  return static_cast<std::int64_t>(rows.size());
}

// The constant first.
Result<std::vector<double>> solve(const RegressionData& data, const RegressionOptions& options) {
  if (options.method == RegressionMethod::non_negative) {
    std::vector<Feature> features{{"constant", std::vector<double>(data.target.size(), 1.0)}};
    features.insert(features.end(), data.features.begin(), data.features.end());
    auto fit = fit_non_negative(features, data.target);
    if (!fit) return std::unexpected(fit.error());
    if (!fit->converged) {
      return std::unexpected(Error{ErrorKind::value, "the non-negative fit does not settle",
                                   Location{}, "leave out columns that others repeat"});
    }
    return std::move(fit->coefficients);
  }
  const auto fit = options.method == RegressionMethod::ridge
                       ? fit_ridge(data.features, data.target, options.penalty)
                       : fit_ordinary_least_squares(data.features, data.target);
  if (!fit) return std::unexpected(fit.error());
  std::vector<double> coefficients{fit->intercept};
  coefficients.insert(coefficients.end(), fit->coefficients.begin(), fit->coefficients.end());
  return coefficients;
}

Result<Eigen::MatrixXd> resample(const RegressionData& data, const RegressionOptions& options) {
  const LinearResampling how{.resamples = options.resamples, .threads = options.threads};
  switch (options.method) {
    case RegressionMethod::ridge:
      return resample_ridge(data.features, data.target, options.penalty, how);
    case RegressionMethod::non_negative:
      return resample_non_negative(data.features, data.target, how);
    case RegressionMethod::ordinary_least_squares: break;
  }
  return resample_ordinary_least_squares(data.features, data.target, how);
}

double value_at(const std::vector<double>& coefficients, const RegressionData& data,
                std::size_t row) {
  const std::vector<double> values = features_of(data, row);
  return std::inner_product(values.begin(), values.end(), coefficients.begin() + 1,
                            coefficients.front());
}

RegressionErrors measure_errors(const std::vector<double>& predicted,
                                const std::vector<double>& target) {
  const auto n = static_cast<double>(target.size());
  const double mean = std::reduce(target.begin(), target.end()) / n;
  double total = 0.0;
  double squares = 0.0;
  double absolute = 0.0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const double error = predicted[i] - target[i];
    total += (target[i] - mean) * (target[i] - mean);
    squares += error * error;
    absolute += std::abs(error);
  }
  return {1.0 - squares / total, absolute / n};
}

// Distinct rows of features in ascending order go to the folds in turn.
std::vector<int> deal_folds(const RegressionData& data) {
  std::set<std::vector<double>> kinds;
  for (std::size_t i = 0; i < data.target.size(); ++i) kinds.insert(features_of(data, i));
  const std::vector<std::vector<double>> order(kinds.begin(), kinds.end());
  std::vector<int> folds;
  for (std::size_t i = 0; i < data.target.size(); ++i) {
    const auto place = std::ranges::lower_bound(order, features_of(data, i)) - order.begin();
    folds.push_back(static_cast<int>(place % regression_folds));
  }
  return folds;
}

RegressionData rows_outside(const RegressionData& data, const std::vector<int>& folds, int fold) {
  RegressionData part{data.features, {}};
  for (Feature& feature : part.features) feature.values.clear();
  for (std::size_t i = 0; i < data.target.size(); ++i) {
    if (folds[i] == fold) continue;
    part.target.push_back(data.target[i]);
    for (std::size_t j = 0; j < part.features.size(); ++j) {
      part.features[j].values.push_back(data.features[j].values[i]);
    }
  }
  return part;
}

std::optional<RegressionErrors> hold_out(const RegressionData& data,
                                         const RegressionOptions& options) {
  const std::vector<int> folds = deal_folds(data);
  std::vector<double> predicted(data.target.size());
  for (int fold = 0; fold < regression_folds; ++fold) {
    const RegressionData part = rows_outside(data, folds, fold);
    const bool empty = part.target.size() == data.target.size();
    if (empty || !count_distinct(part, {})) return std::nullopt;
    const auto coefficients = solve(part, options);
    if (!coefficients) return std::nullopt;
    for (std::size_t i = 0; i < folds.size(); ++i) {
      if (folds[i] == fold) predicted[i] = value_at(*coefficients, data, i);
    }
  }
  return measure_errors(predicted, data.target);
}

void add_terms(const RegressionData& data, const std::vector<double>& coefficients,
               const LinearFit& plain, Regression& regression) {
  regression.terms.push_back(
      {.name = "constant", .coefficient = coefficients[0], .unit = regression.unit});
  for (std::size_t i = 0; i < data.features.size(); ++i) {
    const std::string& name = data.features[i].name;
    const bool replaceable =
        std::ranges::find(plain.not_identified, name) != plain.not_identified.end();
    regression.terms.push_back({.name = name,
                                .coefficient = coefficients[i + 1],
                                .unit = unit_of_coefficient(regression.unit, name),
                                .identified = !replaceable});
  }
}

Result<void> add_intervals(const RegressionData& data, Regression& regression) {
  if (regression.options.resamples == 0) return {};
  const auto drawn = resample(data, regression.options);
  if (!drawn) return std::unexpected(drawn.error());
  for (std::size_t j = 0; j < regression.terms.size(); ++j) {
    const auto column = drawn->col(static_cast<Eigen::Index>(j));
    std::vector<double> values(column.begin(), column.end());
    std::ranges::sort(values);
    regression.terms[j].lower = quantile(values, 0.025);
    regression.terms[j].upper = quantile(values, 0.975);
  }
  return {};
}

void add_warnings(const LinearFit& plain, Regression& regression) {
  for (const SameColumns& same : regression.same_columns) {
    regression.warnings.push_back(
        {WarningCode::columns_dependent, fmt::format("{}", fmt::join(same.names, ", ")),
         fmt::format("one column up to a factor ({}): only the joint effect is known",
                     fmt::join(same.factors, ", "))});
  }
  std::vector<std::string> others;
  for (const std::string& name : plain.not_identified) {
    const bool listed = std::ranges::any_of(regression.same_columns, [&](const SameColumns& same) {
      return std::ranges::find(same.names, name) != same.names.end();
    });
    if (!listed) others.push_back(name);
  }
  if (!others.empty()) {
    regression.warnings.push_back(
        {WarningCode::columns_dependent, fmt::format("{}", fmt::join(others, ", ")),
         "constant, or a combination of other columns: only joint effects are known"});
  }
  if (regression.distinct_rows < regression.rows) {
    regression.warnings.push_back(
        {WarningCode::rows_copied, regression.file,
         fmt::format("{} of {} rows are copies of others in the columns used: if they are no "
                     "measurements of their own, the intervals are too narrow",
                     regression.rows - regression.distinct_rows, regression.rows)});
  }
}

}  // namespace

std::string_view to_string(RegressionMethod method) {
  switch (method) {
    case RegressionMethod::ordinary_least_squares: return "ols";
    case RegressionMethod::ridge: return "ridge";
    case RegressionMethod::non_negative: return "nnls";
  }
  return "";
}

Result<Regression> fit_regression(const std::filesystem::path& table,
                                  const RegressionOptions& options) {
  if (auto checked = check_options(options); !checked) return std::unexpected(checked.error());
  const auto data = read_columns(table, options);
  if (!data) return std::unexpected(data.error());
  Regression regression{.options = options, .file = table.string()};
  regression.unit = find_unit(options.target)->plural;
  regression.rows = static_cast<std::int64_t>(data->target.size());
  const auto distinct = count_distinct(*data, regression.file);
  if (!distinct) return std::unexpected(distinct.error());
  regression.distinct_rows = *distinct;
  const auto plain = fit_ordinary_least_squares(data->features, data->target);
  if (!plain) return std::unexpected(plain.error());
  regression.rank = static_cast<std::int64_t>(plain->rank);
  const auto coefficients = solve(*data, options);
  if (!coefficients) return std::unexpected(coefficients.error());
  add_terms(*data, *coefficients, *plain, regression);
  for (auto& group : find_proportional_columns(data->features, same_column_tolerance)) {
    regression.same_columns.push_back({std::move(group.names), std::move(group.factors)});
  }
  std::vector<double> predicted;
  for (std::size_t i = 0; i < data->target.size(); ++i) {
    predicted.push_back(value_at(*coefficients, *data, i));
  }
  regression.fitted = measure_errors(predicted, data->target);
  regression.held_out = hold_out(*data, options);
  if (auto added = add_intervals(*data, regression); !added) return std::unexpected(added.error());
  add_warnings(*plain, regression);
  return regression;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which straight combination of the columns of a table explains a measured one, and how far do the
// rows say so? As the source paper regresses the energy of steps on the times of their operations
// (DOI 10.3233/FAIA250900, equation (19) and tables 3 and 4):
//
//   target = constant + sum_i coefficient_i column_i
//
// by ordinary least squares, ridge on standardised columns, or least squares with nothing negative,
// the constant included. Intervals are percentiles of a bootstrap over rows. Coefficients have the
// unit of the target per unit of their column; both are the last words of the columns' names.

#include <joulecast/error.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

enum class RegressionMethod { ordinary_least_squares, ridge, non_negative };
// "ols", "ridge", "nnls".
std::string_view to_string(RegressionMethod method);

struct RegressionOptions {
  RegressionMethod method = RegressionMethod::ordinary_least_squares;
  std::string target{};                 // a column whose last word is its unit
  std::vector<std::string> features{};  // columns
  double penalty = 5.0;                 // of ridge; the source paper's
  int resamples = 1000;                 // 0: no intervals
  unsigned threads = 0;                 // 0: as many as the machine has
};

struct RegressionTerm {
  std::string name{};  // "constant" or a column
  double coefficient = 0.0;
  std::string unit{};             // e.g. "joules per second"
  std::optional<double> lower{};  // 95 %
  std::optional<double> upper{};
  bool identified = true;  // false: other columns can replace this one
};

// Columns that are one column up to a factor: of each against the first.
struct SameColumns {
  std::vector<std::string> names{};
  std::vector<double> factors{};
};

struct RegressionErrors {
  double r_squared = 0.0;
  double mean_absolute_error = 0.0;  // in the unit of the target
};

struct Regression {
  RegressionOptions options{};
  std::string file{};
  std::string unit{};  // of the target, e.g. "joules"
  std::int64_t rows = 0;
  std::int64_t distinct_rows = 0;       // of the columns used
  std::int64_t rank = 0;                // of the features
  std::vector<RegressionTerm> terms{};  // the constant first
  std::vector<SameColumns> same_columns{};
  RegressionErrors fitted{};  // on the rows of the fit
  // Five folds; rows alike in every feature are never on both sides. Absent where a fold holds too
  // few rows.
  std::optional<RegressionErrors> held_out{};
  std::vector<Warning> warnings{};
};

// Deterministic: neither the order of the rows nor the number of threads matters beyond rounding.
// Errors: those of the table with line and column; usage, where columns are named twice or a target
// has no unit; value, where there are no more distinct rows than terms, or all targets are alike.
Result<Regression> fit_regression(const std::filesystem::path& table,
                                  const RegressionOptions& options);

}  // namespace joulecast

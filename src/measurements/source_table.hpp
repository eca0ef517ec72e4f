// SPDX-License-Identifier: Apache-2.0
#pragma once

// A CSV file whose columns are known by name: opened once with the columns it must have, then read
// field by field with located errors.

#include "documents/csv.hpp"

#include <joulecast/quantities.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

enum class TableStrictness { exact, others_ignored };

class SourceTable {
 public:
  // Column i of the calls below is `columns[i]`. Errors: schema, naming the column that is absent
  // and the nearest that is there; a column too many under `exact`; a table without rows.
  static Result<SourceTable> open(CsvTable table, std::span<const std::string> columns,
                                  TableStrictness strictness);

  [[nodiscard]] const std::string& file() const { return table_.file(); }
  [[nodiscard]] std::size_t row_count() const { return table_.row_count(); }
  [[nodiscard]] std::string_view field(std::size_t row, std::size_t column) const {
    return table_.field(row, places_[column]);
  }
  // Finite numbers; a whole number may be written 64 or 64.0.
  [[nodiscard]] Result<double> number(std::size_t row, std::size_t column) const;
  [[nodiscard]] Result<double> positive(std::size_t row, std::size_t column) const;
  // A positive number of milliseconds, in seconds: the double nearest to what is written, which
  // dividing by 1000 would miss by a digit at times.
  [[nodiscard]] Result<Seconds> milliseconds(std::size_t row, std::size_t column) const;
  [[nodiscard]] Result<std::int64_t> whole(std::size_t row, std::size_t column) const;

  [[nodiscard]] Error bad_field(std::size_t row, std::size_t column, std::string message,
                                std::string remedy = "") const;
  [[nodiscard]] Location locate(std::size_t row, std::size_t column) const {
    return table_.locate(row, places_[column]);
  }
  // The whole source row but for an unnamed row index, with an unambiguous separator.
  void append_row(std::string& out, std::size_t row) const;

 private:
  CsvTable table_;
  std::vector<std::size_t> places_;   // of the asked columns in the table
  std::vector<std::size_t> content_;  // the columns that have a name
};

}  // namespace joulecast

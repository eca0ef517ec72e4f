// SPDX-License-Identifier: Apache-2.0
#pragma once

// What does a table of comma-separated values say, and where exactly is it wrong?
//
// The grammar is RFC 4180, read strictly: one header row, every row as long as the header, fields
// bare or in double quotes ("" is a quote), lines ending in LF or CRLF, an optional UTF-8 byte
// order mark. Everything else is an error with line, column and column name: a table that is cut
// off or shifted by one field must never turn into numbers. Spaces belong to the field.

#include <joulecast/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

enum class CsvNumbers { finite_only, any };  // `any` also reads nan and inf

class CsvTable {
 public:
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::size_t row_count() const;
  [[nodiscard]] std::size_t column_count() const { return column_count_; }
  // The names in file order; a table written with a row index has one that is empty.
  [[nodiscard]] std::vector<std::string_view> header() const;
  [[nodiscard]] bool has_column(std::string_view name) const;

  // Whole columns by name. An absent name, or a field that is not such a value, is an error.
  [[nodiscard]] Result<std::vector<std::string_view>> texts(std::string_view column) const;
  [[nodiscard]] Result<std::vector<double>> numbers(std::string_view column,
                                                    CsvNumbers allowed) const;
  [[nodiscard]] Result<std::vector<double>> numbers(std::string_view column) const;
  // Finite and above zero: sizes, durations, rates.
  [[nodiscard]] Result<std::vector<double>> positive_numbers(std::string_view column) const;
  [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::string_view column) const;

  // One field; rows count from 0 and leave the header out. Requires both to be in range.
  [[nodiscard]] std::string_view field(std::size_t row, std::size_t column) const;
  [[nodiscard]] Location locate(std::size_t row, std::size_t column) const;

 private:
  friend class CsvParser;

  struct Field {
    std::size_t begin = 0;  // in content_
    std::size_t size = 0;
    int line = 0;
    int column = 0;
  };

  [[nodiscard]] Result<std::size_t> find_column(std::string_view name) const;
  [[nodiscard]] std::string_view text_of(const Field& field) const;

  std::string file_;
  std::string content_;        // the fields without quotes and separators, end to end
  std::vector<Field> fields_;  // header first
  std::size_t column_count_ = 0;
};

// `file` is only used to name the place of an error.
Result<CsvTable> parse_csv(std::string_view text, std::string file);
Result<CsvTable> read_csv_file(const std::string& path);

}  // namespace joulecast

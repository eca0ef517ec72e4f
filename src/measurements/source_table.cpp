// SPDX-License-Identifier: Apache-2.0
#include "measurements/source_table.hpp"

#include <joulecast/suggest.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

Error schema_error(const std::string& file, std::string message, std::string remedy) {
  return Error{ErrorKind::schema, std::move(message),
               Location{.file = file, .path = {}, .line = 1, .column = 1}, std::move(remedy)};
}

// A unit that changed its name is the likeliest reason, and the dangerous one.
Error missing_column(const std::string& file, const std::string& column,
                     const std::vector<std::string>& known) {
  const std::string hint = did_you_mean(column, known);
  return schema_error(file, fmt::format("the table has no column \"{}\"", column),
                      hint.empty() ? "its header row must name the column"
                                   : hint + " a renamed column may be in another unit");
}

}  // namespace

Result<SourceTable> SourceTable::open(CsvTable table, std::span<const std::string> columns,
                                      TableStrictness strictness) {
  SourceTable opened;
  std::vector<std::string> names;
  for (const std::string_view name : table.header()) names.emplace_back(name);
  for (const std::string& column : columns) {
    const auto found = std::ranges::find(names, column);
    if (found == names.end()) {
      return std::unexpected(missing_column(table.file(), column, names));
    }
    opened.places_.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool asked = std::ranges::find(opened.places_, i) != opened.places_.end();
    if (strictness == TableStrictness::exact && !asked) {
      return std::unexpected(schema_error(
          table.file(), fmt::format("unknown column \"{}\"", names[i].substr(0, 80)),
          did_you_mean(names[i], std::vector<std::string>(columns.begin(), columns.end()))));
    }
    if (!names[i].empty()) opened.content_.push_back(i);
  }
  if (table.row_count() == 0) {
    return std::unexpected(schema_error(table.file(), "the table has a header and no rows", ""));
  }
  opened.table_ = std::move(table);
  return opened;
}

Error SourceTable::bad_field(std::size_t row, std::size_t column, std::string message,
                             std::string remedy) const {
  return Error{ErrorKind::value, std::move(message), locate(row, column), std::move(remedy)};
}

Result<double> SourceTable::number(std::size_t row, std::size_t column) const {
  const std::string_view text = field(row, column);
  const char* const end = text.data() + text.size();
  double value = 0.0;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && stop == end && std::isfinite(value)) return value;
  return std::unexpected(bad_field(
      row, column, fmt::format("expected a finite number, got \"{}\"", text.substr(0, 80))));
}

Result<double> SourceTable::positive(std::size_t row, std::size_t column) const {
  auto value = number(row, column);
  if (!value || *value > 0.0) return value;
  return std::unexpected(bad_field(
      row, column,
      fmt::format("expected a positive number, got \"{}\"", field(row, column).substr(0, 80))));
}

Result<Seconds> SourceTable::milliseconds(std::size_t row, std::size_t column) const {
  const auto value = positive(row, column);
  if (!value) return std::unexpected(value.error());
  std::string shifted(field(row, column));
  double seconds = *value / 1e3;
  if (shifted.find_first_of("eE") == std::string::npos) {
    shifted += "e-3";
    std::from_chars(shifted.data(), shifted.data() + shifted.size(), seconds);
  }
  if (seconds > 0.0) return Seconds{seconds};
  return std::unexpected(bad_field(row, column, "the duration is too small to be a number"));
}

Result<std::int64_t> SourceTable::whole(std::size_t row, std::size_t column) const {
  const std::string_view text = field(row, column);
  const char* const end = text.data() + text.size();
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && (stop == end || std::string_view(stop, end) == ".0")) return value;
  return std::unexpected(bad_field(
      row, column, fmt::format("expected a whole number, got \"{}\"", text.substr(0, 80))));
}

void SourceTable::append_row(std::string& out, std::size_t row) const {
  for (const std::size_t column : content_) {
    out += table_.field(row, column);
    out += '\x1f';
  }
}

}  // namespace joulecast

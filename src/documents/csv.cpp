// SPDX-License-Identifier: Apache-2.0
#include "documents/csv.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <system_error>
#include <utility>

namespace joulecast {

// Reads one table, field after field; the position is kept as line and byte column from 1.
class CsvParser {
 public:
  CsvParser(std::string_view text, std::string file) : text_(text) {
    table_.file_ = std::move(file);
  }

  Result<CsvTable> parse() {
    skip_byte_order_mark();
    if (at_end()) return fail("the file is empty; a header row is needed");
    while (!at_end()) {
      if (auto row = read_row(); !row) return std::unexpected(row.error());
    }
    if (auto header = check_header(); !header) return std::unexpected(header.error());
    return std::move(table_);
  }

 private:
  using Done = Result<void>;

  [[nodiscard]] bool at_end() const { return position_ == text_.size(); }
  [[nodiscard]] char next() const { return text_[position_]; }
  [[nodiscard]] bool at_line_end() const {
    return at_end() || next() == '\n' || text_.substr(position_, 2) == "\r\n";
  }

  void advance() {
    const bool new_line = next() == '\n';
    ++position_;
    line_ += new_line ? 1 : 0;
    column_ = new_line ? 1 : column_ + 1;
  }

  void skip_byte_order_mark() {
    if (text_.starts_with("\xEF\xBB\xBF")) position_ = 3;
  }

  [[nodiscard]] std::unexpected<Error> fail(std::string message) const {
    return std::unexpected(Error{ErrorKind::syntax, std::move(message),
                                 Location{table_.file_, column_name(), line_, column_}, ""});
  }

  // The name of the column being read, once the header is known.
  [[nodiscard]] std::string column_name() const {
    if (table_.column_count_ == 0 || row_fields_ >= table_.column_count_) return {};
    return std::string{table_.text_of(table_.fields_[row_fields_])};
  }

  Done read_row() {
    row_fields_ = 0;
    const int first_line = line_;
    while (true) {
      if (auto field = read_field(); !field) return field;
      ++row_fields_;
      if (at_line_end()) break;
      advance();  // the comma
    }
    if (auto length = check_length(first_line); !length) return length;
    if (!at_end() && next() == '\r') advance();
    if (!at_end()) advance();
    return {};
  }

  Done check_length(int first_line) {
    if (table_.column_count_ == 0) table_.column_count_ = row_fields_;
    if (row_fields_ == table_.column_count_) return {};
    return std::unexpected(Error{
        ErrorKind::syntax,
        fmt::format("the row has {} fields, the header {}", row_fields_, table_.column_count_),
        Location{table_.file_, "", first_line, 1}, "check for a cut line or an unquoted comma"});
  }

  Done read_field() {
    const CsvTable::Field start{table_.content_.size(), 0, line_, column_};
    const bool quoted = !at_end() && next() == '"';
    if (auto read = quoted ? read_quoted() : read_bare(); !read) return read;
    table_.fields_.push_back(start);
    table_.fields_.back().size = table_.content_.size() - start.begin;
    return {};
  }

  Done read_bare() {
    for (; !at_line_end() && next() != ','; advance()) {
      if (next() == '"') return fail("a quote inside a field that does not start with one");
      if (next() == '\r') return fail("a carriage return without a line feed");
      if (next() == '\0') return fail("a zero byte; the file is not UTF-8 text");
      table_.content_ += next();
    }
    return {};
  }

  Done read_quoted() {
    for (advance(); !at_end(); advance()) {
      if (next() == '\0') return fail("a zero byte; the file is not UTF-8 text");
      if (next() == '"') {
        if (text_.substr(position_, 2) != "\"\"") return close_quoted();
        advance();
      }
      table_.content_ += next();
    }
    return fail("the file ends inside a quoted field");
  }

  Done close_quoted() {
    advance();
    if (at_line_end() || next() == ',') return {};
    return fail("text follows the closing quote of a field");
  }

  [[nodiscard]] Done check_header() const {
    for (std::size_t i = 0; i < table_.column_count_; ++i) {
      const auto& field = table_.fields_[i];
      const std::string_view name = table_.text_of(field);
      for (std::size_t j = 0; j < i; ++j) {
        if (table_.text_of(table_.fields_[j]) != name) continue;
        return std::unexpected(
            Error{ErrorKind::schema, fmt::format("the column \"{}\" appears twice", name),
                  Location{table_.file_, std::string{name}, field.line, field.column},
                  "rename or remove one of them"});
      }
    }
    return {};
  }

  std::string_view text_;
  CsvTable table_;
  std::size_t position_ = 0;
  std::size_t row_fields_ = 0;
  int line_ = 1;
  int column_ = 1;
};

namespace {

enum class Parsed { yes, malformed, out_of_range };

template <class Number>
Parsed parse_whole(std::string_view text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) return Parsed::out_of_range;
  return error == std::errc{} && stop == end ? Parsed::yes : Parsed::malformed;
}

Error bad_field(const CsvTable& table, std::size_t row, std::size_t column, std::string wanted) {
  return Error{ErrorKind::value,
               fmt::format("expected {}, got \"{}\"", wanted, table.field(row, column)),
               table.locate(row, column), "mend this cell, or fetch the table again"};
}

}  // namespace

std::size_t CsvTable::row_count() const {
  return column_count_ == 0 ? 0 : fields_.size() / column_count_ - 1;
}

std::string_view CsvTable::text_of(const Field& field) const {
  return std::string_view{content_}.substr(field.begin, field.size);
}

std::vector<std::string_view> CsvTable::header() const {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < column_count_; ++i) names.push_back(text_of(fields_[i]));
  return names;
}

bool CsvTable::has_column(std::string_view name) const {
  const auto names = header();
  return std::ranges::find(names, name) != names.end();
}

std::string_view CsvTable::field(std::size_t row, std::size_t column) const {
  assert(row < row_count() && column < column_count_);
  return text_of(fields_[(row + 1) * column_count_ + column]);
}

Location CsvTable::locate(std::size_t row, std::size_t column) const {
  assert(row < row_count() && column < column_count_);
  const Field& field = fields_[(row + 1) * column_count_ + column];
  return Location{file_, std::string{text_of(fields_[column])}, field.line, field.column};
}

Result<std::size_t> CsvTable::find_column(std::string_view name) const {
  const auto names = header();
  const auto found = std::ranges::find(names, name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  return std::unexpected(Error{ErrorKind::schema,
                               fmt::format("the table has no column \"{}\"", name),
                               Location{file_, "", 1, 1}, "its header row must name the column"});
}

Result<std::vector<std::string_view>> CsvTable::texts(std::string_view column) const {
  const auto index = find_column(column);
  if (!index) return std::unexpected(index.error());
  std::vector<std::string_view> values;
  for (std::size_t row = 0; row < row_count(); ++row) values.push_back(field(row, *index));
  return values;
}

Result<std::vector<double>> CsvTable::numbers(std::string_view column, CsvNumbers allowed) const {
  const auto index = find_column(column);
  if (!index) return std::unexpected(index.error());
  std::vector<double> values;
  for (std::size_t row = 0; row < row_count(); ++row) {
    double value = 0.0;
    const bool parsed = parse_whole(field(row, *index), value) == Parsed::yes;
    if (!parsed || (allowed == CsvNumbers::finite_only && !std::isfinite(value))) {
      const auto* wanted = allowed == CsvNumbers::any ? "a number" : "a finite number";
      return std::unexpected(bad_field(*this, row, *index, wanted));
    }
    values.push_back(value);
  }
  return values;
}

Result<std::vector<double>> CsvTable::numbers(std::string_view column) const {
  return numbers(column, CsvNumbers::finite_only);
}

Result<std::vector<double>> CsvTable::positive_numbers(std::string_view column) const {
  auto values = numbers(column);
  if (!values) return values;
  for (std::size_t row = 0; row < values->size(); ++row) {
    if ((*values)[row] > 0.0) continue;
    return std::unexpected(bad_field(*this, row, *find_column(column), "a positive number"));
  }
  return values;
}

Result<std::vector<std::int64_t>> CsvTable::integers(std::string_view column) const {
  const auto index = find_column(column);
  if (!index) return std::unexpected(index.error());
  std::vector<std::int64_t> values;
  for (std::size_t row = 0; row < row_count(); ++row) {
    std::int64_t value = 0;
    const Parsed parsed = parse_whole(field(row, *index), value);
    if (parsed == Parsed::out_of_range) {
      return std::unexpected(bad_field(*this, row, *index, "an integer of at most 64 bits"));
    }
    if (parsed != Parsed::yes) {
      return std::unexpected(bad_field(*this, row, *index, "an integer"));
    }
    values.push_back(value);
  }
  return values;
}

Result<CsvTable> parse_csv(std::string_view text, std::string file) {
  return CsvParser{text, std::move(file)}.parse();
}

Result<CsvTable> read_csv_file(const std::string& path) {
  // C streams report a directory or a disk error as a flag; C++ streams throw.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "rb"),
                                                             &std::fclose};
  if (!file) {
    return std::unexpected(Error{ErrorKind::not_found, "the file cannot be opened",
                                 Location{path, "", 0, 0}, "check the name and its permissions"});
  }
  std::string text;
  std::array<char, 1U << 16U> buffer{};
  while (const std::size_t read = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    text.append(buffer.data(), read);
  }
  if (std::ferror(file.get()) != 0) {
    return std::unexpected(Error{ErrorKind::io, "the file cannot be read", Location{path, "", 0, 0},
                                 "check the disk"});
  }
  return parse_csv(text, path);
}

}  // namespace joulecast

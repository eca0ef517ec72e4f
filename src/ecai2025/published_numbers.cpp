// SPDX-License-Identifier: Apache-2.0
// Reads data/published/ecai2025/. The files are compiled in and read by the tests, so a fault in
// them is ours: it stops the program with the place named instead of travelling on.
#include <joulecast/ecai2025.hpp>

#include "documents/csv.hpp"
#include "documents/embedded.hpp"

#include <cassert>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>

namespace joulecast {
namespace {

template <class T>
T require(Result<T> result) {
  assert(result && "a shipped file of published numbers is malformed");
  if (!result) std::abort();
  return *std::move(result);
}

CsvTable open(std::string_view name) {
  const std::string path = fmt::format("published/ecai2025/{}", name);
  return require(parse_csv(embedded_file(path), path));
}

// One row of a table, read by column name.
class Row {
 public:
  Row(const CsvTable& table, std::size_t row) : table_(table), row_(row) {}

  [[nodiscard]] std::string text(std::string_view column) const {
    return std::string{require(table_.texts(column))[row_]};
  }
  [[nodiscard]] double number(std::string_view column) const {
    return require(table_.numbers(column))[row_];
  }
  [[nodiscard]] std::int64_t integer(std::string_view column) const {
    return require(table_.integers(column))[row_];
  }
  [[nodiscard]] PrintedNumber printed(std::string_view column) const {
    const auto parsed = parse_printed(text(column));
    assert(parsed && "a published number is malformed");
    if (!parsed) std::abort();
    return *parsed;
  }
  [[nodiscard]] std::optional<PrintedNumber> optional(std::string_view column) const {
    return text(column).empty() ? std::nullopt : std::optional{printed(column)};
  }

 private:
  const CsvTable& table_;
  std::size_t row_;
};

template <class Make>
auto read_rows(std::string_view name, Make make) {
  const CsvTable table = open(name);
  std::vector<decltype(make(Row{table, 0}))> rows;
  for (std::size_t i = 0; i < table.row_count(); ++i) rows.push_back(make(Row{table, i}));
  return rows;
}

PublishedDevice read_device(const Row& row) {
  return {row.text("device_id"),           row.text("printed_name"),
          row.text("published_gpu_label"), row.printed("peak_teraflop_per_second"),
          row.text("precision"),           row.text("source")};
}

PublishedLaw read_law(const Row& row) {
  return {row.text("table"),
          row.text("device_id"),
          row.text("operation"),
          row.text("printed_operation"),
          row.printed("eta_max_percent"),
          row.printed("saturation_rate"),
          row.printed("saturation_exponent"),
          Flops{row.number("fitted_minimum_flops")},
          Flops{row.number("fitted_maximum_flops")},
          row.text("range_source"),
          row.text("source")};
}

PublishedCoefficient read_coefficient(const Row& row) {
  return {row.text("table"),          row.text("term"),         row.text("unit"),
          row.printed("coefficient"), row.optional("lower_95"), row.optional("upper_95"),
          row.text("source")};
}

PublishedSetup read_setup(const Row& row) {
  return {
      row.text("setup"),
      {row.integer("batch_size"), row.integer("sequence_length"), row.integer("num_hidden_layers"),
       row.integer("hidden_size"), row.integer("num_attention_heads")},
      row.text("source")};
}

PublishedExampleRow read_example(const Row& row) {
  return {row.text("operation"),
          row.text("setup"),
          row.printed("teraflop_per_layer"),
          row.printed("efficiency_percent"),
          row.printed("duration_paper_microseconds"),
          row.text("source")};
}

PublishedClaim read_claim(const Row& row) {
  return {row.text("claim"), row.text("published"), row.text("unit"), row.text("statement"),
          row.text("source")};
}

PublishedMisprint read_misprint(const Row& row) {
  return {row.text("table"), row.text("item"), row.printed("printed"), row.printed("corrected"),
          row.text("reason")};
}

// The first column names the rows, the header the columns.
PublishedGrid read_grid(std::string_view file, std::string name, std::string column_name) {
  const CsvTable table = open(file);
  PublishedGrid grid{std::move(name),
                     std::string{table.header().front()},
                     std::move(column_name),
                     require(table.integers(table.header().front())),
                     {},
                     {}};
  for (std::size_t column = 1; column < table.column_count(); ++column) {
    const std::string_view text = table.header()[column];
    std::from_chars(text.data(), text.data() + text.size(), grid.column_values.emplace_back());
  }
  for (std::size_t row = 0; row < table.row_count(); ++row) {
    auto& cells = grid.cells.emplace_back();
    for (const std::string_view column : table.header()) {
      if (column != table.header().front()) cells.push_back(Row{table, row}.printed(column));
    }
  }
  return grid;
}

}  // namespace

PublishedNumbers load_published_numbers() {
  return {read_rows("devices.csv", read_device),
          read_rows("laws.csv", read_law),
          read_rows("coefficients.csv", read_coefficient),
          read_rows("setups.csv", read_setup),
          read_rows("table5.csv", read_example),
          read_grid("table9.csv", "Table 9", "heads"),
          read_grid("table10.csv", "Table 10", "hidden size"),
          read_rows("claims.csv", read_claim),
          read_rows("misprints.csv", read_misprint)};
}

}  // namespace joulecast

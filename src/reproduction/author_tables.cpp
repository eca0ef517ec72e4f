// SPDX-License-Identifier: Apache-2.0
#include "reproduction/author_tables.hpp"

#include "documents/csv.hpp"
#include "documents/hash.hpp"
#include "documents/value.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace joulecast {
namespace {

// Copies columns of one table into members of rows; the first error stops all later copies.
template <class Row>
class Filler {
 public:
  explicit Filler(const CsvTable& table) : table_(table), rows_(table.row_count()) {}

  template <class Set>
  Filler& numbers(std::string_view column, Set set) {
    return fill(bounded(column, table_.numbers(column)), set);
  }
  template <class Set>
  Filler& positive(std::string_view column, Set set) {
    return fill(bounded(column, table_.positive_numbers(column)), set);
  }
  // Efficiencies are printed in percent with two digits, so that small ones read 0.
  template <class Set>
  Filler& non_negative(std::string_view column, Set set) {
    auto values = bounded(column, table_.numbers(column));
    for (std::size_t row = 0; values && row < values->size(); ++row) {
      if ((*values)[row] >= 0.0) continue;
      values = std::unexpected(Error{ErrorKind::value, "the number is negative",
                                     table_.locate(row, index_of(column)),
                                     "mend this cell, or fetch the table again"});
    }
    return fill(std::move(values), set);
  }
  template <class Set>
  Filler& integers(std::string_view column, Set set) {
    return fill(table_.integers(column), set);
  }
  template <class Set>
  Filler& texts(std::string_view column, Set set) {
    return fill(table_.texts(column), set);
  }

  Result<std::vector<Row>> take() {
    if (error_) return std::unexpected(*error_);
    return std::move(rows_);
  }

 private:
  // Squares and products of such numbers stay finite; nothing measured comes near.
  Result<std::vector<double>> bounded(std::string_view column, Result<std::vector<double>> values) {
    constexpr double largest = 1e30;
    for (std::size_t row = 0; values && row < values->size(); ++row) {
      const double size = std::abs((*values)[row]);
      if (size <= largest && (size == 0.0 || size >= 1.0 / largest)) continue;
      return std::unexpected(Error{ErrorKind::value,
                                   size > largest ? "the number is too large to be a measurement"
                                                  : "the number is too small to be a measurement",
                                   table_.locate(row, index_of(column)),
                                   "mend this cell, or fetch the table again"});
    }
    return values;
  }

  std::size_t index_of(std::string_view column) const {
    const auto names = table_.header();
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), column) - names.begin());
  }

  template <class Values, class Set>
  Filler& fill(Result<Values> values, Set set) {
    if (!values && !error_) error_ = values.error();
    if (error_) return *this;
    for (std::size_t i = 0; i < rows_.size(); ++i) set(rows_[i]) = (*values)[i];
    return *this;
  }

  const CsvTable& table_;
  std::vector<Row> rows_;
  std::optional<Error> error_;
};

// Opens the tables of one directory and notes what was read.
class Release {
 public:
  explicit Release(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Result<CsvTable> open(std::string_view name) {
    const std::string path = (directory_ / name).string();
    // The full tables are larger than any document that people write by hand.
    auto text = read_text_file(path, std::size_t{1} << 30U);
    if (!text) {
      if (text.error().kind == ErrorKind::not_found) {
        text.error().remedy =
            "the folder must hold dataForTransformerHEF.csv, dataForLstmHEF.csv, "
            "SubsetDataForTransformer_energyModel.csv and SubsetDataForLSTM_energyModel.csv of "
            "github.com/MansMayaki/MLEnergyConsumption, readable";
      }
      return std::unexpected(text.error());
    }
    auto table = parse_csv(*text, path);
    if (!table) return table;
    if (table->row_count() == 0) {
      return std::unexpected(Error{ErrorKind::value, "the table has no rows",
                                   Location{table->file(), "", 1, 1}, "fetch the table again"});
    }
    files_.push_back({.name = std::string(name),
                      .file = path,
                      .sha256 = sha256(*text),
                      .rows = static_cast<std::int64_t>(table->row_count())});
    return table;
  }
  [[nodiscard]] std::vector<AuthorTableFile> take_files() { return std::move(files_); }

 private:
  std::filesystem::path directory_;
  std::vector<AuthorTableFile> files_;
};

Result<std::vector<EfficiencyRow>> read_efficiency(Release& release, std::string_view name,
                                                   std::string_view operation_column) {
  const auto table = release.open(name);
  if (!table) return std::unexpected(table.error());
  return Filler<EfficiencyRow>{*table}
      .texts("source", [](auto& r) -> auto& { return r.gpu; })
      .texts(operation_column, [](auto& r) -> auto& { return r.operation; })
      .positive("FLOPs", [](auto& r) -> auto& { return r.flops; })
      .non_negative("HEF", [](auto& r) -> auto& { return r.hef_percent; })
      .positive("elapsed_time_sec", [](auto& r) -> auto& { return r.elapsed_seconds; })
      .positive("peak", [](auto& r) -> auto& { return r.peak_flops_per_second; })
      .take();
}

// Every field but the first, which numbers the rows of the full table.
std::string join_fields(const CsvTable& table, std::size_t row) {
  std::string joined;
  for (std::size_t column = 1; column < table.column_count(); ++column) {
    joined += table.field(row, column);
    joined += '\x1f';
  }
  return joined;
}

Result<std::vector<TransformerStepRow>> read_transformer_steps(Release& release) {
  const auto table = release.open("SubsetDataForTransformer_energyModel.csv");
  if (!table) return std::unexpected(table.error());
  Filler<TransformerStepRow> filler{*table};
  filler.integers("", [](auto& r) -> auto& { return r.index; })
      .texts("source", [](auto& r) -> auto& { return r.gpu; })
      .positive("duration", [](auto& r) -> auto& { return r.duration_seconds; })
      .positive("energy_joules", [](auto& r) -> auto& { return r.energy_joules; })
      .positive("num_repeats", [](auto& r) -> auto& { return r.repeats; })
      .positive("num_layers", [](auto& r) -> auto& { return r.layers; })
      .positive("peak", [](auto& r) -> auto& { return r.peak_teraflop_per_second; })
      .positive("flops_counts", [](auto& r) -> auto& { return r.model_teraflop; })
      .positive("HEF", [](auto& r) -> auto& { return r.hef_percent; })
      .numbers("total_gpu_energy_kWh", [](auto& r) -> auto& { return r.gpu_counter_kwh; })
      .numbers("total_cpu_energy_kWh", [](auto& r) -> auto& { return r.cpu_counter_kwh; })
      .numbers("total_ram_energy_kWh", [](auto& r) -> auto& { return r.ram_counter_kwh; });
  constexpr std::array names{"QKV Projections", "Attention Scores", "Attention Output",
                             "Final Projection"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = names[i];
    filler
        .positive("FLOPs_" + name,
                  [i](auto& r) -> auto& { return r.operations[i].teraflop_per_layer; })
        .positive("HEF_" + name, [i](auto& r) -> auto& { return r.operations[i].hef_percent; })
        .positive("duration_" + name, [i](auto& r) -> auto& { return r.operations[i].duration; });
  }
  auto rows = filler.take();
  for (std::size_t i = 0; rows && i < rows->size(); ++i) {
    (*rows)[i].all_but_index = join_fields(*table, i);
  }
  return rows;
}

Result<std::vector<RnnStepRow>> read_rnn_steps(Release& release) {
  const auto table = release.open("SubsetDataForLSTM_energyModel.csv");
  if (!table) return std::unexpected(table.error());
  Filler<RnnStepRow> filler{*table};
  filler.integers("", [](auto& r) -> auto& { return r.index; })
      .texts("component", [](auto& r) -> auto& { return r.operation; })
      .numbers("energy_consumed_kWh", [](auto& r) -> auto& { return r.counter_kwh; });
  constexpr std::array names{"Activations", "Cell_Update", "Gates", "Hidden_Update"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    filler.numbers(std::string{"duration_"} + names[i],
                   [i](auto& r) -> auto& { return r.durations[i]; });
  }
  return filler.take();
}

}  // namespace

Result<AuthorTables> read_author_tables(const std::string& directory) {
  Release release(directory);
  auto transformer = read_efficiency(release, "dataForTransformerHEF.csv", "operation");
  if (!transformer) return std::unexpected(transformer.error());
  auto rnn = read_efficiency(release, "dataForLstmHEF.csv", "component");
  if (!rnn) return std::unexpected(rnn.error());
  auto steps = read_transformer_steps(release);
  if (!steps) return std::unexpected(steps.error());
  auto rnn_steps = read_rnn_steps(release);
  if (!rnn_steps) return std::unexpected(rnn_steps.error());
  return AuthorTables{std::move(*transformer), std::move(*rnn), std::move(*steps),
                      std::move(*rnn_steps), release.take_files()};
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// The micro-benchmarks of the source paper (github.com/MansMayaki/MLEnergyConsumption, DOI
// 10.3233/FAIA250900): the operations of a Transformer layer with one head and batch 64, and those
// of an LSTM cell, in seconds. The energy columns are counters that grow over the whole sweep and
// belong to no row, so they are not read. The FLOPs of the matrix products are, to check that the
// sizes mean what we think.
#include "measurements/collector.hpp"
#include "measurements/names.hpp"
#include "measurements/warm_up.hpp"

#include <joulecast/suggest.hpp>

#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr std::int64_t sweep_batch = 64;  // of the Transformer sweep
constexpr std::int64_t largest_size = std::int64_t{1} << 20;

struct PaperSizes {
  std::int64_t a = 0;  // sequence length; LSTM: batch size
  std::int64_t b = 0;  // d_model; LSTM: input size
  std::int64_t c = 0;  // LSTM: hidden size
};

struct PaperOperation {
  std::vector<std::string_view> names;
  std::string_view ours;
  MeasuredShape (*shape)(const PaperSizes& sizes);
};

MeasuredShape matmul(std::int64_t products, std::int64_t m, std::int64_t n, std::int64_t k) {
  return MatmulShape{.batch = products, .m = m, .n = n, .k = k};
}
MeasuredShape elements(std::int64_t rows, std::int64_t width) {
  return ElementShape{.elements = rows * width, .width = width};
}

const std::vector<PaperOperation> transformer_operations = {
    {{"QKV Projections"},
     "qkv_projection",
     [](const PaperSizes& s) { return matmul(1, sweep_batch * s.a, 3 * s.b, s.b); }},
    {{"Attention Scores"},
     "attention_scores",
     [](const PaperSizes& s) { return matmul(sweep_batch, s.a, s.a, s.b); }},
    {{"attention_softmax"},
     "softmax",
     [](const PaperSizes& s) { return elements(sweep_batch * s.a, s.a); }},
    {{"Attention Output"},
     "attention_values",
     [](const PaperSizes& s) { return matmul(sweep_batch, s.a, s.b, s.a); }},
    {{"Final Projection"},
     "attention_output_projection",
     [](const PaperSizes& s) { return matmul(1, sweep_batch * s.a, s.b, s.b); }},
};

const std::vector<PaperOperation> lstm_operations = {
    {{"compute_gates", "Gates"},
     "lstm_input_gates",
     [](const PaperSizes& s) { return matmul(1, s.a, 4 * s.c, s.b); }},
    {{"hidden_gates", "h_Gates"},
     "lstm_hidden_gates",
     [](const PaperSizes& s) { return matmul(1, s.a, 4 * s.c, s.c); }},
    {{"Activations"},
     "lstm_activations",
     [](const PaperSizes& s) { return elements(s.a, 4 * s.c); }},
    {{"Cell Update"}, "lstm_cell_update", [](const PaperSizes& s) { return elements(s.a, s.c); }},
    {{"Hidden Update"},
     "lstm_hidden_update",
     [](const PaperSizes& s) { return elements(s.a, s.c); }},
};

// One of the layouts in which the authors' tables, or digests of them, come.
struct Layout {
  const std::vector<PaperOperation>& operations;
  std::string operation_column;
  std::string time_column;
  std::vector<std::string> size_columns;
};

enum Column : std::size_t { operation_column, time_column, flops_column, first_size_column };

// "h_Gates_t2": the raw LSTM tables append the time step.
std::string_view without_time_step(std::string_view name) {
  const std::size_t end = name.rfind("_t");
  if (end == std::string_view::npos || end + 2 == name.size()) return name;
  const bool step = name.find_first_not_of("0123456789", end + 2) == std::string_view::npos;
  return step ? name.substr(0, end) : name;
}

class PaperTable {
 public:
  PaperTable(SourceTable table, const Layout& layout, Collector& collector)
      : table_(std::move(table)), layout_(layout), collector_(collector) {}

  // The column of devices is the last one, where there is one.
  Result<void> import(std::optional<std::size_t> device_column) {
    const std::size_t first = collector_.measurements.size();
    std::vector<std::int64_t> sweep;
    std::vector<std::size_t> starts;
    const Device* previous = nullptr;
    for (std::size_t row = 0; row < table_.row_count(); ++row) {
      const auto device = device_column ? collector_.named_device(table_, row, *device_column)
                                        : collector_.flag_device();
      if (!device) return std::unexpected(device.error());
      if (!collector_.take(table_, row, **device)) continue;
      const auto sizes = read_sizes(row);
      if (!sizes) return std::unexpected(sizes.error());
      const std::vector<std::int64_t> now = {sizes->a, sizes->b, sizes->c};
      // A sweep goes up through its sizes; where they fall, or the device changes, one began.
      if (*device != previous || now < sweep) starts.push_back(collector_.measurements.size());
      sweep = now;
      previous = *device;
      if (auto added = add(row, **device, *sizes); !added) return added;
    }
    if (starts.empty()) return {};
    mark_warm_up(std::span(collector_.measurements).subspan(first), shifted(starts, first));
    return {};
  }

 private:
  static std::vector<std::size_t> shifted(std::vector<std::size_t> starts, std::size_t first) {
    for (std::size_t& start : starts) start -= first;
    return starts;
  }

  Result<PaperSizes> read_sizes(std::size_t row) const {
    PaperSizes sizes;
    std::size_t column = first_size_column;
    for (std::int64_t* size : {&sizes.a, &sizes.b, &sizes.c}) {
      if (column == first_size_column + layout_.size_columns.size()) break;
      const auto value = table_.whole(row, column);
      if (!value) return std::unexpected(value.error());
      if (*value < 1 || *value > largest_size) {
        return std::unexpected(table_.bad_field(
            row, column,
            fmt::format("expected a size from 1 to {}, got {}", largest_size, *value)));
      }
      *size = *value;
      ++column;
    }
    return sizes;
  }

  Result<const PaperOperation*> find_operation(std::size_t row) const {
    const std::string_view name = without_time_step(table_.field(row, operation_column));
    std::vector<std::string> known;
    for (const PaperOperation& operation : layout_.operations) {
      for (const std::string_view candidate : operation.names) {
        if (candidate == name) return &operation;
        known.emplace_back(candidate);
      }
    }
    return std::unexpected(table_.bad_field(
        row, operation_column, fmt::format("unknown operation \"{}\"", name.substr(0, 80)),
        did_you_mean(name, known)));
  }

  Result<void> add(std::size_t row, const Device& device, const PaperSizes& sizes) {
    const auto operation = find_operation(row);
    if (!operation) return std::unexpected(operation.error());
    const auto seconds = table_.positive(row, time_column);
    if (!seconds) return std::unexpected(seconds.error());
    Measurement measurement = collector_.start(device, (*operation)->ours);
    measurement.shape = (*operation)->shape(sizes);
    measurement.duration = Seconds{*seconds};
    // The authors let PyTorch use TF32 where the device has it; only matrix products do.
    const bool product = std::holds_alternative<MatmulShape>(measurement.shape);
    const bool tf32 = product && device.peak_flops_per_second.contains(Precision::tf32);
    measurement.precision = tf32 ? MeasuredPrecision::tf32 : MeasuredPrecision::fp32;
    if (product) {
      if (auto checked = check_flops(row, measurement); !checked) return checked;
    }
    return collector_.add(std::move(measurement), table_.locate(row, operation_column));
  }

  Result<void> check_flops(std::size_t row, const Measurement& measurement) const {
    const auto stated = table_.positive(row, flops_column);
    if (!stated) return std::unexpected(stated.error());
    const double counted = least_work(measurement).flops.value();
    if (std::abs(*stated / counted - 1.0) < 1e-6) return {};
    return std::unexpected(table_.bad_field(
        row, flops_column,
        fmt::format("{} FLOPs do not follow from the sizes, which give {}", *stated, counted),
        "check the sizes and the unit of FLOPs"));
  }

  SourceTable table_;
  const Layout& layout_;
  Collector& collector_;
};

Result<void> import_paper_table(CsvTable csv, const Layout& layout, Collector& collector) {
  std::vector<std::string> columns = {layout.operation_column, layout.time_column, "FLOPs"};
  columns.insert(columns.end(), layout.size_columns.begin(), layout.size_columns.end());
  const bool names_device = csv.has_column("source");
  const std::size_t device_column = columns.size();
  if (names_device) columns.emplace_back("source");
  auto table = SourceTable::open(std::move(csv), columns, TableStrictness::others_ignored);
  if (!table) return std::unexpected(table.error());
  return PaperTable(*std::move(table), layout, collector)
      .import(names_device ? std::optional(device_column) : std::nullopt);
}

}  // namespace

Result<void> import_ecai2025_ops(CsvTable csv, Collector& collector) {
  const Layout layout{
      transformer_operations, "operation", "elapsed_time_sec", {"seq_len", "d_model"}};
  return import_paper_table(std::move(csv), layout, collector);
}

// The published table has a component per row, a digest has the median over repeats, and the raw
// tables have one row per time step.
Result<void> import_ecai2025_lstm_ops(CsvTable csv, Collector& collector) {
  const bool digest = csv.has_column("t_median_s");
  const bool published = csv.has_column("component");
  const Layout layout{lstm_operations,
                      digest      ? "op"
                      : published ? "component"
                                  : "operation",
                      digest ? "t_median_s" : "elapsed_time_sec",
                      {"batch_size", "input_size", "hidden_size"}};
  return import_paper_table(std::move(csv), layout, collector);
}

}  // namespace joulecast

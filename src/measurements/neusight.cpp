// SPDX-License-Identifier: Apache-2.0
// NeuSight's operation sweeps (github.com/sitar-lab/NeuSight): FP32 without TF32, one operation
// per file, forward, latency in milliseconds, the device named in every row.
//
// In the tables of matrix products the column N is the length of the sum and K the width of the
// result: durations are a staircase in K with the step of the kernel's tile and linear in N. They
// are read so; FLOPs would not tell, bytes and tiles do.
#include "measurements/collector.hpp"

#include <joulecast/suggest.hpp>

#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

enum Column : std::size_t { name_column, latency_column, device_column, first_size_column };

struct NamedOperation {
  std::string_view source;
  std::string_view ours;
};

using Sizes = std::vector<std::int64_t>;

struct TableKind {
  std::vector<std::string> size_columns;
  std::vector<NamedOperation> operations;
  MeasuredShape (*make)(const Sizes& sizes);
};

MeasuredShape make_matmul(const Sizes& sizes) {
  return MatmulShape{.batch = sizes[0], .m = sizes[1], .n = sizes[3], .k = sizes[2]};
}

MeasuredShape make_elements(const Sizes& sizes) {
  ElementShape shape{.elements = 0, .width = sizes[1]};
  if (__builtin_mul_overflow(sizes[0], sizes[1], &shape.elements)) shape.elements = 0;
  return shape;
}

MeasuredShape make_convolution(const Sizes& sizes) {
  return ConvolutionShape{.batch = sizes[0],
                          .in_channels = sizes[1],
                          .out_channels = sizes[2],
                          .height = sizes[4],
                          .width = sizes[4],
                          .kernel = sizes[3],
                          .stride = sizes[5],
                          .padding = sizes[6],
                          .groups = 1};
}

// "Kernel_Szie" is how the source spells it.
const std::vector<TableKind> kinds = {
    {{"B", "M", "N", "K"}, {{"linear", "linear"}, {"bmm", "batched_matmul"}}, make_matmul},
    {{"B", "Input_Channel", "Output_Channel", "Kernel_Szie", "Input_Size", "Stride", "Padding"},
     {{"conv", "convolution"}},
     make_convolution},
    {{"B", "H"},
     {{"add", "add"},
      {"mul", "multiply"},
      {"gelu", "gelu"},
      {"relu", "relu"},
      {"tanh", "tanh"},
      {"softmax", "softmax"},
      {"ln", "layer_norm"}},
     make_elements}};

// The columns of its sizes tell what a table holds.
const TableKind& kind_of(const CsvTable& csv) {
  if (csv.has_column("M") || csv.has_column("K")) return kinds[0];
  if (csv.has_column("Input_Channel") || csv.has_column("Output_Channel")) return kinds[1];
  return kinds[2];
}

Result<std::string_view> find_operation(const SourceTable& table, std::size_t row,
                                        const TableKind& kind) {
  const std::string_view name = table.field(row, name_column);
  std::vector<std::string> known;
  for (const NamedOperation& operation : kind.operations) {
    if (operation.source == name) return operation.ours;
    known.emplace_back(operation.source);
  }
  return std::unexpected(table.bad_field(
      row, name_column,
      fmt::format("unknown operation \"{}\" in a table of these columns", name.substr(0, 80)),
      did_you_mean(name, known)));
}

Result<void> import_row(const SourceTable& table, std::size_t row, const TableKind& kind,
                        Collector& collector) {
  const auto device = collector.named_device(table, row, device_column);
  if (!device) return std::unexpected(device.error());
  if (!collector.take(table, row, **device)) return {};
  const auto operation = find_operation(table, row, kind);
  if (!operation) return std::unexpected(operation.error());
  const auto duration = table.milliseconds(row, latency_column);
  if (!duration) return std::unexpected(duration.error());
  Sizes sizes;
  for (std::size_t i = 0; i < kind.size_columns.size(); ++i) {
    const auto size = table.whole(row, first_size_column + i);
    if (!size) return std::unexpected(size.error());
    sizes.push_back(*size);
  }
  Measurement measurement = collector.start(**device, *operation);
  measurement.precision = MeasuredPrecision::fp32;
  measurement.shape = kind.make(sizes);
  measurement.duration = *duration;
  return collector.add(std::move(measurement), table.locate(row, name_column));
}

}  // namespace

Result<void> import_neusight_ops(CsvTable csv, Collector& collector) {
  const TableKind& kind = kind_of(csv);
  std::vector<std::string> columns = {"OPName", "Latency", "Device"};
  columns.insert(columns.end(), kind.size_columns.begin(), kind.size_columns.end());
  const auto table = SourceTable::open(std::move(csv), columns, TableStrictness::others_ignored);
  if (!table) return std::unexpected(table.error());
  collector.expect(table->row_count());
  for (std::size_t row = 0; row < table->row_count(); ++row) {
    if (auto imported = import_row(*table, row, kind, collector); !imported) return imported;
  }
  return {};
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// NVIDIA aiconfigurator's kernel sweeps (github.com/ai-dynamo/aiconfigurator), as CSV: latency in
// milliseconds and, in some, mean board power in watts; forward kernels on one device that the
// file does not name. The power limit was the data sheet's.
#include "measurements/collector.hpp"

#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

// What the kernel formats have in common: the columns of the shape, then latency and power.
class KernelTable {
 public:
  static Result<KernelTable> open(CsvTable csv, std::vector<std::string> shape_columns,
                                  Collector& collector) {
    const auto powered = has_optional_column(csv, "power");
    if (!powered) return std::unexpected(powered.error());
    const auto device = collector.flag_device();
    if (!device) return std::unexpected(device.error());
    KernelTable opened;
    opened.device_ = *device;
    opened.powered_ = *powered;
    opened.latency_ = shape_columns.size();
    shape_columns.emplace_back("latency");
    if (*powered) shape_columns.emplace_back("power");
    auto table = SourceTable::open(std::move(csv), shape_columns, TableStrictness::others_ignored);
    if (!table) return std::unexpected(table.error());
    opened.table_ = *std::move(table);
    return opened;
  }

  [[nodiscard]] const SourceTable& table() const { return table_; }

  // `fill(measurement, row)` reads precision and shape.
  template <class Fill>
  Result<void> import(Collector& collector, std::string_view operation, Fill fill) const {
    collector.expect(table_.row_count());
    for (std::size_t row = 0; row < table_.row_count(); ++row) {
      if (!collector.take(table_, row, *device_)) continue;
      Measurement measurement = collector.start(*device_, operation);
      if (auto filled = fill(measurement, row); !filled) return filled;
      if (auto read = read_labels(measurement, row); !read) return read;
      if (auto added = collector.add(std::move(measurement), table_.locate(row, 0)); !added) {
        return added;
      }
    }
    return {};
  }

 private:
  Result<void> read_labels(Measurement& measurement, std::size_t row) const {
    const auto duration = table_.milliseconds(row, latency_);
    if (!duration) return std::unexpected(duration.error());
    measurement.duration = *duration;
    if (!powered_) return {};
    if (const auto& limit = device_->thermal_design_power) measurement.power_limit = limit->value;
    const std::size_t column = latency_ + 1;
    if (!table_.field(row, column).empty()) {
      const auto power = table_.number(row, column);
      if (!power) return std::unexpected(power.error());
      if (*power < 0.0) return std::unexpected(table_.positive(row, column).error());
      if (*power > 0.0) {
        measurement.power = Watts{*power};
        measurement.energy_kind = EnergyKind::board;
        return {};
      }
    }
    measurement.marks.add(Mark::energy_not_measured);
    return {};
  }

  SourceTable table_;
  const Device* device_ = nullptr;
  std::size_t latency_ = 0;
  bool powered_ = false;
};

// Whole numbers of a row into the members of a shape, the first column at `first`.
template <class... Sizes>
Result<void> read_sizes(const SourceTable& table, std::size_t row, std::size_t first,
                        Sizes&... sizes) {
  Result<void> read;
  std::size_t column = first;
  const auto read_one = [&](std::int64_t& size) {
    const auto value = table.whole(row, column++);
    if (!value && read) read = std::unexpected(value.error());
    if (value) size = *value;
  };
  (read_one(sizes), ...);
  return read;
}

Result<MeasuredPrecision> read_precision(const SourceTable& table, std::size_t row,
                                         std::size_t column) {
  const std::string_view name = table.field(row, column);
  if (name == "bfloat16") return MeasuredPrecision::bf16;
  if (name == "float16") return MeasuredPrecision::fp16;
  if (name == "fp8") return MeasuredPrecision::fp8;
  if (name == "fp8_block") return MeasuredPrecision::fp8_block;
  if (name == "nvfp4") return MeasuredPrecision::nvfp4;
  return std::unexpected(
      table.bad_field(row, column, fmt::format("unknown number format \"{}\"", name.substr(0, 80)),
                      "known are bfloat16, float16, fp8, fp8_block and nvfp4"));
}

}  // namespace

Result<void> import_aiconfigurator_gemm(CsvTable csv, Collector& collector) {
  const auto device = collector.flag_device();
  if (!device) return std::unexpected(device.error());
  auto stated = has_optional_column(csv, "gemm_dtype");
  if (!stated) return std::unexpected(stated.error());
  // Columns that were constant were dropped. Without FP8 arithmetic there is only one format it
  // can have been; elsewhere its absence would be a guess.
  std::vector<std::string> columns = {"m", "n", "k"};
  const bool assumed = !*stated && !(*device)->peak_flops_per_second.contains(Precision::fp8);
  if (!assumed) columns.emplace_back("gemm_dtype");
  const auto kernels = KernelTable::open(std::move(csv), std::move(columns), collector);
  if (!kernels) return std::unexpected(kernels.error());
  return kernels->import(
      collector, "linear", [&](Measurement& measurement, std::size_t row) -> Result<void> {
        MatmulShape shape;
        auto read = read_sizes(kernels->table(), row, 0, shape.m, shape.n, shape.k);
        if (!read) return read;
        measurement.shape = shape;
        measurement.precision = MeasuredPrecision::bf16;
        if (assumed) return {};
        const auto precision = read_precision(kernels->table(), row, 3);
        if (!precision) return std::unexpected(precision.error());
        measurement.precision = *precision;
        return {};
      });
}

// Prefill: every query sees the keys before it; FP8 means the cache of keys and values.
Result<void> import_aiconfigurator_attention(CsvTable csv, Collector& collector) {
  const auto kernels = KernelTable::open(std::move(csv),
                                         {"batch_size", "isl", "num_heads", "num_key_value_heads",
                                          "head_dim", "window_size", "kv_cache_dtype"},
                                         collector);
  if (!kernels) return std::unexpected(kernels.error());
  return kernels->import(
      collector, "attention", [&](Measurement& measurement, std::size_t row) -> Result<void> {
        AttentionShape shape;
        shape.causal = true;
        auto read = read_sizes(kernels->table(), row, 0, shape.batch, shape.sequence, shape.heads,
                               shape.kv_heads, shape.head_size, shape.window);
        if (!read) return read;
        const auto precision = read_precision(kernels->table(), row, 6);
        if (!precision) return std::unexpected(precision.error());
        shape.kv_sequence = shape.sequence;
        shape.kv_precision = *precision;
        measurement.precision = MeasuredPrecision::bf16;
        measurement.shape = shape;
        return {};
      });
}

Result<void> import_aiconfigurator_encoder_attention(CsvTable csv, Collector& collector) {
  const auto kernels =
      KernelTable::open(std::move(csv), {"batch_size", "isl", "num_heads", "head_dim"}, collector);
  if (!kernels) return std::unexpected(kernels.error());
  return kernels->import(collector, "encoder_attention",
                         [&](Measurement& measurement, std::size_t row) -> Result<void> {
                           AttentionShape shape;
                           auto read = read_sizes(kernels->table(), row, 0, shape.batch,
                                                  shape.sequence, shape.heads, shape.head_size);
                           if (!read) return read;
                           shape.kv_sequence = shape.sequence;
                           shape.kv_heads = shape.heads;
                           measurement.precision = MeasuredPrecision::bf16;
                           measurement.shape = shape;
                           return {};
                         });
}

Result<void> import_aiconfigurator_moe(CsvTable csv, Collector& collector) {
  const auto kernels =
      KernelTable::open(std::move(csv),
                        {"num_tokens", "hidden_size", "inter_size", "topk", "num_experts",
                         "moe_tp_size", "moe_ep_size", "distribution", "moe_dtype"},
                        collector);
  if (!kernels) return std::unexpected(kernels.error());
  return kernels->import(
      collector, "moe", [&](Measurement& measurement, std::size_t row) -> Result<void> {
        MoeShape shape;
        auto read = read_sizes(kernels->table(), row, 0, shape.tokens, shape.hidden_size,
                               shape.intermediate_size, shape.top_k, shape.num_experts,
                               shape.tensor_parallel_size, shape.expert_parallel_size);
        if (!read) return read;
        shape.distribution = kernels->table().field(row, 7);
        if (shape.distribution.empty()) {
          return std::unexpected(kernels->table().bad_field(row, 7, "the distribution is empty"));
        }
        const auto precision = read_precision(kernels->table(), row, 8);
        if (!precision) return std::unexpected(precision.error());
        measurement.precision = *precision;
        measurement.shape = std::move(shape);
        return {};
      });
}

// The scale of FP8 activations: an m x k matrix in 16 bits is read, little is written.
Result<void> import_aiconfigurator_computescale(CsvTable csv, Collector& collector) {
  const auto kernels = KernelTable::open(std::move(csv), {"m", "k"}, collector);
  if (!kernels) return std::unexpected(kernels.error());
  return kernels->import(collector, "compute_scale",
                         [&](Measurement& measurement, std::size_t row) -> Result<void> {
                           std::int64_t m = 0;
                           std::int64_t k = 0;
                           auto read = read_sizes(kernels->table(), row, 0, m, k);
                           if (!read) return read;
                           ElementShape shape;
                           shape.width = k;
                           if (__builtin_mul_overflow(m, k, &shape.elements)) shape.elements = 0;
                           measurement.precision = MeasuredPrecision::fp8;
                           measurement.shape = shape;
                           return {};
                         });
}

}  // namespace joulecast

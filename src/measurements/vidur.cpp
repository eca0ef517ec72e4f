// SPDX-License-Identifier: Apache-2.0
// vidur's profiles of Transformer layers (github.com/microsoft/vidur, mlp.csv): FP16 forward
// operations, one row per number of tokens and tensor-parallel size with statistics in
// milliseconds, of which the median is read. Each row becomes one measurement per operation that
// the table has. The device is the folder below `compute/`, unless --device states it.
#include "measurements/collector.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

enum Column : std::size_t {
  heads_column,
  kv_heads_column,
  hidden_column,
  expanded_column,
  gated_column,
  tokens_column,
  parallel_column,
  first_time_column,
};

const std::vector<std::string> size_columns = {"n_head",
                                               "n_kv_head",
                                               "n_embd",
                                               "n_expanded_embd",
                                               "use_gated_mlp",
                                               "num_tokens",
                                               "num_tensor_parallel_workers"};

// The sizes of one layer as one of the tensor-parallel workers has them.
struct Layer {
  std::int64_t tokens = 0;
  std::int64_t hidden = 0;
  std::int64_t heads = 0;     // of this worker
  std::int64_t kv_heads = 0;  // of this worker
  std::int64_t head_size = 0;
  std::int64_t expanded = 0;  // of this worker
  bool gated = false;
};

MeasuredShape matmul(const Layer& layer, std::int64_t n, std::int64_t k) {
  return MatmulShape{.batch = 1, .m = layer.tokens, .n = n, .k = k};
}
MeasuredShape elements(const Layer& layer, std::int64_t width) {
  return ElementShape{.elements = layer.tokens * width, .width = width};
}

struct LayerOperation {
  std::string_view source;
  std::string_view (*name)(const Layer& layer);
  MeasuredShape (*shape)(const Layer& layer);
};

// Llama's family norms by the root mean square; phi-2, the one without gates, by mean and variance.
std::string_view norm_name(const Layer& layer) { return layer.gated ? "rms_norm" : "layer_norm"; }

const std::vector<LayerOperation> operations = {
    {"emb", [](const Layer&) -> std::string_view { return "embedding"; },
     [](const Layer& layer) { return elements(layer, layer.hidden); }},
    {"input_layernorm", norm_name,
     [](const Layer& layer) { return elements(layer, layer.hidden); }},
    {"attn_pre_proj", [](const Layer&) -> std::string_view { return "qkv_projection"; },
     [](const Layer& layer) {
       return matmul(layer, (layer.heads + 2 * layer.kv_heads) * layer.head_size, layer.hidden);
     }},
    {"attn_rope", [](const Layer&) -> std::string_view { return "rotary_embedding"; },
     [](const Layer& layer) {
       return elements(layer, (layer.heads + layer.kv_heads) * layer.head_size);
     }},
    {"attn_post_proj",
     [](const Layer&) -> std::string_view { return "attention_output_projection"; },
     [](const Layer& layer) { return matmul(layer, layer.hidden, layer.heads * layer.head_size); }},
    {"post_attention_layernorm", norm_name,
     [](const Layer& layer) { return elements(layer, layer.hidden); }},
    {"mlp_up_proj", [](const Layer&) -> std::string_view { return "feed_forward_up"; },
     [](const Layer& layer) {
       return matmul(layer, (layer.gated ? 2 : 1) * layer.expanded, layer.hidden);
     }},
    {"mlp_act",
     [](const Layer& layer) -> std::string_view { return layer.gated ? "silu_multiply" : "gelu"; },
     [](const Layer& layer) { return elements(layer, layer.expanded); }},
    {"mlp_down_proj", [](const Layer&) -> std::string_view { return "feed_forward_down"; },
     [](const Layer& layer) { return matmul(layer, layer.hidden, layer.expanded); }},
    {"add", [](const Layer&) -> std::string_view { return "add"; },
     [](const Layer& layer) { return elements(layer, layer.hidden); }},
};

std::string median_column(const LayerOperation& operation) {
  return fmt::format("time_stats.{}.median", operation.source);
}

// Models differ in their operations, so a column may be absent; but whatever the table times must
// be known and have its median, or a renamed column would be lost without a word.
Result<std::vector<const LayerOperation*>> timed_operations(const CsvTable& csv) {
  constexpr std::string_view prefix = "time_stats.";
  std::vector<const LayerOperation*> present;
  for (std::string_view column : csv.header()) {
    if (!column.starts_with(prefix)) continue;
    column.remove_prefix(prefix.size());
    const std::string_view name = column.substr(0, column.find('.'));
    const auto found = std::ranges::find(operations, name, &LayerOperation::source);
    if (found == operations.end()) {
      return std::unexpected(
          Error{ErrorKind::schema, fmt::format("unknown operation \"{}\"", name.substr(0, 80)),
                Location{.file = csv.file(), .path = {}, .line = 1, .column = 1}, ""});
    }
    if (std::ranges::find(present, &*found) == present.end()) present.push_back(&*found);
  }
  if (present.empty()) present.push_back(&operations.front());  // its absence is then the error
  return present;
}

// a100, a40 and h100 are SXM or the only board there is.
std::optional<std::string> device_in_path(const std::filesystem::path& path) {
  bool found = false;
  for (const auto& part : path) {
    if (found) {
      if (part == "a100") return "a100-80gb-sxm";
      if (part == "h100") return "h100-80gb-sxm";
      return part.string();
    }
    found = part == "compute";
  }
  return {};
}

Result<Layer> read_layer(const SourceTable& table, std::size_t row) {
  std::vector<std::int64_t> sizes(first_time_column);
  for (std::size_t column = 0; column < first_time_column; ++column) {
    if (column == gated_column) continue;
    const auto size = table.whole(row, column);
    if (!size) return std::unexpected(size.error());
    constexpr std::int64_t largest = std::int64_t{1} << 20;
    if (*size < 1 || *size > largest) {
      return std::unexpected(table.bad_field(
          row, column, fmt::format("expected a size from 1 to {}, got {}", largest, *size)));
    }
    sizes[column] = *size;
  }
  const std::string_view gated = table.field(row, gated_column);
  if (gated != "True" && gated != "False") {
    return std::unexpected(table.bad_field(
        row, gated_column, fmt::format("expected True or False, got \"{}\"", gated.substr(0, 80))));
  }
  const std::int64_t workers = sizes[parallel_column];
  if (sizes[hidden_column] % sizes[heads_column] != 0 || sizes[heads_column] % workers != 0 ||
      sizes[kv_heads_column] % workers != 0 || sizes[expanded_column] % workers != 0) {
    return std::unexpected(
        table.bad_field(row, parallel_column, "heads or widths do not divide by the workers"));
  }
  return Layer{.tokens = sizes[tokens_column],
               .hidden = sizes[hidden_column],
               .heads = sizes[heads_column] / workers,
               .kv_heads = sizes[kv_heads_column] / workers,
               .head_size = sizes[hidden_column] / sizes[heads_column],
               .expanded = sizes[expanded_column] / workers,
               .gated = gated == "True"};
}

Result<void> import_row(const SourceTable& table, std::size_t row,
                        const std::vector<const LayerOperation*>& present, const Device& device,
                        Collector& collector) {
  const auto layer = read_layer(table, row);
  if (!layer) return std::unexpected(layer.error());
  for (std::size_t i = 0; i < present.size(); ++i) {
    const auto median = table.milliseconds(row, first_time_column + i);
    if (!median) return std::unexpected(median.error());
    Measurement measurement = collector.start(device, present[i]->name(*layer));
    measurement.precision = MeasuredPrecision::fp16;
    measurement.shape = present[i]->shape(*layer);
    measurement.duration = *median;
    auto added = collector.add(std::move(measurement), table.locate(row, first_time_column + i));
    if (!added) return added;
  }
  return {};
}

}  // namespace

Result<void> import_vidur_ops(CsvTable csv, Collector& collector) {
  const auto device = collector.device_or(device_in_path(collector.file()));
  if (!device) return std::unexpected(device.error());
  collector.name_source(
      (collector.file().parent_path().filename() / collector.file().filename()).string());
  const auto present = timed_operations(csv);
  if (!present) return std::unexpected(present.error());
  std::vector<std::string> columns = size_columns;
  for (const LayerOperation* operation : *present) columns.push_back(median_column(*operation));
  const auto table = SourceTable::open(std::move(csv), columns, TableStrictness::others_ignored);
  if (!table) return std::unexpected(table.error());
  collector.expect(table->row_count() * present->size());
  for (std::size_t row = 0; row < table->row_count(); ++row) {
    if (!collector.take(*table, row, **device)) continue;
    if (auto imported = import_row(*table, row, *present, **device, collector); !imported) {
      return imported;
    }
  }
  return {};
}

}  // namespace joulecast

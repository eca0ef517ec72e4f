// SPDX-License-Identifier: Apache-2.0
#include "reports/common.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

std::string_view title_of(MemoryPartKind kind) {
  switch (kind) {
    case MemoryPartKind::parameters: return "parameters";
    case MemoryPartKind::gradients: return "gradients";
    case MemoryPartKind::optimizer_states: return "optimizer states";
    case MemoryPartKind::weight_copies: return "copies of weights for the products";
    case MemoryPartKind::activations: return "activations kept for the backward pass";
    case MemoryPartKind::loss: return "scores and loss";
    case MemoryPartKind::workspace: return "workspace and temporaries";
    case MemoryPartKind::margin: return "margin for fragmentation";
  }
  return "";
}

std::string verdict_of(const MemoryPrediction& memory) {
  if (!memory.available) return "not known: the device's memory is not stated";
  const double over = static_cast<double>(memory.need.peak_bytes) - memory.available->value();
  if (over <= 0.0) return "fits";
  return fmt::format("does not fit by {}", show(over, Unit::bytes));
}

}  // namespace

Table list_memory(const MemoryNeed& need) {
  Table table{.key = "memory_parts",
              .title = "Memory of one GPU",
              .columns = {{"part", "", Unit::none},
                          {"part_text", "part", Unit::none},
                          {"backward_bytes", "backward pass begins", Unit::bytes},
                          {"update_bytes", "optimizer updates", Unit::bytes}}};
  for (const MemoryPart& part : need.parts) {
    table.rows.push_back({std::string(to_string(part.kind)), std::string(title_of(part.kind)),
                          part.backward_bytes, part.update_bytes});
  }
  table.rows.push_back(
      {std::string("total"), std::string("total"), need.backward_bytes, need.update_bytes});
  return table;
}

Fields describe_memory(const MemoryPrediction& memory) {
  const bool known = memory.available.has_value();
  const auto& largest = memory.largest_batch_size;
  return {
      .key = "memory",
      .title = "",
      .fields = {{"peak_bytes", "memory needed", Unit::bytes, memory.need.peak_bytes},
                 {"available_bytes", "memory of the device", Unit::bytes, datum(memory.available)},
                 {"fits", "", Unit::none, known ? Datum(memory.fits()) : Datum(std::monostate{})},
                 {"verdict", "verdict", Unit::none, verdict_of(memory)},
                 {"largest_batch_size", largest ? "largest batch size that fits" : "", Unit::count,
                  largest ? Datum(*largest) : Datum(std::monostate{})}}};
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small models made by hand, and the operations of a step as readable rows. Sizes are distinct
// primes where they can be, so that swapping two of them changes every count.

#include <joulecast/operation.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <vector>

namespace joulecast {

inline Model model_of(BlockShape shape) {
  return {.name = "tiny", .family = "custom", .blocks = {{.name = "body", .shape = shape}}};
}

// B = 3, S = 7 unless stated, FP32 and the optimizer with the least work.
inline TrainingSetup tiny_setup() {
  return {.batch_size = 3, .sequence_length = 7, .optimizer = Optimizer::sgd};
}

// D = 10, h = 2 (d = 5), F = 11, 13 layers.
inline TransformerBlock tiny_transformer() {
  return {.num_hidden_layers = 13,
          .hidden_size = 10,
          .attention = {.num_attention_heads = 2},
          .feed_forward = {.intermediate_size = 11}};
}

// I = 5, H = 11.
inline RecurrentBlock tiny_recurrent(RecurrentBlock::Cell cell, std::int64_t num_layers = 1,
                                     bool bidirectional = false) {
  return {.cell = cell,
          .num_layers = num_layers,
          .input_size = 5,
          .hidden_size = 11,
          .bidirectional = bidirectional};
}

// "qkv_projection forward: 12600 FLOP, 4560 B, 13 times".
inline std::string row_of(const Operation& operation) {
  return fmt::format("{} {}: {} FLOP, {} B, {} times", operation.name, to_string(operation.phase),
                     operation.flops, operation.bytes_moved, operation.count);
}

inline std::vector<std::string> rows_of(const std::vector<Operation>& operations) {
  std::vector<std::string> rows;
  for (const Operation& operation : operations) rows.push_back(row_of(operation));
  return rows;
}

// By value, so that a loop can stand over it.
inline std::vector<Operation> operations_of(const Model& model, const TrainingSetup& setup) {
  return list_operations(model, setup).value();
}

// Without the optimizer, whose work follows from the parameters alone.
inline std::vector<std::string> block_rows(const Model& model, const TrainingSetup& setup) {
  auto operations = operations_of(model, setup);
  std::erase_if(operations, [](const Operation& operation) {
    return operation.phase == Phase::optimizer_step;
  });
  return rows_of(operations);
}

inline std::vector<Operation> named(std::vector<Operation> operations, std::string_view name) {
  std::erase_if(operations, [&](const Operation& operation) { return operation.name != name; });
  return operations;
}

inline std::vector<Operation> in_phase(std::vector<Operation> operations, Phase phase) {
  std::erase_if(operations, [&](const Operation& operation) { return operation.phase != phase; });
  return operations;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much device memory does a training step need, and does it fit?
//
// The convention is PyTorch's: autograd keeps what each operation's derivative needs, mixed
// precision is autocast (FP32 weights, gradients and optimizer states; a copy of each weight in 16
// bits for the products), gradients are set to none between steps. Layers are built as transformers
// builds them. docs/theory.md has the equations, docs/accuracy.md how they compare with measured
// steps.

#include <joulecast/error.hpp>
#include <joulecast/model.hpp>
#include <joulecast/training.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace joulecast {

enum class MemoryPartKind {
  parameters,
  gradients,
  optimizer_states,
  weight_copies,  // in 16 or 8 bits, for the products
  activations,    // kept for the backward pass
  loss,           // the scores and what their loss keeps
  workspace,      // of kernels, and temporaries
  margin          // for what the allocator cannot use
};

inline constexpr std::array all_memory_parts = {
    MemoryPartKind::parameters,    MemoryPartKind::gradients,   MemoryPartKind::optimizer_states,
    MemoryPartKind::weight_copies, MemoryPartKind::activations, MemoryPartKind::loss,
    MemoryPartKind::workspace,     MemoryPartKind::margin};

// What a part holds at the two moments of a step that need most: when the backward pass begins, and
// while the optimizer updates.
struct MemoryPart {
  MemoryPartKind kind = MemoryPartKind::parameters;
  std::int64_t backward_bytes = 0;
  std::int64_t update_bytes = 0;

  bool operator==(const MemoryPart&) const = default;
};

struct MemoryNeed {
  std::vector<MemoryPart> parts{};  // one of each kind, in their order
  std::int64_t backward_bytes = 0;  // the sum of the parts
  std::int64_t update_bytes = 0;
  std::int64_t peak_bytes = 0;  // the larger of the two
};

// Errors: those of list_operations for sizes and lengths; unsupported, for the paper's convention;
// overflow.
Result<MemoryNeed> count_memory(const Model& model, const TrainingSetup& setup);

// The largest batch per device whose need is at most that; absent if not even one sequence fits.
// Errors: those of count_memory for a batch of one.
Result<std::optional<std::int64_t>> find_largest_batch(const Model& model, TrainingSetup setup,
                                                       std::int64_t available_bytes);

std::string_view to_string(MemoryPartKind kind);

}  // namespace joulecast

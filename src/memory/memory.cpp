// SPDX-License-Identifier: Apache-2.0
// With P parameters of which T are trained, all in FP32, and what the blocks keep (tape.hpp):
//   backward begins: 4 P + states + kept + workspace + gradients of the scores; the gradients
//                    themselves (4 T) only where earlier batches of the same step left them
//   optimizer:       4 P + states + 4 T + workspace + the optimizer's temporaries
// and a margin on each. In between, activations are freed while gradients appear.
#include <joulecast/memory.hpp>

#include <joulecast/operation.hpp>
#include <joulecast/optimizer.hpp>

#include "memory/blocks.hpp"

#include <algorithm>

namespace joulecast {
namespace {

// cuBLAS and cuBLASLt take 32 MiB each on a Hopper GPU, the most of any: 68 MB beside tensors in
// the measured steps of small models (docs/accuracy.md).
constexpr std::int64_t library_workspace = std::int64_t{2} << 25U;
// What the allocator reserves over its peak: at most a ninth in three of four measured steps that
// need 4 GB and more (docs/accuracy.md). One part in 8.
constexpr std::int64_t margin_divisor = 8;

// What does not depend on the batch.
struct FixedNeed {
  Count parameters = 0;
  Count gradients = 0;
  Count states = 0;
  Count temporaries = 0;
};

// PyTorch updates all tensors of Adam at once, with a temporary for each (foreach). Others take
// theirs tensor by tensor.
Count temporaries_of(Optimizer optimizer, const std::vector<ParameterShape>& tensors, Count all) {
  if (optimizer == Optimizer::adam || optimizer == Optimizer::adamw) return all;
  if (optimizer != Optimizer::adafactor && optimizer != Optimizer::lion) return 0;
  std::int64_t largest = 0;
  for (const ParameterShape& shape : tensors) {
    largest = std::max(largest, numbers_in(shape).value());
  }
  return 4 * Count{largest};
}

Result<FixedNeed> count_fixed(const Model& model, Optimizer optimizer) {
  const auto all = count_all_parameters(model);
  if (!all) return std::unexpected(all.error());
  const auto trained = count_trainable_parameters(model);
  if (!trained) return std::unexpected(trained.error());
  const auto tensors = list_trainable_tensors(model);
  if (!tensors) return std::unexpected(tensors.error());
  FixedNeed need;
  need.parameters = 4 * Count{*all};
  need.gradients = 4 * Count{*trained};
  need.states = count_optimizer(optimizer, *tensors).state_bytes;
  need.temporaries = temporaries_of(optimizer, *tensors, need.gradients);
  return need;
}

SavedBytes count_saved(const Model& model, const TrainingSetup& setup) {
  Tape tape(setup);
  Flow flow{.tape = tape, .value = {.has_gradient = false}};
  for (const Block& block : model.blocks) {
    const bool fixed = block.positions.kind == Positions::Kind::fixed;
    const bool target = block.positions.kind == Positions::Kind::target;
    const Count length = target ? setup.target_sequence_length.value_or(setup.sequence_length)
                                : setup.sequence_length;
    flow.height = fixed ? Count{block.positions.height} : length;
    flow.width = fixed ? block.positions.width : 1;
    std::visit([&](const auto& shape) { keep_block(flow, shape); }, block.shape);
  }
  return tape.saved();
}

struct Moments {
  Count backward = 0;
  Count update = 0;
};

Moments moments_of(MemoryPartKind kind, const FixedNeed& fixed, const SavedBytes& saved,
                   const TrainingSetup& setup) {
  switch (kind) {
    case MemoryPartKind::parameters: return {fixed.parameters, fixed.parameters};
    case MemoryPartKind::gradients:
      return {setup.accumulation_steps > 1 ? fixed.gradients : Count{0}, fixed.gradients};
    case MemoryPartKind::optimizer_states: return {fixed.states, fixed.states};
    case MemoryPartKind::weight_copies: return {saved.weight_copies, 0};
    case MemoryPartKind::activations: return {saved.activations, 0};
    case MemoryPartKind::loss: return {saved.loss, 0};
    case MemoryPartKind::workspace:
      return {library_workspace + saved.loss_gradients, library_workspace + fixed.temporaries};
    case MemoryPartKind::margin: return {};
  }
  return {};
}

Count share_of(Count sum) { return sum.overflowed() ? sum : Count{sum.value() / margin_divisor}; }

std::optional<MemoryNeed> sum_parts(const FixedNeed& fixed, const SavedBytes& saved,
                                    const TrainingSetup& setup) {
  MemoryNeed need;
  Moments sum;
  for (const MemoryPartKind kind : all_memory_parts) {
    Moments part = moments_of(kind, fixed, saved, setup);
    if (kind == MemoryPartKind::margin) part = {share_of(sum.backward), share_of(sum.update)};
    sum.backward += part.backward;
    sum.update += part.update;
    need.parts.push_back({kind, part.backward.value(), part.update.value()});
  }
  if (sum.backward.overflowed() || sum.update.overflowed()) return std::nullopt;
  need.backward_bytes = sum.backward.value();
  need.update_bytes = sum.update.value();
  need.peak_bytes = std::max(need.backward_bytes, need.update_bytes);
  return need;
}

Error overflow_of(const Model& model) {
  return {ErrorKind::overflow, "the bytes that a step keeps exceed 64 bits",
          Location{.file = model.file, .path = {}},
          "check the model's sizes, the batch size and the sequence length"};
}

Result<void> check_memory_request(const Model& model, const TrainingSetup& setup) {
  if (setup.convention == Convention::ecai2025) {
    return std::unexpected(Error{ErrorKind::unsupported, "the paper does not treat memory",
                                 Location{.file = {}, .path = "--convention"},
                                 "leave --convention out"});
  }
  // Whatever has no list of operations has no memory, either.
  const auto operations = list_operations(model, setup);
  if (!operations) return std::unexpected(operations.error());
  return {};
}

}  // namespace

Result<MemoryNeed> count_memory(const Model& model, const TrainingSetup& setup) {
  if (auto checked = check_memory_request(model, setup); !checked) {
    return std::unexpected(checked.error());
  }
  const auto fixed = count_fixed(model, setup.optimizer);
  if (!fixed) return std::unexpected(fixed.error());
  auto need = sum_parts(*fixed, count_saved(model, setup), setup);
  if (!need) return std::unexpected(overflow_of(model));
  return *need;
}

// Every part grows with the batch or stays, so what fits is an interval from 1 on.
Result<std::optional<std::int64_t>> find_largest_batch(const Model& model, TrainingSetup setup,
                                                       std::int64_t available_bytes) {
  setup.batch_size = 1;
  if (auto checked = check_memory_request(model, setup); !checked) {
    return std::unexpected(checked.error());
  }
  const auto fixed = count_fixed(model, setup.optimizer);
  if (!fixed) return std::unexpected(fixed.error());
  const auto fits = [&](std::int64_t batch) {
    setup.batch_size = batch;
    const auto need = sum_parts(*fixed, count_saved(model, setup), setup);
    return need && need->peak_bytes <= available_bytes;
  };
  if (!fits(1)) return std::nullopt;
  constexpr std::int64_t most = std::int64_t{1} << 40U;  // of check_training
  std::int64_t fitting = 1;
  std::int64_t failing = 2;
  while (failing <= most && fits(failing)) {
    fitting = failing;
    failing *= 2;
  }
  while (failing - fitting > 1) {
    const std::int64_t middle = fitting + (failing - fitting) / 2;
    (fits(middle) ? fitting : failing) = middle;
  }
  return fitting;
}

std::string_view to_string(MemoryPartKind kind) {
  switch (kind) {
    case MemoryPartKind::parameters: return "parameters";
    case MemoryPartKind::gradients: return "gradients";
    case MemoryPartKind::optimizer_states: return "optimizer_states";
    case MemoryPartKind::weight_copies: return "weight_copies";
    case MemoryPartKind::activations: return "activations";
    case MemoryPartKind::loss: return "loss";
    case MemoryPartKind::workspace: return "workspace";
    case MemoryPartKind::margin: return "margin";
  }
  return "unknown";
}

}  // namespace joulecast

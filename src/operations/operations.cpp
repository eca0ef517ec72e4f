// SPDX-License-Identifier: Apache-2.0
#include <joulecast/operation.hpp>

#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

// Lengths that the model needs are there, and one for a decoder that it lacks is not.
Result<void> check_lengths_stated(const Model& model, const TrainingSetup& setup) {
  const SequenceUse use = sequences_of(model);
  const auto fail = [](const char* flag, std::string message, const char* remedy) {
    return std::unexpected(
        Error{ErrorKind::usage, std::move(message), Location{.file = {}, .path = flag}, remedy});
  };
  if (setup.target_sequence_length && !use.target) {
    return fail("--target-sequence-length",
                fmt::format("{} has no decoder with sequences of its own", model.name),
                "leave it out; --sequence-length is that of the model");
  }
  const bool needed = use.sequence || (use.target && !setup.target_sequence_length);
  if (needed && setup.sequence_length == 0) {
    return fail("--sequence-length", "the flag is missing", "add e.g. --sequence-length 512");
  }
  return {};
}

Result<void> check_length(const Model& model, const TrainingSetup& setup) {
  if (auto stated = check_lengths_stated(model, setup); !stated) return stated;
  if (!model.max_sequence_length || setup.sequence_length <= *model.max_sequence_length) return {};
  return std::unexpected(Error{ErrorKind::value,
                               fmt::format("--sequence-length {} exceeds the model's {} positions",
                                           setup.sequence_length, *model.max_sequence_length),
                               Location{.file = model.file, .path = "max_position_embeddings"},
                               fmt::format("choose at most {}", *model.max_sequence_length)});
}

}  // namespace

Result<std::vector<Operation>> list_operations(const Model& model, const TrainingSetup& setup) {
  if (auto checked = check_training(setup); !checked) return std::unexpected(checked.error());
  if (auto checked = check_model(model, setup.convention); !checked) {
    return std::unexpected(checked.error());
  }
  if (auto checked = check_length(model, setup); !checked) return std::unexpected(checked.error());
  if (setup.convention == Convention::ecai2025) return list_paper_operations(model, setup);

  const auto parameters = count_trainable_parameters(model);
  if (!parameters) return std::unexpected(parameters.error());
  const auto tensors = list_trainable_tensors(model);
  if (!tensors) return std::unexpected(tensors.error());
  Emitter emitter(setup, model.file);
  for (const Block& block : model.blocks) {
    emitter.begin_block(block.name, emitter.extent_of(block.positions));
    std::visit([&](const auto& shape) { emit_block(emitter, shape); }, block.shape);
  }
  emitter.begin_block("optimizer");
  if (setup.accumulation_steps > 1) emitter.accumulation(*parameters);
  if (setup.clip_gradients) emitter.clipping(*parameters);
  emitter.optimizer(*parameters, count_optimizer(setup.optimizer, *tensors));
  return std::move(emitter).take();
}

Flops total_flops(const std::vector<Operation>& operations) {
  Flops total;
  for (const Operation& operation : operations) {
    total += Flops{static_cast<double>(operation.flops) * static_cast<double>(operation.count)};
  }
  return total;
}

Bytes total_bytes_moved(const std::vector<Operation>& operations) {
  Bytes total;
  for (const Operation& operation : operations) {
    total +=
        Bytes{static_cast<double>(operation.bytes_moved) * static_cast<double>(operation.count)};
  }
  return total;
}

std::string_view to_string(OperationKind kind) {
  switch (kind) {
    case OperationKind::matmul: return "matmul";
    case OperationKind::convolution: return "convolution";
    case OperationKind::normalization: return "normalization";
    case OperationKind::softmax: return "softmax";
    case OperationKind::elementwise: return "elementwise";
    case OperationKind::embedding: return "embedding";
    case OperationKind::loss: return "loss";
    case OperationKind::optimizer: return "optimizer";
  }
  return "unknown";
}

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::forward: return "forward";
    case Phase::recompute: return "recompute";
    case Phase::backward_input: return "backward_input";
    case Phase::backward_weight: return "backward_weight";
    case Phase::optimizer_step: return "optimizer_step";
  }
  return "unknown";
}

std::string describe(const OperationShape& shape) {
  if (const auto* matmul = std::get_if<MatmulShape>(&shape)) {
    const std::string product = fmt::format("{}x{}x{}", matmul->m, matmul->n, matmul->k);
    return matmul->batch == 1 ? product : fmt::format("{}*{}", matmul->batch, product);
  }
  if (const auto* grouped = std::get_if<GroupedMatmulShape>(&shape)) {
    return fmt::format("{}x{}x{} in {}", grouped->m, grouped->n, grouped->k, grouped->groups);
  }
  if (const auto* held = std::get_if<ConvolutionShape>(&shape)) {
    const std::string kernel = held->one_dimensional
                                   ? fmt::format("{}", held->kernel)
                                   : fmt::format("{}x{}", held->kernel, held->kernel);
    return fmt::format("{}*{}x{}x{} to {} by {}", held->batch, held->in_channels, held->height,
                       held->width, held->out_channels, kernel);
  }
  return fmt::format("{}", std::get<ElementShape>(shape).elements);
}

}  // namespace joulecast

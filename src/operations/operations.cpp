// SPDX-License-Identifier: Apache-2.0
#include <joulecast/operation.hpp>

#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

Result<void> check_length(const Model& model, const TrainingSetup& setup) {
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
  Emitter emitter(setup, model.file);
  for (const Block& block : model.blocks) {
    emitter.begin_block(block.name, emitter.extent_of(block.positions));
    std::visit([&](const auto& shape) { emit_block(emitter, shape); }, block.shape);
  }
  emitter.begin_block("optimizer");
  emitter.optimizer(*parameters, foreach_cost(setup.optimizer), 4);
  return std::move(emitter).take();
}

bool runs_fused(const Attention& attention, const TrainingSetup& setup) {
  const auto& positions = attention.positions;
  const bool plain = std::holds_alternative<std::monostate>(positions) ||
                     std::holds_alternative<RotaryPositions>(positions);
  return setup.attention == AttentionImplementation::fused && plain && !attention.logit_softcap;
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
    case OperationKind::attention: return "attention";
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
  if (const auto* fused = std::get_if<FusedAttentionShape>(&shape)) {
    return fmt::format("{}*{}*{}x{}x{}", fused->batch, fused->heads, fused->queries, fused->keys,
                       fused->query_head_dim);
  }
  return fmt::format("{}", std::get<ElementShape>(shape).elements);
}

}  // namespace joulecast

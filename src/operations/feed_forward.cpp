// SPDX-License-Identifier: Apache-2.0
// Feed-forward networks and mixtures of them. FLOPs forward per layer with R = B S rows, width D,
// feed-forward width F: 4 R D F (Mayaki & Charpenay, ECAI 2025, section 3), gated 6 R D F (Shazeer
// 2020, arXiv:2002.05202). Of E experts each row visits k, so the experts' products have R k rows
// in all, split as evenly as may be; the router costs 2 R D E (Shazeer et al. 2017,
// arXiv:1701.06538). No row is dropped: capacity is not limited.
#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"
#include "operations/sublayers.hpp"

#include <algorithm>

namespace joulecast {
namespace {

struct NetworkNames {
  std::string_view up, gate_up, activation, gate, down;
};

constexpr NetworkNames plain_names{"feed_forward_up", "feed_forward_gate_up",
                                   "feed_forward_activation", "feed_forward_gate",
                                   "feed_forward_down"};
constexpr NetworkNames expert_names{"expert_up", "expert_gate_up", "expert_activation",
                                    "expert_gate", "expert_down"};
constexpr NetworkNames shared_names{"shared_expert_up", "shared_expert_gate_up",
                                    "shared_expert_activation", "shared_expert_gate",
                                    "shared_expert_down"};

// The first of the two linear layers reads a norm's result; its gate is a layer of its own.
LinearParts parts_of(const FeedForward& layer, std::string_view name) {
  const bool first = name.ends_with("up");
  return {.bias = layer.bias, .layers = first && layer.gated ? 2 : 1, .full_input = first};
}

// `linear(name, n, k)` emits a product of all rows; the gate stands beside up in one product.
template <class Linear>
void emit_network(Emitter& emitter, const FeedForward& layer, const NetworkNames& names,
                  const LayerSizes& size, Count rows, std::int64_t intermediate,
                  const Linear& linear) {
  linear(layer.gated ? names.gate_up : names.up, Count{layer.gated ? 2 : 1} * intermediate,
         Count{size.hidden});
  emit_activation(emitter, names.activation, rows, intermediate, layer.activation, size.layers);
  if (layer.gated) {
    emit_rows(emitter, names.gate, rows, intermediate,
              emitter.compiled() ? multiply_costs : eager_multiply_costs, size.layers);
  }
  if (layer.activation_dropout) {
    emit_dropout(emitter, "feed_forward_activation_dropout", rows, intermediate, size.layers);
  }
  linear(names.down, Count{size.hidden}, Count{intermediate});
}

void emit_router(Emitter& emitter, const MixtureOfExperts& experts, const LayerSizes& size,
                 Count rows) {
  emitter.linear("router", {1, rows, experts.num_experts, size.hidden}, size.layers,
                 {.bias = false, .full_input = true});
  emitter.elements({.name = "router_softmax",
                    .kind = OperationKind::softmax,
                    .elements = rows * experts.num_experts,
                    .width = experts.num_experts,
                    .costs = softmax_costs,
                    .executions = size.layers});
  // One comparison per score; the gradient goes back to the chosen ones.
  emit_rows(emitter, "router_top_k", rows, experts.num_experts, {{1, 1, 0}, {0, 0, 1}},
            size.layers);
}

void emit_experts(Emitter& emitter, const FeedForward& layer, const LayerSizes& size) {
  const MixtureOfExperts& experts = *layer.experts;
  const Count rows = emitter.rows();
  const Count visits = rows * experts.num_experts_per_tok;
  emit_router(emitter, experts, size, rows);
  emit_rows(emitter, "expert_dispatch", visits, size.hidden, gather_costs, size.layers);
  // Fewer visits than experts leave some of them without a row.
  const Count groups =
      visits.overflowed() ? visits : Count{std::min(visits.value(), experts.num_experts)};
  emit_network(emitter, layer, expert_names, size, visits, layer.intermediate_size,
               [&](std::string_view name, Count n, Count k) {
                 emitter.grouped_linear(name, {groups, visits, n, k}, size.layers);
               });
  emit_rows(emitter, "expert_combine", visits, size.hidden, combine_costs, size.layers);
  if (experts.shared_intermediate_size == 0) return;
  emit_network(emitter, layer, shared_names, size, rows, experts.shared_intermediate_size,
               [&](std::string_view name, Count n, Count k) {
                 emitter.linear(name, {1, rows, n, k}, size.layers, parts_of(layer, name));
               });
  if (experts.shared_gate) {
    emitter.linear("shared_expert_score", {1, rows, 1, size.hidden}, size.layers,
                   {.bias = false, .full_input = true});
    emit_rows(emitter, "shared_expert_scale", rows, size.hidden, multiply_costs, size.layers);
  }
  emit_residual(emitter, "shared_expert_residual", rows, size.hidden, size.layers);
}

}  // namespace

void emit_feed_forward(Emitter& emitter, const FeedForward& layer, const LayerSizes& size) {
  if (layer.experts) {
    emit_experts(emitter, layer, size);
    return;
  }
  const Count rows = emitter.rows();
  emit_network(emitter, layer, plain_names, size, rows, layer.intermediate_size,
               [&](std::string_view name, Count n, Count k) {
                 emitter.linear(name, {1, rows, n, k}, size.layers, parts_of(layer, name));
               });
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// What every kind of layer is made of besides its products.
#include "operations/sublayers.hpp"

#include "operations/element_costs.hpp"

namespace joulecast {
namespace {

ElementCosts costs_of(const Normalization& norm, Execution execution) {
  const ElementCosts costs = normalization_costs(norm);
  if (execution == Execution::compiled) return costs;
  return norm.kind == Normalization::Kind::rms_norm ? eager_rms_norm_costs(costs)
                                                    : eager_layer_norm_costs(costs);
}

}  // namespace

void emit_rows(Emitter& emitter, std::string_view name, Count rows, std::int64_t width,
               ElementCosts costs, Count executions, ValueWidth width_of_values) {
  emitter.elements({.name = name,
                    .elements = rows * width,
                    .width = width,
                    .costs = costs,
                    .executions = executions,
                    .width_of_values = width_of_values});
}

// Autocast takes powers in FP32, and all that follows from them.
void emit_activation(Emitter& emitter, std::string_view name, Count rows, std::int64_t width,
                     Activation activation, Count executions) {
  const bool spelt_out = activation == Activation::gelu_new && !emitter.compiled();
  emit_rows(emitter, name, rows, width,
            spelt_out ? eager_gelu_new_costs : activation_costs(activation), executions,
            spelt_out ? ValueWidth::full : ValueWidth::activations);
}

void emit_dropout(Emitter& emitter, std::string_view name, Count rows, std::int64_t width,
                  Count executions) {
  emit_rows(emitter, name, rows, width,
            emitter.compiled() ? fused_away(dropout_costs) : dropout_costs, executions);
}

// Norms give FP32 under autocast, so the sums along the residual path are of that width.
void emit_residual(Emitter& emitter, std::string_view name, Count rows, std::int64_t width,
                   Count executions) {
  emit_rows(emitter, name, rows, width,
            emitter.compiled() ? fused_away(residual_costs) : residual_costs, executions,
            ValueWidth::full);
}

void emit_normalization(Emitter& emitter, const std::string& what, const Normalization& norm,
                        Count rows, const LayerSizes& size) {
  const bool rms = norm.kind == Normalization::Kind::rms_norm;
  const std::string name = what + (rms ? "_rms_norm" : "_norm");
  emitter.elements({.name = name,
                    .kind = OperationKind::normalization,
                    .elements = rows * size.hidden,
                    .width = size.hidden,
                    .costs = costs_of(norm, emitter.setup().execution),
                    .executions = size.layers,
                    .width_of_values = ValueWidth::full});
}

}  // namespace joulecast

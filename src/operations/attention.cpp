// SPDX-License-Identifier: Apache-2.0
// Attention as eager PyTorch runs it: all scores are computed and kept, whatever a mask hides.
// Vaswani et al. 2017, arXiv:1706.03762, section 3.2. FLOPs forward per layer, with batch B, S
// queries, T keys, width D, h heads and k key-value heads of d values:
//   queries, keys and values 2 B S D (h + 2 k) d, scores 2 B h S T d, values 2 B h S T d,
//   output 2 B S h d D; for T = S, h d = D and k = h those of Mayaki & Charpenay, ECAI 2025,
//   section 3. Shared keys and values are repeated for each query head, so k saves projections
//   only.
// Products of one input are one product: queries, keys and values stand side by side.
#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"
#include "operations/sublayers.hpp"

namespace joulecast {
namespace {

struct Sizes {
  Count layers, heads, key_value_heads;
  Count rows, source_rows;  // B S and B T
  Count sets;               // score matrices
  Count queries, keys;      // their height and width
  Count query_dim, value_dim;
};

Sizes sizes_of(const Emitter& emitter, const Attention& attention, const LayerSizes& layer,
               const AttentionRole& role) {
  const Count batch = emitter.setup().batch_size;
  Sizes size{.layers = layer.layers,
             .heads = attention.num_attention_heads,
             .key_value_heads = key_value_heads(attention),
             .rows = emitter.rows(),
             .source_rows = batch * role.source.positions(),
             .sets = batch * attention.num_attention_heads,
             .queries = emitter.extent().positions(),
             .keys = role.source.positions(),
             .query_dim = query_head_dim(attention, layer.hidden),
             .value_dim = value_head_dim(attention, layer.hidden)};
  if (attention.partition_size) {
    // Windows attend to themselves: as many matrices more as a sample has windows.
    size.sets = size.sets * (size.queries.value() / *attention.partition_size);
    size.queries = *attention.partition_size;
    size.keys = *attention.partition_size;
  }
  return size;
}

// DeepSeek-V2, arXiv:2405.04434, equations (9) to (16).
void emit_latent_projections(Emitter& emitter, const LatentAttention& latent,
                             const LayerSizes& layer, const Sizes& size) {
  const Count d = layer.hidden;
  constexpr LinearParts no_bias_full{.bias = false, .full_input = true};
  const LayerSizes query_rank{size.layers, latent.q_lora_rank.value_or(0)};
  if (latent.q_lora_rank) {
    emitter.linear("query_down_projection", {1, size.rows, *latent.q_lora_rank, d}, size.layers,
                   no_bias_full);
    emit_normalization(emitter, "query", rms_norm, size.rows, query_rank);
    emitter.linear("query_up_projection",
                   {1, size.rows, size.heads * size.query_dim, *latent.q_lora_rank}, size.layers,
                   no_bias_full);
  } else {
    emitter.linear("query_projection", {1, size.rows, size.heads * size.query_dim, d}, size.layers,
                   no_bias_full);
  }
  emitter.linear("key_value_down_projection",
                 {1, size.rows, Count{latent.kv_lora_rank} + latent.qk_rope_head_dim, d},
                 size.layers, no_bias_full);
  emit_normalization(emitter, "key_value", rms_norm, size.rows, {size.layers, latent.kv_lora_rank});
  emitter.linear("key_value_up_projection",
                 {1, size.rows, size.heads * (Count{latent.qk_nope_head_dim} + latent.v_head_dim),
                  latent.kv_lora_rank},
                 size.layers, no_bias_full);
  // The positions' part of a key is one for all heads.
  emit_rows(emitter, "rotary_embedding", size.rows * (size.heads + 1), latent.qk_rope_head_dim,
            emitter.compiled() ? rotary_costs : eager_rotary_costs, size.layers, ValueWidth::full);
}

void emit_projections(Emitter& emitter, const Attention& attention, const LayerSizes& layer,
                      const AttentionRole& role, const Sizes& size) {
  const Count d = layer.hidden;
  const Count queries = size.heads * size.query_dim;
  const Count keys_and_values = size.key_value_heads * (size.query_dim + size.value_dim);
  if (role.prefix.empty()) {
    emitter.linear("qkv_projection", {1, size.rows, queries + keys_and_values, d}, size.layers,
                   {.bias = attention.bias.query, .layers = 3, .full_input = true});
  } else {
    emitter.linear("cross_query_projection", {1, size.rows, queries, d}, size.layers,
                   {.bias = attention.bias.query, .full_input = true});
    emitter.linear("cross_key_value_projection", {1, size.source_rows, keys_and_values, d},
                   size.layers,
                   {.bias = attention.bias.value, .layers = 2, .full_input = true});
  }
  const Count heads = size.heads + size.key_value_heads;
  if (attention.query_key_norm != QueryKeyNorm::none) {
    // Elements are what costs; how many of them share a mean differs.
    emit_normalization(emitter, "query_key", rms_norm, size.rows * heads,
                       {size.layers, size.query_dim.value()});
  }
  if (const auto* rotary = std::get_if<RotaryPositions>(&attention.positions)) {
    emit_rows(emitter, "rotary_embedding", size.rows * heads, rotary->rotary_dim,
              emitter.compiled() ? rotary_costs : eager_rotary_costs, size.layers,
              ValueWidth::full);
  }
}

// He et al. 2020, arXiv:2006.03654, equation (4): contents of queries against positions of keys
// and the other way round; each score then takes the one that belongs to its distance.
void emit_disentangled(Emitter& emitter, const DisentangledPositions& positions,
                       const LayerSizes& layer, const Sizes& size) {
  const Count kinds =
      (positions.content_to_position ? 1 : 0) + (positions.position_to_content ? 1 : 0);
  if (kinds == Count{0}) return;
  const Count d = layer.hidden;
  emitter.linear("position_projection", {1, positions.num_embeddings, kinds * d, d}, size.layers);
  emitter.product("position_scores",
                  {size.sets, size.queries, positions.num_embeddings, size.query_dim},
                  kinds * size.layers);
  const Count scores = size.sets * size.queries;
  emit_rows(emitter, "position_gather", scores, size.keys.value(), gather_costs,
            kinds * size.layers);
  emit_rows(emitter, "position_residual", scores, size.keys.value(), residual_costs,
            kinds * size.layers);
}

// What is done to the scores between the two products.
void emit_scores(Emitter& emitter, const Attention& attention, const AttentionRole& role,
                 const Sizes& size) {
  const Count rows = size.sets * size.queries;
  const std::int64_t width = size.keys.value();
  const auto emit = [&](std::string_view name, ElementCosts costs) {
    emit_rows(emitter, role.prefix + std::string(name), rows, width, costs, size.layers);
  };
  if (attention.scaled) emit("attention_scale", scale_costs);
  if (attention.logit_softcap) emit("attention_softcap", softcap_costs);
  if (std::holds_alternative<AlibiPositions>(attention.positions)) {
    // Slopes are not learned, so nothing is left to do backward.
    emitter.forward_elements({.name = "attention_alibi",
                              .elements = rows * width,
                              .width = width,
                              .costs = scale_costs,
                              .executions = size.layers});
  }
  if (const auto* bias = std::get_if<RelativeBias>(&attention.positions)) {
    if (!bias->shared_by_layers) {
      emit_rows(emitter, "relative_position_bias", size.heads * size.queries, width, gather_costs,
                size.layers);
    }
    emit("attention_relative_bias", shared_bias_costs);
  }
  emitter.elements({.name = role.prefix + "attention_softmax",
                    .kind = OperationKind::softmax,
                    .elements = rows * width,
                    .width = width,
                    .costs = softmax_costs,
                    .executions = size.layers,
                    .width_of_values = ValueWidth::full});
  // There and back.
  if (!emitter.compiled()) {
    emitter.cast(role.prefix + "attention_softmax_cast", 2 * rows * width, size.layers, 2);
  }
  if (attention.dropout) emit("attention_dropout", dropout_costs);
}

// Scores as a matrix, in the precision of the products; the softmax is taken in FP32.
void emit_scored(Emitter& emitter, const Attention& attention, const LayerSizes& layer,
                 const AttentionRole& role, const Sizes& size) {
  emitter.product(role.prefix + "attention_scores",
                  {size.sets, size.queries, size.keys, size.query_dim}, size.layers);
  if (const auto* relative = std::get_if<DisentangledPositions>(&attention.positions)) {
    emit_disentangled(emitter, *relative, layer, size);
  }
  emit_scores(emitter, attention, role, size);
  emitter.product(role.prefix + "attention_values",
                  {size.sets, size.queries, size.value_dim, size.keys}, size.layers);
}

// Dropout of the probabilities happens inside the kernel.
void emit_fused(Emitter& emitter, const Attention& attention, const AttentionRole& role,
                const Sizes& size) {
  const bool cross = !role.prefix.empty();
  emitter.fused_attention(role.prefix + "fused_attention",
                          {.batch = (size.sets.value() / attention.num_attention_heads),
                           .queries = size.queries.value(),
                           .keys = size.keys.value(),
                           .heads = attention.num_attention_heads,
                           .key_value_heads = size.key_value_heads.value(),
                           .query_head_dim = size.query_dim.value(),
                           .value_head_dim = size.value_dim.value(),
                           .causal = attention.causal && !cross,
                           .window = attention.sliding_window.value_or(0)},
                          size.layers);
}

}  // namespace

void emit_attention(Emitter& emitter, const Attention& attention, const LayerSizes& layer,
                    const AttentionRole& role) {
  const Sizes size = sizes_of(emitter, attention, layer, role);
  if (attention.latent) {
    emit_latent_projections(emitter, *attention.latent, layer, size);
  } else {
    emit_projections(emitter, attention, layer, role, size);
  }
  if (runs_fused(attention, emitter.setup())) {
    emit_fused(emitter, attention, role, size);
  } else {
    emit_scored(emitter, attention, layer, role, size);
  }
  emitter.linear(role.prefix + "attention_output_projection",
                 {1, size.rows, layer.hidden, size.heads * size.value_dim}, size.layers,
                 {.bias = attention.bias.output});
}
void emit_shared_positions(Emitter& emitter, const Attention& attention, std::int64_t hidden) {
  if (const auto* bias = std::get_if<RelativeBias>(&attention.positions)) {
    if (!bias->shared_by_layers) return;
    const Count positions = emitter.extent().positions();
    emit_rows(emitter, "relative_position_bias", attention.num_attention_heads * positions,
              positions.value(), gather_costs, 1);
  }
  if (const auto* relative = std::get_if<DisentangledPositions>(&attention.positions)) {
    if (relative->norm) {
      emit_normalization(emitter, "position", {}, relative->num_embeddings, {1, hidden});
    }
  }
}

}  // namespace joulecast

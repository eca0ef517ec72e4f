// SPDX-License-Identifier: Apache-2.0
#include "model/sizes.hpp"

#include <algorithm>

namespace joulecast {
namespace {

// D inputs, h heads of d_q values for queries, k heads of d_q and d_v for keys and values.
Count projection_parameters(const Attention& attention, std::int64_t hidden_size) {
  const Count d = hidden_size;
  const Count queries = Count{attention.num_attention_heads} * query_head_dim(attention, d.value());
  const Count kv = key_value_heads(attention);
  const Count keys = kv * query_head_dim(attention, d.value());
  const Count values = kv * value_head_dim(attention, d.value());
  return linear_parameters(queries, d, attention.bias.query) +
         linear_parameters(keys, d, attention.bias.key) +
         linear_parameters(values, d, attention.bias.value);
}

// DeepSeek-V2, arXiv:2405.04434, equations (9) to (16): down, normalise, up. One key of
// qk_rope_head_dim for all heads comes straight from the narrow projection.
Count latent_parameters(const LatentAttention& latent, const Attention& attention, Count d) {
  const Count h = attention.num_attention_heads;
  const Count queries = h * (Count{latent.qk_nope_head_dim} + latent.qk_rope_head_dim);
  Count total = 0;
  if (latent.q_lora_rank) {
    const Count rank = *latent.q_lora_rank;
    total += linear_parameters(rank, d, attention.bias.query) + rank + queries * rank;
  } else {
    total += queries * d;
  }
  const Count rank = latent.kv_lora_rank;
  total += linear_parameters(rank + latent.qk_rope_head_dim, d, attention.bias.key) + rank;
  return total + h * (Count{latent.qk_nope_head_dim} + latent.v_head_dim) * rank;
}

Count query_key_norm_parameters(const Attention& attention, std::int64_t hidden_size) {
  const Count dim = query_head_dim(attention, hidden_size);
  switch (attention.query_key_norm) {
    case QueryKeyNorm::none: return 0;
    case QueryKeyNorm::per_head: return 2 * dim;
    case QueryKeyNorm::whole:
      return (Count{attention.num_attention_heads} + key_value_heads(attention)) * dim;
  }
  return 0;
}

// One network of width f: up, down, and a gate beside up.
Count network_parameters(const FeedForward& layer, Count d, Count f) {
  return linear_parameters(f, d, layer.bias) * (layer.gated ? 2 : 1) +
         linear_parameters(d, f, layer.bias);
}

}  // namespace

std::int64_t query_head_dim(const Attention& attention, std::int64_t hidden_size) {
  if (attention.latent) {
    return (Count{attention.latent->qk_nope_head_dim} + attention.latent->qk_rope_head_dim).value();
  }
  // Models that no reader made may state no heads; `list_operations` refuses them.
  const std::int64_t heads = std::max<std::int64_t>(attention.num_attention_heads, 1);
  return attention.head_dim.value_or(hidden_size / heads);
}

std::int64_t value_head_dim(const Attention& attention, std::int64_t hidden_size) {
  return attention.latent ? attention.latent->v_head_dim : query_head_dim(attention, hidden_size);
}

std::int64_t key_value_heads(const Attention& attention) {
  return attention.num_key_value_heads.value_or(attention.num_attention_heads);
}

Count normalization_parameters(const Normalization& norm, Count width) {
  const bool shift = norm.bias && norm.kind == Normalization::Kind::layer_norm;
  return width * ((norm.weight ? 1 : 0) + (shift ? 1 : 0));
}

Count convolution_parameters(const ConvolutionLayer& layer) {
  const Count taps = Count{layer.kernel_size} * (layer.one_dimensional ? 1 : layer.kernel_size);
  const Count out = layer.out_channels;
  const Count norm = layer.norm == ConvolutionLayer::Norm::none ? 0 : 2;
  return out * (layer.in_channels / std::max<std::int64_t>(layer.groups, 1)) * taps +
         (layer.bias ? out : Count{0}) + norm * out;
}

Count attention_parameters(const Attention& attention, std::int64_t hidden_size) {
  const Count d = hidden_size;
  const Count heads = attention.num_attention_heads;
  Count total = attention.latent ? latent_parameters(*attention.latent, attention, d)
                                 : projection_parameters(attention, hidden_size);
  total +=
      linear_parameters(d, heads * value_head_dim(attention, hidden_size), attention.bias.output);
  total += query_key_norm_parameters(attention, hidden_size);
  if (const auto* bias = std::get_if<RelativeBias>(&attention.positions)) {
    if (!bias->shared_by_layers) total += heads * bias->num_buckets;
  }
  if (const auto* relative = std::get_if<DisentangledPositions>(&attention.positions)) {
    const std::int64_t projections =
        (relative->content_to_position ? 1 : 0) + (relative->position_to_content ? 1 : 0);
    if (!relative->shared_projections) total += projections * linear_parameters(d, d);
  }
  return total;
}

Count shared_attention_parameters(const Attention& attention, std::int64_t hidden_size) {
  const Count d = hidden_size;
  if (const auto* bias = std::get_if<RelativeBias>(&attention.positions)) {
    return bias->shared_by_layers ? Count{attention.num_attention_heads} * bias->num_buckets
                                  : Count{0};
  }
  if (const auto* relative = std::get_if<DisentangledPositions>(&attention.positions)) {
    return Count{relative->num_embeddings} * d + (relative->norm ? 2 * d : Count{0});
  }
  return 0;
}

Count feed_forward_parameters(const FeedForward& layer, std::int64_t hidden_size) {
  const Count d = hidden_size;
  const Count network = network_parameters(layer, d, layer.intermediate_size);
  if (!layer.experts) return network;
  const MixtureOfExperts& experts = *layer.experts;
  Count total = experts.num_experts * network + d * experts.num_experts;
  if (experts.shared_intermediate_size > 0) {
    total += network_parameters(layer, d, experts.shared_intermediate_size);
  }
  return total + (experts.shared_gate ? d : Count{0});
}

Count idle_expert_parameters(const FeedForward& layer, std::int64_t hidden_size) {
  if (!layer.experts) return 0;
  const std::int64_t idle = layer.experts->num_experts - layer.experts->num_experts_per_tok;
  return idle * network_parameters(layer, hidden_size, layer.intermediate_size);
}

std::int64_t distinct_layers(const TransformerBlock& block) {
  return block.num_distinct_layers.value_or(block.num_hidden_layers);
}

SequenceUse sequences_of(const Model& model) {
  SequenceUse use;
  const auto note = [&](const Positions& positions) {
    use.sequence = use.sequence || positions.kind == Positions::Kind::sequence;
    use.target = use.target || positions.kind == Positions::Kind::target;
  };
  for (const Block& block : model.blocks) {
    note(block.positions);
    const auto* transformer = std::get_if<TransformerBlock>(&block.shape);
    if (transformer != nullptr && transformer->cross_attention) {
      note(transformer->cross_attention->source);
    }
  }
  return use;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "model/sizes.hpp"

#include <algorithm>

namespace joulecast {
namespace {

// D inputs, h heads of d_q values for queries, k heads of d_q and d_v for keys and values.
void add_projections(ParameterShapes& shapes, const Attention& attention,
                     std::int64_t hidden_size) {
  const Count d = hidden_size;
  const Count queries = Count{attention.num_attention_heads} * query_head_dim(attention, d.value());
  const Count kv = key_value_heads(attention);
  const Count keys = kv * query_head_dim(attention, d.value());
  const Count values = kv * value_head_dim(attention, d.value());
  const ProjectionBias& bias = attention.bias;
  if (!attention.fused_projections) {
    shapes.linear(queries, d, bias.query);
    shapes.linear(keys, d, bias.key);
    shapes.linear(values, d, bias.value);
    return;
  }
  shapes.matrix(queries + keys + values, d);
  shapes.vector((bias.query ? queries : Count{0}) + (bias.key ? keys : Count{0}) +
                (bias.value ? values : Count{0}));
}

// DeepSeek-V2, arXiv:2405.04434, equations (9) to (16): down, normalise, up. One key of
// qk_rope_head_dim for all heads comes straight from the narrow projection.
void add_latent(ParameterShapes& shapes, const LatentAttention& latent, const Attention& attention,
                Count d) {
  const Count h = attention.num_attention_heads;
  const Count queries = h * (Count{latent.qk_nope_head_dim} + latent.qk_rope_head_dim);
  if (latent.q_lora_rank) {
    const Count rank = *latent.q_lora_rank;
    shapes.linear(rank, d, attention.bias.query);
    shapes.vector(rank);
    shapes.matrix(queries, rank);
  } else {
    shapes.matrix(queries, d);
  }
  const Count rank = latent.kv_lora_rank;
  shapes.linear(rank + latent.qk_rope_head_dim, d, attention.bias.key);
  shapes.vector(rank);
  shapes.matrix(h * (Count{latent.qk_nope_head_dim} + latent.v_head_dim), rank);
}

void add_query_key_norm(ParameterShapes& shapes, const Attention& attention,
                        std::int64_t hidden_size) {
  if (attention.query_key_norm == QueryKeyNorm::none) return;
  const bool whole = attention.query_key_norm == QueryKeyNorm::whole;
  const Count dim = query_head_dim(attention, hidden_size);
  shapes.vector(whole ? attention.num_attention_heads * dim : dim);
  shapes.vector(whole ? key_value_heads(attention) * dim : dim);
}

// One network of width f: up, down, and a gate beside up.
void add_network(ParameterShapes& shapes, const FeedForward& layer, Count d, Count f) {
  if (layer.gated && layer.fused_projections) {
    shapes.linear(2 * f, d, layer.bias);
  } else {
    if (layer.gated) shapes.linear(f, d, layer.bias);
    shapes.linear(f, d, layer.bias);
  }
  shapes.linear(d, f, layer.bias);
}

// All experts are one tensor for gate and up and one for down, as transformers 5 holds them.
void add_experts(ParameterShapes& shapes, const FeedForward& layer, Count d) {
  const Count experts = layer.experts->num_experts;
  const Count f = layer.intermediate_size;
  const Count up = layer.gated ? 2 * f : f;
  shapes.matrix(up, d, experts);
  shapes.matrix(d, f, experts);
  if (!layer.bias) return;
  shapes.matrix(experts, up);
  shapes.matrix(experts, d);
}

}  // namespace

Count numbers_in(const ParameterShape& shape) {
  const std::int64_t columns = shape.columns == 0 ? 1 : shape.columns;
  return Count{shape.matrices} * shape.rows * columns;
}

void ParameterShapes::matrix(Count rows, Count columns, Count matrices) {
  const Count numbers = matrices * rows * columns;
  total_ += numbers;
  if (numbers == Count{0}) return;
  list_.push_back({.matrices = matrices.value(), .rows = rows.value(), .columns = columns.value()});
}

void ParameterShapes::vector(Count numbers) {
  total_ += numbers;
  if (!(numbers == Count{0})) list_.push_back({.rows = numbers.value()});
}

void ParameterShapes::linear(Count n, Count k, bool bias) {
  matrix(n, k);
  if (bias) vector(n);
}

void ParameterShapes::add(const ParameterShapes& layer, Count copies) {
  total_ += copies * layer.total_;
  if (copies == Count{0}) return;
  for (ParameterShape shape : layer.list_) {
    shape.copies = (copies * shape.copies).value();
    list_.push_back(shape);
  }
}

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

void add_normalization(ParameterShapes& shapes, const Normalization& norm, Count width) {
  if (norm.weight) shapes.vector(width);
  if (norm.bias && norm.kind == Normalization::Kind::layer_norm) shapes.vector(width);
}

void add_convolution(ParameterShapes& shapes, const ConvolutionLayer& layer) {
  const Count out = layer.out_channels;
  const Count in = layer.in_channels / std::max<std::int64_t>(layer.groups, 1);
  if (layer.one_dimensional) {
    shapes.matrix(in, layer.kernel_size, out);
  } else {
    shapes.matrix(layer.kernel_size, layer.kernel_size, out * in);
  }
  if (layer.bias) shapes.vector(out);
  if (layer.norm != ConvolutionLayer::Norm::none) add_normalization(shapes, {}, out);
}

void add_attention(ParameterShapes& shapes, const Attention& attention, std::int64_t hidden_size) {
  const Count d = hidden_size;
  const Count heads = attention.num_attention_heads;
  if (attention.latent) {
    add_latent(shapes, *attention.latent, attention, d);
  } else {
    add_projections(shapes, attention, hidden_size);
  }
  shapes.linear(d, heads * value_head_dim(attention, hidden_size), attention.bias.output);
  add_query_key_norm(shapes, attention, hidden_size);
  if (const auto* bias = std::get_if<RelativeBias>(&attention.positions)) {
    if (!bias->shared_by_layers) shapes.matrix(bias->num_buckets, heads);
  }
  if (const auto* relative = std::get_if<DisentangledPositions>(&attention.positions)) {
    if (relative->shared_projections) return;
    if (relative->content_to_position) shapes.linear(d, d);
    if (relative->position_to_content) shapes.linear(d, d);
  }
}

void add_shared_attention(ParameterShapes& shapes, const Attention& attention,
                          std::int64_t hidden_size) {
  const Count d = hidden_size;
  if (const auto* bias = std::get_if<RelativeBias>(&attention.positions)) {
    if (bias->shared_by_layers) shapes.matrix(bias->num_buckets, attention.num_attention_heads);
  }
  if (const auto* relative = std::get_if<DisentangledPositions>(&attention.positions)) {
    shapes.matrix(relative->num_embeddings, d);
    if (relative->norm) add_normalization(shapes, {}, d);
  }
}

void add_feed_forward(ParameterShapes& shapes, const FeedForward& layer, std::int64_t hidden_size) {
  const Count d = hidden_size;
  if (!layer.experts) {
    add_network(shapes, layer, d, layer.intermediate_size);
    return;
  }
  const MixtureOfExperts& experts = *layer.experts;
  add_experts(shapes, layer, d);
  shapes.matrix(experts.num_experts, d);  // the router
  if (experts.shared_intermediate_size > 0) {
    add_network(shapes, layer, d, experts.shared_intermediate_size);
  }
  if (experts.shared_gate) shapes.matrix(1, d);
}

Count idle_expert_parameters(const FeedForward& layer, std::int64_t hidden_size) {
  if (!layer.experts) return 0;
  ParameterShapes network;
  add_network(network, layer, hidden_size, layer.intermediate_size);
  const std::int64_t idle = layer.experts->num_experts - layer.experts->num_experts_per_tok;
  return idle * network.total();
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

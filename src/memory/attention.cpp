// SPDX-License-Identifier: Apache-2.0
// Values that attention keeps, per layer with R = B S rows, T keys, h heads and k key-value heads
// of d values. Fused (FlashAttention: Dao et al. 2022, arXiv:2205.14135): queries, keys, values and
// result, R (2 h + 2 k) d, and one number per row and head. Eager: queries, keys and values, the
// probabilities B h S T in FP32, under dropout its mask and result, and the operand of the second
// product.
#include "memory/blocks.hpp"

namespace joulecast {
namespace {

struct Heads {
  Count batch, queries, keys;  // sequences, and positions of each
  Count heads, key_value_heads, query_dim, value_dim;

  [[nodiscard]] Count rows() const { return batch * queries; }
  [[nodiscard]] Count source_rows() const { return batch * keys; }
};

struct Projected {
  Tensor queries, keys, values;
};

// Each projection converts its input for itself, and those that are one weight convert it once.
Projected keep_projections(Tape& tape, const Tensor& x, const Attention& attention, Count hidden,
                           const Heads& size) {
  const Count queries = size.heads * size.query_dim;
  const Count keys = size.key_value_heads * size.query_dim;
  const Count values = size.key_value_heads * size.value_dim;
  if (attention.fused_projections) {
    const Tensor all = tape.linear(x, size.rows(), hidden, queries + keys + values);
    return {all, all, all};
  }
  Tensor source = x;
  source.elements = size.source_rows() * hidden;
  return {tape.linear(x, size.rows(), hidden, queries),
          tape.linear(source, size.source_rows(), hidden, keys),
          tape.linear(source, size.source_rows(), hidden, values)};
}

// DeepSeek-V2, arXiv:2405.04434, equations (9) to (16).
Projected keep_latent_projections(Tape& tape, const Tensor& x, const LatentAttention& latent,
                                  Count hidden, const Heads& size) {
  const Count rows = size.rows();
  const Count queries = size.heads * size.query_dim;
  Tensor narrow = x;
  Count width = hidden;
  if (latent.q_lora_rank) {
    width = *latent.q_lora_rank;
    narrow = tape.normalize(tape.linear(x, rows, hidden, width), rms_norm, width);
  }
  const Tensor query = tape.linear(narrow, rows, width, queries);
  const Count rank = latent.kv_lora_rank;
  Tensor compressed = tape.linear(x, rows, hidden, rank + latent.qk_rope_head_dim);
  compressed.elements = rows * rank;
  tape.linear(tape.normalize(compressed, rms_norm, rank), rows, rank,
              size.heads * (Count{latent.qk_nope_head_dim} + latent.v_head_dim));
  // Keys are put together of two parts, which makes a new tensor, as do rotated queries.
  const TensorFormat format = tape.is_mixed() ? TensorFormat::half : TensorFormat::fp32;
  return {tape.create(query.elements, format), tape.create(query.elements, format),
          tape.create(rows * size.heads * size.value_dim, format)};
}

// Turned queries and keys are FP32, as the tables of the sine and the cosine are.
void keep_positions(Tape& tape, const Attention& attention, const Heads& size, Projected& made) {
  if (attention.query_key_norm != QueryKeyNorm::none) {
    const bool whole = attention.query_key_norm == QueryKeyNorm::whole;
    const Count heads = whole ? size.heads : Count{1};
    const Count owners = whole ? size.key_value_heads : Count{1};
    made.queries = tape.normalize(made.queries, rms_norm, heads * size.query_dim);
    made.keys = tape.normalize(made.keys, rms_norm, owners * size.query_dim);
  }
  if (!std::holds_alternative<RotaryPositions>(attention.positions)) return;
  made.queries = tape.create(size.rows() * size.heads * size.query_dim, TensorFormat::fp32);
  made.keys =
      tape.create(size.source_rows() * size.key_value_heads * size.query_dim, TensorFormat::fp32);
}

// Shared keys and values are repeated for every query head.
Tensor repeat_heads(Tape& tape, const Tensor& x, Count elements) {
  return x.elements == elements || x.elements.overflowed() ? x : tape.create(elements, x.format);
}

// The two products around the softmax, written out.
Tensor keep_eager_core(Tape& tape, const Attention& attention, const Heads& size,
                       const Projected& made, bool fused_weight) {
  const Count sources = size.source_rows() * size.heads;
  const auto whole = [&](const Tensor& x, Count elements) {
    return fused_weight ? x : repeat_heads(tape, x, elements);
  };
  const Count scores = size.rows() * size.heads * size.keys;
  tape.save(tape.to_product(made.queries));
  tape.save(tape.to_product(whole(made.keys, sources * size.query_dim)));
  tape.save(tape.to_product(whole(made.values, sources * size.value_dim)));
  tape.begin_core();
  if (attention.logit_softcap) tape.save(tape.create(scores, TensorFormat::fp32));
  const Tensor probabilities = tape.create(scores, TensorFormat::fp32);
  tape.save(probabilities);
  tape.save(tape.to_product(tape.dropout(probabilities, attention.dropout)));
  tape.end_core();
  return tape.create(size.rows() * size.heads * size.value_dim,
                     tape.is_mixed() ? TensorFormat::half : TensorFormat::fp32);
}

Tensor keep_fused_core(Tape& tape, const Heads& size, const Projected& made) {
  tape.save(tape.to_product(made.queries));
  tape.save(tape.to_product(made.keys));
  tape.save(tape.to_product(made.values));
  tape.save_statistics(size.rows() * size.heads);
  const Tensor result = tape.create(size.rows() * size.heads * size.value_dim,
                                    tape.is_mixed() ? TensorFormat::half : TensorFormat::fp32);
  tape.save(result);
  return result;
}

// Fused kernels take no bias that is learnt and none on the scores themselves, and PyTorch's for
// FP32 take no shared keys: there the products are written out.
bool is_fused(const Tape& tape, const Attention& attention) {
  if (tape.setup().attention == AttentionImplementation::eager) return false;
  const bool learnt = std::holds_alternative<RelativeBias>(attention.positions) ||
                      std::holds_alternative<DisentangledPositions>(attention.positions);
  const bool shared = key_value_heads(attention) != attention.num_attention_heads;
  return !learnt && !attention.logit_softcap && (tape.is_mixed() || !shared);
}

// DeBERTa's scores of contents against positions, and the gather that picks from them: equation (4)
// of arXiv:2006.03654.
void keep_disentangled(Tape& tape, const DisentangledPositions& positions, const Heads& size) {
  const Count kinds =
      (positions.content_to_position ? 1 : 0) + (positions.position_to_content ? 1 : 0);
  const Count table = Count{positions.num_embeddings} * size.heads * size.query_dim;
  const Tensor projected = tape.create(kinds * size.batch * table, TensorFormat::fp32);
  tape.save(tape.to_product(projected));
  tape.begin_core();
  tape.save(tape.create(kinds * size.rows() * size.heads * size.keys, TensorFormat::index));
  tape.end_core();
}

}  // namespace

Tensor keep_attention(Tape& tape, const Tensor& x, const Attention& attention, std::int64_t hidden,
                      Count queries, Count keys) {
  Heads size{.batch = tape.setup().batch_size,
             .queries = queries,
             .keys = keys,
             .heads = attention.num_attention_heads,
             .key_value_heads = key_value_heads(attention),
             .query_dim = query_head_dim(attention, hidden),
             .value_dim = value_head_dim(attention, hidden)};
  if (attention.partition_size) {
    const std::int64_t window = *attention.partition_size;
    size.batch = size.batch * (queries.value() / window);
    size.queries = window;
    size.keys = window;
  }
  Projected made = attention.latent
                       ? keep_latent_projections(tape, x, *attention.latent, hidden, size)
                       : keep_projections(tape, x, attention, hidden, size);
  keep_positions(tape, attention, size, made);
  if (const auto* relative = std::get_if<DisentangledPositions>(&attention.positions)) {
    keep_disentangled(tape, *relative, size);
  }
  const bool one = attention.fused_projections && made.keys.storage == made.values.storage;
  const Tensor result = is_fused(tape, attention)
                            ? keep_fused_core(tape, size, made)
                            : keep_eager_core(tape, attention, size, made, one);
  return tape.linear(result, size.rows(), size.heads * size.value_dim, hidden);
}

}  // namespace joulecast

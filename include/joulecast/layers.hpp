// SPDX-License-Identifier: Apache-2.0
#pragma once

// What are the layers inside a block made of? Attention, feed-forward, normalisation, convolution
// and state space as plain data, from which `model.hpp` composes blocks.
//
// Sizes carry Hugging Face's names. What a description leaves out takes the plain form: as many
// key-value heads as query heads, heads that share the width evenly, no positions, biases
// everywhere, one feed-forward network instead of experts.

#include <cstdint>
#include <optional>
#include <variant>

namespace joulecast {

// quick_gelu is x sigmoid(1.702 x). gelu_new is gelu_tanh written out step by step, as transformers
// runs it for GPT-2.
enum class Activation { relu, gelu, gelu_tanh, gelu_new, silu, tanh, quick_gelu };

// Layer normalisation (Ba et al. 2016, arXiv:1607.06450) or its root-mean-square form without mean
// and shift (Zhang & Sennrich 2019, arXiv:1910.07467).
struct Normalization {
  enum class Kind { layer_norm, rms_norm };
  Kind kind = Kind::layer_norm;
  bool weight = true;  // a gain per element
  bool bias = true;    // a shift per element; RMSNorm has none whatever is said here

  bool operator==(const Normalization&) const = default;
};

inline constexpr Normalization rms_norm{Normalization::Kind::rms_norm, true, false};

// Su et al. 2021, arXiv:2104.09864: the first `rotary_dim` values of each query and key head.
struct RotaryPositions {
  std::int64_t rotary_dim = 0;
};

// A fixed slope per head on the distance: Press et al. 2021, arXiv:2108.12409.
struct AlibiPositions {};

// A learned bias per head and bucket of distances, added to the scores. T5 (arXiv:1910.10683)
// has one table for all layers of a stack, Swin (arXiv:2103.14030) one a layer.
struct RelativeBias {
  std::int64_t num_buckets = 0;
  bool shared_by_layers = false;
};

// DeBERTa's attention between contents and relative positions: He et al. 2020, arXiv:2006.03654.
// One table of `num_embeddings` rows of the hidden size for all layers, projected in each layer.
struct DisentangledPositions {
  std::int64_t num_embeddings = 0;
  bool content_to_position = false;
  bool position_to_content = false;
  bool shared_projections = false;  // with the projections of the content
  bool norm = false;                // of the table
};

using PositionEncoding = std::variant<std::monostate, RotaryPositions, AlibiPositions, RelativeBias,
                                      DisentangledPositions>;

// Multi-head latent attention: keys and values, and where `q_lora_rank` is stated queries too, pass
// through a narrow layer with a normalisation. Heads are qk_nope_head_dim + qk_rope_head_dim wide
// for scores and v_head_dim for values. DeepSeek-V2, arXiv:2405.04434, section 2.1.
struct LatentAttention {
  std::optional<std::int64_t> q_lora_rank{};
  std::int64_t kv_lora_rank = 0;
  std::int64_t qk_nope_head_dim = 0;
  std::int64_t qk_rope_head_dim = 0;
  std::int64_t v_head_dim = 0;
};

// Normalisation of queries and keys: one gain for all heads, each head by itself (Qwen3, Gemma 3),
// or of all heads together (OLMo 2).
enum class QueryKeyNorm { none, per_head, whole };

struct ProjectionBias {
  bool query = true;
  bool key = true;
  bool value = true;
  bool output = true;

  bool operator==(const ProjectionBias&) const = default;
};

inline constexpr ProjectionBias no_bias{false, false, false, false};

// Vaswani et al. 2017, arXiv:1706.03762, section 3.2; fewer key-value heads: arXiv:1911.02150 (one)
// and arXiv:2305.13245 (groups).
struct Attention {
  std::int64_t num_attention_heads = 0;
  std::optional<std::int64_t> num_key_value_heads{};  // absent: as many as query heads
  std::optional<std::int64_t> head_dim{};             // absent: hidden_size / heads
  bool causal = false;
  bool scaled = true;                            // scores times a constant; T5 has none
  bool dropout = false;                          // of the probabilities
  std::optional<std::int64_t> sliding_window{};  // positions that a query sees
  std::optional<std::int64_t> partition_size{};  // Swin: positions of a window, apart from others
  PositionEncoding positions{};
  ProjectionBias bias{};
  QueryKeyNorm query_key_norm = QueryKeyNorm::none;
  bool logit_softcap = false;  // tanh that bounds the scores: Gemma 2, arXiv:2408.00118
  std::optional<LatentAttention> latent{};
};

// Each token visits `num_experts_per_tok` of `num_experts` networks, chosen by a linear layer, and
// a network that all visit. Shazeer et al. 2017, arXiv:1701.06538; arXiv:2401.06066 (shared).
struct MixtureOfExperts {
  std::int64_t num_experts = 0;
  std::int64_t num_experts_per_tok = 0;
  std::int64_t shared_intermediate_size = 0;  // 0: no shared expert
  bool shared_gate = false;                   // the shared expert's result is scaled by a sigmoid
};

// down(act(up x)), or gated down(act(gate x) * up x): Shazeer 2020, arXiv:2002.05202. With experts
// the sizes are those of one expert.
struct FeedForward {
  std::int64_t intermediate_size = 0;
  Activation activation = Activation::gelu;
  bool gated = false;
  bool bias = true;
  bool activation_dropout = false;
  std::optional<MixtureOfExperts> experts{};
};

// A convolution over rows and columns, or over one dimension alone, with what follows it.
struct ConvolutionLayer {
  enum class Norm { none, batch_norm, layer_norm };
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel_size = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  std::int64_t groups = 1;
  bool one_dimensional = false;  // along the height alone; the width is 1
  bool bias = true;
  Norm norm = Norm::none;
  std::optional<Activation> activation{};
};

}  // namespace joulecast

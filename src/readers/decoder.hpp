// SPDX-License-Identifier: Apache-2.0
#pragma once

// The decoder that LLaMA and its relatives share, as one description with different knobs: tokens,
// layers with rotary positions, grouped key-value heads and a gated feed-forward network, a last
// normalisation, scores over the vocabulary.

#include "readers/heads.hpp"
#include "readers/readers.hpp"

namespace joulecast {

// What a family's configuration class takes where the file says nothing.
struct DecoderDefaults {
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t num_hidden_layers = 0;
  std::int64_t num_attention_heads = 0;
  std::optional<std::int64_t> num_key_value_heads{};  // absent: as many as heads
  std::optional<std::int64_t> head_dim{};             // absent: hidden_size / heads
  std::string_view activation_key = "hidden_act";
  std::string_view activation = "silu";
  bool tied = false;
  bool heads_share_width = true;  // false where other keys say how wide a head is
};

struct Decoder {
  EmbeddingBlock embedding{};
  TransformerBlock layer{};  // with the number of all layers
  bool tied = false;
  bool head_bias = false;
  bool logit_softcap = false;
};

// Reads the keys that all relatives have; the layer has no biases, RMSNorm and a gate.
Decoder read_decoder(ObjectReader& reader, Model& model, const DecoderDefaults& defaults);

// Key-value heads must divide the heads. `key` is the key-value heads' key.
void check_key_value_heads(ObjectReader& reader, std::string_view key, std::int64_t key_values,
                           std::string_view heads_key, std::int64_t heads);

// Two kinds of layers that take turns become two blocks, each with its number of layers; a kind
// without layers is left out. The last layer's kind is the later block.
struct LayerKind {
  std::string name{};
  TransformerBlock layer{};
};
std::vector<Block> split_layers(const std::vector<LayerKind>& kinds,
                                const std::vector<std::size_t>& kind_of_layer);

// Layers that see the last `window` positions only, by `is_sliding` of each.
std::vector<Block> split_by_window(const TransformerBlock& layer, std::int64_t window,
                                   const std::vector<std::size_t>& is_sliding);

// Embedding, layers, and the head of the classes PREFIXForCausalLM, PREFIXModel and
// PREFIXForSequenceClassification.
Result<Model> finish_decoder(ObjectReader& reader, Model model, const Decoder& decoder,
                             std::vector<Block> layers, Head head, const std::string& prefix);

// The same where all layers are alike.
Result<Model> finish_decoder(ObjectReader& reader, Model model, const Decoder& decoder, Head head,
                             const std::string& prefix);

}  // namespace joulecast

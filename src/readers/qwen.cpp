// SPDX-License-Identifier: Apache-2.0
// Qwen 2 and 2.5: arXiv:2407.10671, arXiv:2412.15115; Qwen 3: arXiv:2505.09388, dense and with
// experts. Keys and defaults: transformers' Qwen2Config, Qwen3Config, Qwen2MoeConfig and
// Qwen3MoeConfig.
#include "readers/decoder.hpp"

namespace joulecast {
namespace {

constexpr DecoderDefaults dense_defaults{.vocab_size = 151936,
                                         .hidden_size = 4096,
                                         .intermediate_size = 22016,
                                         .num_hidden_layers = 32,
                                         .num_attention_heads = 32,
                                         .num_key_value_heads = 32};

// With use_sliding_window the layers from max_window_layers on see a window.
std::vector<Block> qwen_layers(ObjectReader& reader, Model& model, const TransformerBlock& layer) {
  const std::int64_t layers = layer.num_hidden_layers;
  if (!reader.boolean_or("use_sliding_window", false)) return {{"decoder", layer}};
  const std::int64_t window = size_or_default(reader, model, "sliding_window", 4096);
  const std::int64_t full = reader.count_or("max_window_layers", 28);
  if (!check_layers(reader, "num_hidden_layers", layers)) return {};
  std::vector<std::size_t> is_sliding;
  for (std::int64_t i = 0; i < layers; ++i) is_sliding.push_back(i >= full ? 1 : 0);
  return split_by_window(layer, window, is_sliding);
}

// Layers with experts and dense ones, as decoder_sparse_step and mlp_only_layers say.
std::vector<Block> mixed_layers(ObjectReader& reader, const TransformerBlock& dense,
                                const TransformerBlock& sparse) {
  const std::vector<std::size_t> kinds = read_sparse_layers(reader, dense.num_hidden_layers);
  return split_layers({{"decoder_dense", dense}, {"decoder", sparse}}, kinds);
}

}  // namespace

Result<Model> read_qwen2(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "qwen2"};
  Decoder decoder = read_decoder(reader, model, dense_defaults);
  decoder.layer.attention.bias = {true, true, true, false};
  auto layers = qwen_layers(reader, model, decoder.layer);
  return finish_decoder(reader, std::move(model), decoder, std::move(layers), head, "Qwen2");
}

Result<Model> read_qwen3(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "qwen3"};
  DecoderDefaults defaults = dense_defaults;
  defaults.head_dim = 128;
  Decoder decoder = read_decoder(reader, model, defaults);
  const bool bias = reader.boolean_or("attention_bias", false);
  decoder.layer.attention.bias = {bias, bias, bias, bias};
  decoder.layer.attention.query_key_norm = QueryKeyNorm::per_head;
  auto layers = qwen_layers(reader, model, decoder.layer);
  return finish_decoder(reader, std::move(model), decoder, std::move(layers), head, "Qwen3");
}

Result<Model> read_qwen2_moe(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "qwen2_moe"};
  Decoder decoder = read_decoder(reader, model,
                                 {.vocab_size = 151936,
                                  .hidden_size = 2048,
                                  .intermediate_size = 5632,
                                  .num_hidden_layers = 24,
                                  .num_attention_heads = 16,
                                  .num_key_value_heads = 16});
  const bool bias = reader.boolean_or("qkv_bias", true);
  decoder.layer.attention.bias = {bias, bias, bias, false};
  TransformerBlock sparse = decoder.layer;
  sparse.feed_forward.intermediate_size =
      size_or_default(reader, model, "moe_intermediate_size", 1408);
  MixtureOfExperts mixture = read_experts(reader, model, {}, 60, 4);
  mixture.shared_intermediate_size =
      size_or_default(reader, model, "shared_expert_intermediate_size", 5632);
  mixture.shared_gate = true;
  sparse.feed_forward.experts = mixture;
  auto layers = mixed_layers(reader, decoder.layer, sparse);
  return finish_decoder(reader, std::move(model), decoder, std::move(layers), head, "Qwen2Moe");
}

Result<Model> read_qwen3_moe(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "qwen3_moe"};
  Decoder decoder = read_decoder(reader, model,
                                 {.vocab_size = 151936,
                                  .hidden_size = 2048,
                                  .intermediate_size = 6144,
                                  .num_hidden_layers = 24,
                                  .num_attention_heads = 32,
                                  .num_key_value_heads = 4});
  const bool bias = reader.boolean_or("attention_bias", false);
  decoder.layer.attention.bias = {bias, bias, bias, bias};
  decoder.layer.attention.query_key_norm = QueryKeyNorm::per_head;
  TransformerBlock sparse = decoder.layer;
  sparse.feed_forward.intermediate_size =
      size_or_default(reader, model, "moe_intermediate_size", 768);
  sparse.feed_forward.experts = read_experts(reader, model, {}, 128, 8);
  auto layers = mixed_layers(reader, decoder.layer, sparse);
  return finish_decoder(reader, std::move(model), decoder, std::move(layers), head, "Qwen3Moe");
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// DeepSeek-V2 and V3: arXiv:2405.04434, arXiv:2412.19437: latent attention, fine experts beside
// shared ones, the first layers dense. Keys and defaults: transformers' DeepseekV2Config and
// DeepseekV3Config. The layers of multi-token prediction are not built there and not read here.
#include "readers/decoder.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

void read_latent(ObjectReader& reader, Model& model, Attention& attention) {
  LatentAttention latent;
  // null means that queries are projected straight.
  if (!reader.is_null("q_lora_rank")) {
    latent.q_lora_rank = size_or_default(reader, model, "q_lora_rank", 1536);
  }
  latent.kv_lora_rank = size_or_default(reader, model, "kv_lora_rank", 512);
  latent.qk_nope_head_dim = size_or_default(reader, model, "qk_nope_head_dim", 128);
  latent.qk_rope_head_dim = size_or_default(reader, model, "qk_rope_head_dim", 64);
  latent.v_head_dim = size_or_default(reader, model, "v_head_dim", 128);
  attention.latent = latent;
  attention.head_dim.reset();
  // Every head has a key of its own, unpacked from the latent one.
  attention.num_key_value_heads.reset();
  attention.positions = {};
  const bool bias = reader.boolean_or("attention_bias", false);
  attention.bias = {bias, bias, bias, bias};
}

// Experts are chosen within the best groups.
void check_groups(ObjectReader& reader, std::int64_t experts) {
  if (!reader.has("n_group")) return;
  const std::int64_t groups = reader.size("n_group");
  if (experts % groups != 0) {
    reader.fail("n_group",
                fmt::format("{} groups do not divide n_routed_experts = {}", groups, experts),
                "choose n_group so that n_routed_experts is a multiple of it");
  }
  const std::int64_t chosen = reader.size_or("topk_group", groups);
  if (chosen > groups) {
    reader.fail("topk_group", fmt::format("{} groups chosen, but n_group = {}", chosen, groups),
                "choose topk_group of at most n_group");
  }
}

struct DeepseekDefaults {
  DecoderDefaults decoder{};
  std::int64_t moe_intermediate_size = 0;
  std::int64_t experts = 0;
  std::optional<std::int64_t> per_token{};
  std::int64_t shared_experts = 0;
  std::int64_t dense_layers = 0;
};

Result<Model> read_deepseek(ObjectReader& reader, Model model, const DeepseekDefaults& defaults,
                            Head head, const std::string& prefix) {
  Decoder decoder = read_decoder(reader, model, defaults.decoder);
  read_latent(reader, model, decoder.layer.attention);
  TransformerBlock sparse = decoder.layer;
  const std::int64_t width =
      size_or_default(reader, model, "moe_intermediate_size", defaults.moe_intermediate_size);
  sparse.feed_forward.intermediate_size = width;
  MixtureOfExperts mixture = read_experts(
      reader, model, {.experts = "n_routed_experts", .per_token = "num_experts_per_tok"},
      defaults.experts, defaults.per_token);
  check_groups(reader, mixture.num_experts);
  const bool shared = !reader.is_null("n_shared_experts");
  const Count shared_width =
      shared ? Count{size_or_default(reader, model, "n_shared_experts", defaults.shared_experts)} *
                   width
             : Count{0};
  if (shared_width.overflowed()) {
    reader.fail("n_shared_experts", "times moe_intermediate_size exceeds 64 bits",
                "give the sizes that the model really has", ErrorKind::overflow);
  }
  mixture.shared_intermediate_size = shared_width.overflowed() ? 0 : shared_width.value();
  sparse.feed_forward.experts = mixture;

  const std::int64_t layers = decoder.layer.num_hidden_layers;
  const std::int64_t dense = reader.count_or("first_k_dense_replace", defaults.dense_layers);
  if (dense > layers) {
    reader.fail("first_k_dense_replace",
                fmt::format("{} dense layers, but num_hidden_layers = {}", dense, layers),
                "choose first_k_dense_replace of at most num_hidden_layers");
  }
  TransformerBlock first = decoder.layer;
  first.num_hidden_layers = dense;
  first.final_norm = dense == layers;
  sparse.num_hidden_layers = layers - dense;
  std::vector<Block> blocks;
  if (dense > 0) blocks.push_back({"decoder_dense", first});
  if (dense < layers) blocks.push_back({"decoder", sparse});
  return finish_decoder(reader, std::move(model), decoder, std::move(blocks), head, prefix);
}

}  // namespace

Result<Model> read_deepseek_v2(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  const DeepseekDefaults defaults{.decoder = {.vocab_size = 32000,
                                              .hidden_size = 4096,
                                              .intermediate_size = 11008,
                                              .num_hidden_layers = 32,
                                              .num_attention_heads = 32,
                                              .heads_share_width = false},
                                  .moe_intermediate_size = 1407,
                                  .experts = 64,
                                  .shared_experts = 2};
  return read_deepseek(reader, {.family = "deepseek_v2"}, defaults, head, "DeepseekV2");
}

Result<Model> read_deepseek_v3(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  const DeepseekDefaults defaults{.decoder = {.vocab_size = 129280,
                                              .hidden_size = 7168,
                                              .intermediate_size = 18432,
                                              .num_hidden_layers = 61,
                                              .num_attention_heads = 128,
                                              .num_key_value_heads = 128,
                                              .heads_share_width = false},
                                  .moe_intermediate_size = 2048,
                                  .experts = 256,
                                  .per_token = 8,
                                  .shared_experts = 1,
                                  .dense_layers = 3};
  return read_deepseek(reader, {.family = "deepseek_v3"}, defaults, head, "DeepseekV3");
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "operations/blocks.hpp"

#include <algorithm>
#include <initializer_list>
#include <optional>

#include <fmt/format.h>

namespace joulecast {
namespace {

struct Size {
  const char* name;
  std::int64_t value;
  std::int64_t least = 1;
};

using Fault = std::optional<std::string>;

Fault find_bad_size(std::initializer_list<Size> sizes) {
  for (const Size& size : sizes) {
    if (size.value >= size.least) continue;
    return fmt::format("{} must be at least {}, is {}", size.name, size.least, size.value);
  }
  return std::nullopt;
}

Fault find_fault(const EmbeddingBlock& block, Convention) {
  return find_bad_size({{"vocab_size", block.vocab_size},
                        {"hidden_size", block.hidden_size},
                        {"max_position_embeddings", block.max_position_embeddings, 0},
                        {"type_vocab_size", block.type_vocab_size, 0}});
}

Fault find_fault(const PatchEmbeddingBlock& block, Convention) {
  auto bad = find_bad_size({{"image_height", block.image_height},
                            {"image_width", block.image_width},
                            {"num_channels", block.num_channels},
                            {"patch_size", block.patch_size},
                            {"hidden_size", block.hidden_size},
                            {"num_special_tokens", block.num_special_tokens, 0}});
  if (bad) return bad;
  if (block.patch_size <= std::min(block.image_height, block.image_width)) return std::nullopt;
  return fmt::format("patch_size = {} exceeds the image", block.patch_size);
}

Fault find_fault(const PositionEmbeddingBlock& block, Convention) {
  return find_bad_size(
      {{"num_positions", block.num_positions}, {"hidden_size", block.hidden_size}});
}

Fault find_fault(const LatentAttention& latent) {
  return find_bad_size({{"q_lora_rank", latent.q_lora_rank.value_or(1)},
                        {"kv_lora_rank", latent.kv_lora_rank},
                        {"qk_nope_head_dim", latent.qk_nope_head_dim},
                        {"qk_rope_head_dim", latent.qk_rope_head_dim},
                        {"v_head_dim", latent.v_head_dim}});
}

Fault find_fault(const Attention& attention, std::int64_t hidden_size, bool cut_heads) {
  const std::int64_t heads = attention.num_attention_heads;
  auto bad = find_bad_size({{"num_attention_heads", heads},
                            {"num_key_value_heads", attention.num_key_value_heads.value_or(1)},
                            {"head_dim", attention.head_dim.value_or(1)},
                            {"sliding_window", attention.sliding_window.value_or(1)},
                            {"partition_size", attention.partition_size.value_or(1)}});
  if (!bad && attention.latent) bad = find_fault(*attention.latent);
  if (bad) return bad;
  if (heads % key_value_heads(attention) != 0) {
    return fmt::format("num_key_value_heads = {} does not divide num_attention_heads = {}",
                       key_value_heads(attention), heads);
  }
  const bool stated = attention.head_dim || attention.latent;
  const bool cut = cut_heads && heads <= hidden_size;
  if (stated || cut || hidden_size % heads == 0) return std::nullopt;
  return fmt::format("{} heads do not divide hidden_size = {}", heads, hidden_size);
}

Fault find_fault(const FeedForward& layer) {
  auto bad = find_bad_size({{"intermediate_size", layer.intermediate_size}});
  if (bad || !layer.experts) return bad;
  const MixtureOfExperts& experts = *layer.experts;
  bad = find_bad_size({{"num_experts", experts.num_experts},
                       {"num_experts_per_tok", experts.num_experts_per_tok},
                       {"shared_intermediate_size", experts.shared_intermediate_size, 0}});
  if (bad || experts.num_experts_per_tok <= experts.num_experts) return bad;
  return fmt::format("num_experts_per_tok = {} exceeds num_experts = {}",
                     experts.num_experts_per_tok, experts.num_experts);
}

Fault find_fault(const TransformerBlock& block, Convention convention) {
  const bool cut_heads = convention == Convention::ecai2025;
  auto bad = find_bad_size({{"num_hidden_layers", block.num_hidden_layers},
                            {"hidden_size", block.hidden_size},
                            {"num_distinct_layers", block.num_distinct_layers.value_or(1)}});
  if (!bad) bad = find_fault(block.attention, block.hidden_size, cut_heads);
  if (!bad && block.cross_attention) {
    bad = find_fault(block.cross_attention->attention, block.hidden_size, cut_heads);
  }
  return bad ? bad : find_fault(block.feed_forward);
}

Fault find_fault(const MambaBlock& block, Convention) {
  return find_bad_size({{"num_hidden_layers", block.num_hidden_layers},
                        {"hidden_size", block.hidden_size},
                        {"intermediate_size", block.intermediate_size},
                        {"state_size", block.state_size},
                        {"conv_kernel", block.conv_kernel},
                        {"time_step_rank", block.time_step_rank}});
}

Fault find_fault(const RecurrentBlock& block, Convention) {
  return find_bad_size({{"num_layers", block.num_layers},
                        {"input_size", block.input_size},
                        {"hidden_size", block.hidden_size}});
}

Fault find_fault(const ConvolutionLayer& layer) {
  auto bad = find_bad_size({{"in_channels", layer.in_channels},
                            {"out_channels", layer.out_channels},
                            {"kernel_size", layer.kernel_size},
                            {"stride", layer.stride},
                            {"padding", layer.padding, 0},
                            {"groups", layer.groups}});
  if (bad || (layer.in_channels % layer.groups == 0 && layer.out_channels % layer.groups == 0)) {
    return bad;
  }
  return fmt::format("groups = {} does not divide {} channels in and {} out", layer.groups,
                     layer.in_channels, layer.out_channels);
}

Fault find_fault(const ConvolutionBlock& block, Convention) {
  auto bad = find_bad_size(
      {{"repeats", block.repeats}, {"layers", static_cast<std::int64_t>(block.layers.size())}});
  for (std::size_t i = 0; !bad && i < block.layers.size(); ++i) {
    bad = find_fault(block.layers[i]);
    if (bad || i == 0 || block.layers[i].in_channels == block.layers[i - 1].out_channels) continue;
    bad = fmt::format("in_channels = {} follows out_channels = {}", block.layers[i].in_channels,
                      block.layers[i - 1].out_channels);
  }
  if (!bad && block.shortcut) bad = find_fault(*block.shortcut);
  if (!bad && block.feed_forward) bad = find_fault(*block.feed_forward);
  return bad;
}

Fault find_fault(const PoolingBlock& block, Convention) {
  return find_bad_size({{"channels", block.channels},
                        {"kernel_size", block.kernel_size, 0},
                        {"stride", block.stride},
                        {"padding", block.padding, 0}});
}

Fault find_fault(const DenseBlock& block, Convention) {
  return find_bad_size({{"input_size", block.input_size}, {"output_size", block.output_size}});
}

Fault find_fault(const NormalizationBlock& block, Convention) {
  return find_bad_size({{"hidden_size", block.hidden_size}});
}

Fault find_fault(const LanguageModelHeadBlock& block, Convention) {
  return find_bad_size({{"hidden_size", block.hidden_size}, {"vocab_size", block.vocab_size}});
}

Fault find_fault(const ClassifierBlock& block, Convention) {
  return find_bad_size({{"hidden_size", block.hidden_size}, {"num_labels", block.num_labels}});
}

Fault find_fault(const ContrastiveHeadBlock& block, Convention) {
  return find_bad_size({{"projection_dim", block.projection_dim}});
}

std::unexpected<Error> fault(const Model& model, std::string path, std::string message) {
  return std::unexpected(Error{ErrorKind::value, std::move(message),
                               Location{.file = model.file, .path = std::move(path)},
                               "give the model's real sizes"});
}

}  // namespace

Result<void> check_model(const Model& model, Convention convention) {
  if (model.blocks.empty()) return fault(model, "blocks", "the model has no blocks");
  for (const Block& block : model.blocks) {
    auto bad =
        std::visit([&](const auto& shape) { return find_fault(shape, convention); }, block.shape);
    const Positions& positions = block.positions;
    if (!bad && positions.kind == Positions::Kind::fixed) {
      bad = find_bad_size({{"height", positions.height}, {"width", positions.width}});
    }
    if (bad) return fault(model, block.name, std::move(*bad));
  }
  return {};
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Mamba: Gu & Dao 2023, arXiv:2312.00752. Keys and defaults: transformers' MambaConfig.
#include "readers/heads.hpp"
#include "readers/readers.hpp"

#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

const std::array<HeadChoice, 2> mamba_heads = {
    {{"MambaForCausalLM", Head::causal_lm}, {"MambaModel", Head::none}}};

// expand times the width; where the file states it as well, the two must agree.
std::int64_t read_inner_width(ObjectReader& reader, Model& model, std::int64_t d) {
  const std::int64_t expand = size_or_default(reader, model, "expand", 2);
  const Count inner = Count{expand} * d;
  if (inner.overflowed()) {
    reader.fail("expand", "times hidden_size exceeds 64 bits",
                "give the sizes that the model really has", ErrorKind::overflow);
    return 1;
  }
  if (reader.has("intermediate_size") && reader.size("intermediate_size") != inner.value()) {
    reader.fail("intermediate_size",
                fmt::format("contradicts expand = {} times hidden_size = {}", expand, d),
                "make intermediate_size, expand and hidden_size agree");
  }
  return inner.value();
}

}  // namespace

Result<Model> read_mamba(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "mamba"};
  const auto size = [&](std::string_view key, std::int64_t fallback) {
    return size_or_default(reader, model, key, fallback);
  };
  const std::int64_t d = size("hidden_size", 768);
  MambaBlock layer{.num_hidden_layers = size("num_hidden_layers", 32),
                   .hidden_size = d,
                   .intermediate_size = read_inner_width(reader, model, d),
                   .state_size = size("state_size", 16),
                   .conv_kernel = size("conv_kernel", 4),
                   // "auto" is the width over 16, rounded up.
                   .time_step_rank = (d - 1) / 16 + 1,
                   .bias = reader.boolean_or("use_bias", false),
                   .conv_bias = reader.boolean_or("use_conv_bias", true),
                   .activation = read_activation(reader, "hidden_act", "silu"),
                   .final_norm = true};
  if (!reader.is_text("time_step_rank")) {
    layer.time_step_rank = reader.size_or("time_step_rank", layer.time_step_rank);
  } else if (reader.text("time_step_rank") != "auto") {
    reader.fail("time_step_rank", "must be a whole number or \"auto\"", "write \"auto\"");
  }
  const EmbeddingBlock embedding{.vocab_size = size("vocab_size", 50280), .hidden_size = d};
  const bool tied = reader.boolean_or("tie_word_embeddings", true);
  head = choose_head(reader, model, head, mamba_heads, mamba_heads[0]);
  model.blocks = {{"embedding", embedding}, {"decoder", layer}};
  if (head == Head::causal_lm) {
    model.blocks.push_back(
        {"language_model_head",
         LanguageModelHeadBlock{
             .hidden_size = d, .vocab_size = embedding.vocab_size, .tied_embedding = tied}});
  }
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

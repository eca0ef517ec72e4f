// SPDX-License-Identifier: Apache-2.0
#pragma once

// One reader per family of Hugging Face config.json, and one for hand-written files. A reader
// turns a document into blocks and checks what the architecture demands; it knows no FLOPs.

#include "documents/value.hpp"

#include <joulecast/model.hpp>

#include <optional>
#include <string_view>

namespace joulecast {

// One per model_type of transformers, in the alphabet's order.
Result<Model> read_albert(const Value& config, const std::string& file, Head head);
Result<Model> read_bart(const Value& config, const std::string& file, Head head);
Result<Model> read_bert(const Value& config, const std::string& file, Head head);
Result<Model> read_bloom(const Value& config, const std::string& file, Head head);
Result<Model> read_clip(const Value& config, const std::string& file, Head head);
Result<Model> read_convnext(const Value& config, const std::string& file, Head head);
Result<Model> read_deberta_v2(const Value& config, const std::string& file, Head head);
Result<Model> read_deepseek_v2(const Value& config, const std::string& file, Head head);
Result<Model> read_deepseek_v3(const Value& config, const std::string& file, Head head);
Result<Model> read_deit(const Value& config, const std::string& file, Head head);
Result<Model> read_distilbert(const Value& config, const std::string& file, Head head);
Result<Model> read_electra(const Value& config, const std::string& file, Head head);
Result<Model> read_falcon(const Value& config, const std::string& file, Head head);
Result<Model> read_gemma(const Value& config, const std::string& file, Head head);
Result<Model> read_gemma2(const Value& config, const std::string& file, Head head);
Result<Model> read_gemma3(const Value& config, const std::string& file, Head head);
Result<Model> read_gemma3_multimodal(const Value& config, const std::string& file, Head head);
Result<Model> read_gpt2(const Value& config, const std::string& file, Head head);
Result<Model> read_gpt_neo(const Value& config, const std::string& file, Head head);
Result<Model> read_gpt_neox(const Value& config, const std::string& file, Head head);
Result<Model> read_llama(const Value& config, const std::string& file, Head head);
Result<Model> read_mamba(const Value& config, const std::string& file, Head head);
Result<Model> read_mistral(const Value& config, const std::string& file, Head head);
Result<Model> read_mixtral(const Value& config, const std::string& file, Head head);
Result<Model> read_mpt(const Value& config, const std::string& file, Head head);
Result<Model> read_olmo(const Value& config, const std::string& file, Head head);
Result<Model> read_olmo2(const Value& config, const std::string& file, Head head);
Result<Model> read_opt(const Value& config, const std::string& file, Head head);
Result<Model> read_phi3(const Value& config, const std::string& file, Head head);
Result<Model> read_qwen2(const Value& config, const std::string& file, Head head);
Result<Model> read_qwen2_moe(const Value& config, const std::string& file, Head head);
Result<Model> read_qwen3(const Value& config, const std::string& file, Head head);
Result<Model> read_qwen3_moe(const Value& config, const std::string& file, Head head);
Result<Model> read_resnet(const Value& config, const std::string& file, Head head);
Result<Model> read_roberta(const Value& config, const std::string& file, Head head);
Result<Model> read_starcoder2(const Value& config, const std::string& file, Head head);
Result<Model> read_swin(const Value& config, const std::string& file, Head head);
Result<Model> read_t5(const Value& config, const std::string& file, Head head);
Result<Model> read_vit(const Value& config, const std::string& file, Head head);
Result<Model> read_whisper(const Value& config, const std::string& file, Head head);

Result<Model> read_model_toml(const Value& document, const std::string& file);

// Whether transformers computes that function in several steps, each of which keeps its values.
bool is_composed_activation(std::string_view name);

// Hugging Face's name of an activation, e.g. "gelu_new". The key is for the error.
Activation read_activation(ObjectReader& reader, std::string_view key, std::string_view fallback);
// The same of a name that is part of the key's text.
Activation activation_from(ObjectReader& reader, std::string_view key, const std::string& name);

// A key that the file lacks and that the family documents a default for is a warning in the model.
void warn_if_absent(ObjectReader& reader, Model& model, std::string_view key,
                    std::string_view fallback);

// Takes a size that the family documents a default for; a default taken is a warning in the model.
std::int64_t size_or_default(ObjectReader& reader, Model& model, std::string_view key,
                             std::int64_t fallback);

// A key under its own name or under the alias of transformers' `attribute_map`. Both at once must
// agree.
std::string_view key_or_alias(ObjectReader& reader, std::string_view key, std::string_view alias);

// What every reader of a family ends with: the model, or the first error. Looks at keys that change
// the training or the shape in ways no prediction covers (refused where the shape changes, a
// warning where the cost alone does), and warns of keys that are a slip of the pen for one that the
// file lacks, which is known only now that the reader has asked for all of its keys.
Result<Model> finish_model(ObjectReader& reader, Model model);

// Transformers takes one class; the file may name several.
void warn_of_architectures(Model& model, const std::vector<std::string>& all,
                           std::string_view taken);

// Heads must divide the hidden size, or a head would be a fraction wide.
void check_heads(ObjectReader& reader, std::string_view heads_key, std::int64_t heads,
                 std::string_view hidden_key, std::int64_t hidden);

// Experts and how many of them a token visits, which cannot be more. `experts` and `per_token` are
// the documented defaults; without one for `per_token` its key must be there.
struct ExpertKeys {
  std::string_view experts = "num_experts";
  std::string_view per_token = "num_experts_per_tok";
};
MixtureOfExperts read_experts(ObjectReader& reader, Model& model, const ExpertKeys& keys,
                              std::int64_t experts, std::optional<std::int64_t> per_token);

// 1 for each layer that has experts, by decoder_sparse_step and mlp_only_layers.
std::vector<std::size_t> read_sparse_layers(ObjectReader& reader, std::int64_t layers);

// Values of a head that are turned, as a share of its width.
std::int64_t read_rotary_dim(ObjectReader& reader, std::string_view key, double fallback,
                             std::int64_t head_dim);

// Where layers are told apart one by one, there must not be absurdly many.
bool check_layers(ObjectReader& reader, std::string_view key, std::int64_t layers);

// Whether a dropout layer does anything.
bool read_flag(ObjectReader& reader, std::string_view key, double fallback);

// Probability of a dropout layer; 0 means that the layer does nothing and costs nothing.
double read_dropout(ObjectReader& reader, std::string_view key, double fallback);

}  // namespace joulecast

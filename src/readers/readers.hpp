// SPDX-License-Identifier: Apache-2.0
#pragma once

// One reader per family of Hugging Face config.json, and one for hand-written files. A reader
// turns a document into blocks and checks what the architecture demands; it knows no FLOPs.

#include "documents/value.hpp"

#include <joulecast/model.hpp>

#include <optional>
#include <string_view>

namespace joulecast {

Result<Model> read_bert(const Value& config, const std::string& file, Head head);
Result<Model> read_gpt2(const Value& config, const std::string& file, Head head);
Result<Model> read_model_toml(const Value& document, const std::string& file);

// Hugging Face's name of an activation, e.g. "gelu_new". The key is for the error.
Activation read_activation(ObjectReader& reader, std::string_view key, std::string_view fallback);

// A key that the file lacks and that the family documents a default for is a warning in the model.
void warn_if_absent(ObjectReader& reader, Model& model, std::string_view key,
                    std::string_view fallback);

// Takes a size that the family documents a default for; a default taken is a warning in the model.
std::int64_t size_or_default(ObjectReader& reader, Model& model, std::string_view key,
                             std::int64_t fallback);

// A key under its own name or under the alias of transformers' `attribute_map`. Both at once must
// agree.
std::string_view key_or_alias(ObjectReader& reader, std::string_view key, std::string_view alias);

// Keys of every family that change the training or the shape in ways no prediction covers: refused
// where the shape changes, a warning where the cost alone does. Also warns of a key that is a slip
// of the pen for one that the file lacks, so it is called when the reader has asked for the sizes.
void check_uncovered_keys(ObjectReader& reader, Model& model);

// Transformers takes one class; the file may name several.
void warn_of_architectures(Model& model, const std::vector<std::string>& all,
                           std::string_view taken);

// Heads must divide the hidden size, or a head would be a fraction wide.
void check_heads(ObjectReader& reader, std::string_view heads_key, std::int64_t heads,
                 std::string_view hidden_key, std::int64_t hidden);

// Probability of a dropout layer; 0 means that the layer does nothing and costs nothing.
double read_dropout(ObjectReader& reader, std::string_view key, double fallback);

}  // namespace joulecast

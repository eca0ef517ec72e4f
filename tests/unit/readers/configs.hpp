// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hugging Face config.json texts made of key-value pairs, so that a test can state the one key that
// it is about and leave the others sound.

#include <joulecast/model.hpp>

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

namespace joulecast {

// Values are JSON, as they stand in the file: "12", "\"gelu\"", "null".
using Config = std::map<std::string, std::string>;

// huggingface.co/google-bert/bert-base-uncased, config.json.
inline Config bert_base_config() {
  return {{"model_type", "\"bert\""},
          {"architectures", "[\"BertForMaskedLM\"]"},
          {"attention_probs_dropout_prob", "0.1"},
          {"hidden_act", "\"gelu\""},
          {"hidden_dropout_prob", "0.1"},
          {"hidden_size", "768"},
          {"intermediate_size", "3072"},
          {"max_position_embeddings", "512"},
          {"num_attention_heads", "12"},
          {"num_hidden_layers", "12"},
          {"type_vocab_size", "2"},
          {"vocab_size", "30522"}};
}

// huggingface.co/openai-community/gpt2, config.json.
inline Config gpt2_config() {
  return {{"model_type", "\"gpt2\""},
          {"activation_function", "\"gelu_new\""},
          {"architectures", "[\"GPT2LMHeadModel\"]"},
          {"attn_pdrop", "0.1"},
          {"embd_pdrop", "0.1"},
          {"n_embd", "768"},
          {"n_head", "12"},
          {"n_layer", "12"},
          {"n_positions", "1024"},
          {"resid_pdrop", "0.1"},
          {"vocab_size", "50257"}};
}

inline std::string to_json(const Config& config) {
  std::string text = "{";
  for (const auto& [key, value] : config) {
    text += (text.size() > 1 ? ",\n \"" : "\n \"") + key + "\": " + value;
  }
  return text + "\n}\n";
}

// The config with one key replaced, or taken out where the value is empty.
inline Config with(Config config, const std::string& key, const std::string& value) {
  config.erase(key);
  if (!value.empty()) config[key] = value;
  return config;
}

inline Result<Model> read_config(const Config& config, Head head = Head::from_config) {
  return parse_model(to_json(config), "models/tiny/config.json", {.head = head});
}

inline Model model_of(const Config& config, Head head = Head::from_config) {
  auto model = read_config(config, head);
  EXPECT_TRUE(model.has_value()) << describe(model.error());
  return model.value_or(Model{});
}

// The error of one changed key.
inline Error error_of(const Config& config, const std::string& key, const std::string& value) {
  const auto model = read_config(with(config, key, value));
  EXPECT_FALSE(model.has_value()) << key << " = " << value << " was accepted";
  return model ? Error{} : model.error();
}

template <class Shape>
const Shape& shape_of(const Model& model, std::string_view name) {
  for (const Block& block : model.blocks) {
    if (block.name == name) return std::get<Shape>(block.shape);
  }
  ADD_FAILURE() << "no block named " << name;
  static const Shape none{};
  return none;
}

inline std::vector<std::string> names_of(const Model& model) {
  std::vector<std::string> names;
  for (const Block& block : model.blocks) names.push_back(block.name);
  return names;
}

inline std::vector<std::string> warned(const Model& model) {
  std::vector<std::string> subjects;
  for (const Warning& warning : model.warnings) {
    EXPECT_EQ(warning.code, WarningCode::input_defaulted);
    subjects.push_back(warning.subject);
  }
  return subjects;
}

}  // namespace joulecast

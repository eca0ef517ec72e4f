// SPDX-License-Identifier: Apache-2.0
// Every family, given what cannot be: each size, word and pair of keys that a config may get wrong
// is an error that names the key, what is wrong and how to mend it.
#include <joulecast/model.hpp>

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace joulecast {
namespace {

using Json = nlohmann::ordered_json;

// One sound config of each family, and of most variants of it.
std::map<std::string, Json> tiny_configs() {
  std::map<std::string, Json> configs;
  const auto folder =
      std::filesystem::path(JOULECAST_SOURCE_DIR) / "scripts" / "reference_counts" / "tiny";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream stream(entry.path());
    configs[entry.path().stem().string()] = Json::parse(stream);
  }
  return configs;
}

// Reads the config with a key changed. Nested towers keep their keys.
Result<Model> read_changed(const Json& config, const std::string& key, const Json& value) {
  Json changed = config;
  changed[key] = value;
  return parse_model(changed.dump(1), "config.json");
}

void expect_located(const Result<Model>& model, const std::string& what, const std::string& key) {
  ASSERT_FALSE(model.has_value()) << what << " was accepted";
  const Error& error = model.error();
  EXPECT_EQ(error.where.file, "config.json") << what;
  EXPECT_NE(error.where.path.find(key), std::string::npos) << what << ": " << describe(error);
  EXPECT_FALSE(error.message.empty()) << what;
  EXPECT_FALSE(error.remedy.empty()) << what << ": " << describe(error);
}

bool has_size(const Json& config, const char* key) {
  return config.contains(key) && config[key].is_number_integer();
}

const std::vector<const char*> size_keys = {"vocab_size",
                                            "hidden_size",
                                            "n_embd",
                                            "d_model",
                                            "dim",
                                            "num_hidden_layers",
                                            "n_layer",
                                            "n_layers",
                                            "num_layers",
                                            "encoder_layers",
                                            "decoder_layers",
                                            "intermediate_size",
                                            "d_ff",
                                            "encoder_ffn_dim",
                                            "decoder_ffn_dim",
                                            "ffn_dim",
                                            "num_attention_heads",
                                            "n_head",
                                            "n_heads",
                                            "num_heads",
                                            "encoder_attention_heads",
                                            "decoder_attention_heads",
                                            "num_key_value_heads",
                                            "moe_intermediate_size",
                                            "state_size",
                                            "patch_size",
                                            "num_channels"};

TEST(Contradictions, NoSizeIsAbsurd) {
  std::set<std::string> seen;
  for (const auto& [name, config] : tiny_configs()) {
    for (const char* key : size_keys) {
      if (!has_size(config, key)) continue;
      seen.insert(key);
      for (const Json& value : {Json(0), Json(-4), Json(1.5), Json("12"), Json(true), Json::array(),
                                Json::object(), Json(std::int64_t{1} << 50)}) {
        const std::string what = name + ": " + key + " = " + value.dump();
        expect_located(read_changed(config, key, value), what, key);
      }
    }
  }
  EXPECT_GE(seen.size(), 20U);
}

// Both numbers are in the message, so that the reader sees which of them to change.
void expect_both(const Json& config, const std::string& name, const char* key, std::int64_t value,
                 std::int64_t other) {
  const auto model = read_changed(config, key, value);
  const std::string what = name + ": " + key + " = " + std::to_string(value);
  ASSERT_FALSE(model.has_value()) << what << " was accepted";
  const std::string text = describe(model.error());
  EXPECT_NE(text.find(std::to_string(value)), std::string::npos) << what << ": " << text;
  EXPECT_NE(text.find(std::to_string(other)), std::string::npos) << what << ": " << text;
  EXPECT_FALSE(model.error().remedy.empty()) << text;
}

struct HeadKeys {
  const char* heads;
  const char* width;
};

TEST(Contradictions, HeadsDivideTheWidth) {
  int models = 0;
  for (const auto& [name, config] : tiny_configs()) {
    for (const auto& [heads, width] :
         {HeadKeys{"num_attention_heads", "hidden_size"}, HeadKeys{"n_head", "n_embd"},
          HeadKeys{"n_head", "hidden_size"}, HeadKeys{"n_heads", "dim"},
          HeadKeys{"n_heads", "d_model"}, HeadKeys{"num_heads", "hidden_size"},
          HeadKeys{"encoder_attention_heads", "d_model"},
          HeadKeys{"decoder_attention_heads", "d_model"}}) {
      if (!has_size(config, heads) || !has_size(config, width)) continue;
      // Where the head's width is stated apart, heads need not divide anything.
      if (config.contains("head_dim") || config.contains("kv_lora_rank")) continue;
      const auto hidden = config[width].get<std::int64_t>();
      // One more than the width divides no width, and is no multiple of the key-value heads either.
      Json changed = config;
      for (const char* key : {"num_key_value_heads", "num_kv_heads"}) {
        if (changed.contains(key)) changed[key] = 1;
      }
      expect_both(changed, name, heads, hidden + 1, hidden);
      ++models;
    }
  }
  EXPECT_GE(models, 30);
}

TEST(Contradictions, KeyValueHeadsDivideTheHeads) {
  int models = 0;
  for (const auto& [name, config] : tiny_configs()) {
    for (const char* key : {"num_key_value_heads", "num_kv_heads"}) {
      if (!has_size(config, key)) continue;
      // DeepSeek's latent attention has no groups, Falcon's old layout no key-value heads.
      if (config.contains("kv_lora_rank")) continue;
      if (key == std::string("num_kv_heads") && !config.value("new_decoder_architecture", false)) {
        continue;
      }
      const auto heads = config["num_attention_heads"].get<std::int64_t>();
      expect_both(config, name, key, heads + 1, heads);
      ++models;
    }
  }
  EXPECT_GE(models, 10);
}

TEST(Contradictions, NoTokenVisitsMoreExpertsThanThereAre) {
  int models = 0;
  for (const auto& [name, config] : tiny_configs()) {
    for (const char* all : {"num_local_experts", "num_experts", "n_routed_experts"}) {
      if (!has_size(config, all)) continue;
      const auto experts = config[all].get<std::int64_t>();
      expect_both(config, name, "num_experts_per_tok", experts + 1, experts);
      ++models;
    }
  }
  EXPECT_GE(models, 5);
}

TEST(Contradictions, NoActivationIsUnknown) {
  int models = 0;
  for (const auto& [name, config] : tiny_configs()) {
    for (const char* key : {"hidden_act", "activation_function", "feed_forward_proj", "activation",
                            "hidden_activation"}) {
      if (!config.contains(key)) continue;
      expect_located(read_changed(config, key, "geluu"), name + ": " + key, key);
      ++models;
    }
  }
  EXPECT_GE(models, 30);
}

TEST(Contradictions, NoFamilyIsUnknown) {
  for (const auto& [name, config] : tiny_configs()) {
    const auto family = config["model_type"].get<std::string>();
    const auto model = read_changed(config, "model_type", family + "_2x");
    ASSERT_FALSE(model.has_value()) << name;
    EXPECT_EQ(model.error().kind, ErrorKind::unsupported) << name;
    EXPECT_NE(model.error().remedy.find(family), std::string::npos)
        << name << ": " << describe(model.error());
  }
}

TEST(Contradictions, EveryConfigIsSoundAsItStands) {
  for (const auto& [name, config] : tiny_configs()) {
    const auto model = parse_model(config.dump(1), "config.json");
    EXPECT_TRUE(model.has_value()) << name << ": " << describe(model.error());
  }
}

}  // namespace
}  // namespace joulecast

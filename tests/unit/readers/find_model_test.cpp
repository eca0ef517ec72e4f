// SPDX-License-Identifier: Apache-2.0
#include <joulecast/shipped_model.hpp>

#include "../documents/temporary_directory.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tuple>

namespace joulecast {
namespace {

using testing::HasSubstr;

constexpr const char* small_gpt2 =
    R"({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": 7, "n_embd": 4,
        "n_layer": 1, "n_head": 1, "n_positions": 3, "activation_function": "gelu",
        "embd_pdrop": 0, "attn_pdrop": 0, "resid_pdrop": 0})";

TEST(FindModel, KnowsEveryShippedId) {
  const auto ids = shipped_model_ids();
  EXPECT_EQ(ids.size(), 114U);
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  for (const std::string& id : ids) {
    const auto model = find_model(id);
    ASSERT_TRUE(model.has_value()) << describe(model.error());
    EXPECT_EQ(model->name, id);
    EXPECT_EQ(model->file, "shipped");
  }
}

TEST(FindModel, EveryShippedModelStatesItsSource) {
  for (const ShippedModel& model : shipped_models()) {
    EXPECT_FALSE(model.source.empty()) << model.id;
    EXPECT_GT(model.parameters, 0) << model.id;
    EXPECT_LE(model.active_parameters, model.parameters) << model.id;
    ASSERT_TRUE(model.published_parameters.has_value()) << model.id;
    // Rounded, of another head, or with another count of embeddings; never another model.
    const double ratio = static_cast<double>(model.parameters) / *model.published_parameters;
    EXPECT_GT(ratio, 0.75) << model.id;
    EXPECT_LT(ratio, 1.6) << model.id;
  }
}

TEST(FindModel, APathGoesBeforeAnId) {
  const TemporaryDirectory directory;
  const auto path = directory.write("gpt2/config.json", small_gpt2);
  EXPECT_EQ(find_model(path.string())->blocks.size(), 3U);
  EXPECT_EQ(find_model(path.parent_path().string())->file, path.string());
  EXPECT_EQ(find_model("gpt2")->file, "shipped");
}

TEST(FindModel, LooksIntoTheHubSCache) {
  const TemporaryDirectory directory;
  std::ignore = directory.write("models--Some-Org--my-model/snapshots/aaa/config.json", "{}");
  std::ignore = directory.write("models--Some-Org--my-model/snapshots/bbb/config.json", small_gpt2);
  const FindModelOptions options{.hub_cache = directory.path()};
  for (const char* name : {"Some-Org/my-model", "my-model"}) {
    const auto model = find_model(name, options);
    ASSERT_TRUE(model.has_value()) << describe(model.error());
    EXPECT_EQ(model->name, "Some-Org/my-model");
    EXPECT_THAT(model->file, HasSubstr("bbb"));
  }
  // The branch main decides where the cache says where it stands.
  std::ignore = directory.write("models--Some-Org--my-model/refs/main", "aaa\n");
  EXPECT_THAT(find_model("my-model", options).error().where.file, HasSubstr("aaa"));
}

TEST(FindModel, AnUnknownNameIsToldTheNearestOnes) {
  const TemporaryDirectory directory;
  std::ignore = directory.write("models--org--special/snapshots/a/config.json", small_gpt2);
  const auto model = find_model("llama-3.1-405", {.hub_cache = directory.path()});
  ASSERT_FALSE(model.has_value());
  EXPECT_EQ(model.error().kind, ErrorKind::not_found);
  EXPECT_THAT(model.error().remedy, HasSubstr("llama-3.1-405b"));
  EXPECT_THAT(find_model("org/specal", {.hub_cache = directory.path()}).error().remedy,
              HasSubstr("org/special"));
  EXPECT_EQ(find_model("").error().kind, ErrorKind::not_found);
  EXPECT_EQ(find_model("../../etc", {.hub_cache = directory.path()}).has_value(), false);
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "configs.hpp"

#include "../documents/temporary_directory.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace joulecast {
namespace {

using testing::HasSubstr;

const std::filesystem::path examples = std::filesystem::path(JOULECAST_SOURCE_DIR) / "examples";

Error error_of(std::string_view text, const std::string& file) {
  const auto model = parse_model(text, file);
  EXPECT_FALSE(model.has_value()) << text.substr(0, 80);
  return model ? Error{} : model.error();
}

TEST(ReadModel, TakesAFileOrTheFolderAroundIt) {
  for (const auto& path : {examples / "bert-base-uncased" / "config.json",
                           examples / "bert-base-uncased", examples / "bert-base-uncased" / ""}) {
    const auto model = read_model(path);
    ASSERT_TRUE(model.has_value()) << describe(model.error());
    EXPECT_EQ(model->name, "bert-base-uncased");
    EXPECT_EQ(count_all_parameters(*model).value(), 109'514'298);
  }
}

TEST(ReadModel, EveryExampleIsSoundAndWithoutWarnings) {
  int models = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(examples)) {
    const auto name = entry.path().filename();
    if (name != "config.json" && name.extension() != ".toml") continue;
    if (name == "config.toml" || name == "own_devices.toml") continue;
    const auto model = read_model(entry.path());
    ASSERT_TRUE(model.has_value()) << describe(model.error());
    EXPECT_TRUE(model->warnings.empty()) << name;
    EXPECT_TRUE(count_all_parameters(*model).has_value()) << name;
    ++models;
  }
  EXPECT_GE(models, 7);
}

// The example files count what the papers and the published weights count.
TEST(ReadModel, TheExamplesHaveTheirKnownParameters) {
  EXPECT_EQ(count_all_parameters(read_model(examples / "gpt2").value()).value(), 124'439'808);
  // Derivations in parameters_test.cpp; the scores of 10 classes are 512 * 10 + 10.
  EXPECT_EQ(count_all_parameters(read_model(examples / "encoder_decoder.toml").value()).value(),
            63'082'496);
  EXPECT_EQ(count_all_parameters(read_model(examples / "gru.toml").value()).value(),
            592'896 + 1'182'720 + 5'130);
  // Embedding 10000 * 650, two layers of 3,385,200, a bias of 10000 on the shared scores.
  EXPECT_EQ(count_all_parameters(read_model(examples / "lstm.toml").value()).value(),
            6'500'000 + 2 * 3'385'200 + 10'000);
}

TEST(ReadModel, RecordsFileAndHashOfTheBytes) {
  const TemporaryDirectory directory;
  const auto path = directory.write("m/config.json", to_json(gpt2_config()));
  const auto model = read_model(path).value();
  EXPECT_EQ(model.file, path.string());
  EXPECT_EQ(model.sha256.size(), 64U);
  const auto same = parse_model(to_json(gpt2_config()), "elsewhere.json").value();
  EXPECT_EQ(same.sha256, model.sha256);
  const auto other = parse_model(to_json(gpt2_config()) + "\n", "elsewhere.json").value();
  EXPECT_NE(other.sha256, model.sha256);
}

TEST(ReadModel, NamesAModelByItsFolderOrItsFile) {
  const std::string text = to_json(gpt2_config());
  EXPECT_EQ(parse_model(text, "models/gpt2-medium/config.json")->name, "gpt2-medium");
  EXPECT_EQ(parse_model(text, "models/mine.json")->name, "mine");
  // A folder without a name of its own names nothing.
  EXPECT_EQ(parse_model(text, "config.json")->name, "config");
  EXPECT_EQ(parse_model(text, "./config.json")->name, "config");
  EXPECT_EQ(parse_model(text, "../config.json")->name, "config");
  EXPECT_EQ(parse_model(text, "/config.json")->name, "config");
}

TEST(ReadModel, AFileThatIsNotThereIsNamedWithARemedy) {
  const TemporaryDirectory directory;
  for (const auto& path : {directory.path() / "absent.json", directory.path()}) {
    const auto model = read_model(path);
    ASSERT_FALSE(model.has_value());
    EXPECT_EQ(model.error().kind, ErrorKind::not_found);
    EXPECT_THAT(model.error().where.file, HasSubstr(".json"));
    EXPECT_THAT(model.error().remedy, HasSubstr("config.json"));
  }
  EXPECT_EQ(read_model("").error().kind, ErrorKind::not_found);
}

TEST(ReadModel, OnlyJsonAndTomlAreModels) {
  for (const char* file : {"model.yaml", "model", "config.json.bak", ".json", ""}) {
    const Error error = error_of(to_json(gpt2_config()), file);
    EXPECT_EQ(error.kind, ErrorKind::unsupported) << file;
    EXPECT_EQ(error.where.file, file);
  }
  // The ending decides, not the content.
  EXPECT_EQ(error_of(to_json(gpt2_config()), "m.toml").kind, ErrorKind::syntax);
  EXPECT_EQ(error_of("name = 'x'", "m.json").kind, ErrorKind::syntax);
}

TEST(ReadModel, AnUnknownFamilyIsToldTheNearestKnownOne) {
  const Error near = error_of(R"({"model_type": "gtp2"})", "c/config.json");
  EXPECT_EQ(near.kind, ErrorKind::unsupported);
  EXPECT_EQ(near.where.path, "model_type");
  EXPECT_THAT(near.message, HasSubstr("\"gtp2\""));
  EXPECT_THAT(near.remedy, HasSubstr("did you mean gpt2?"));
  EXPECT_THAT(error_of(R"({"model_type": "berts"})", "c.json").remedy,
              HasSubstr("did you mean bert or bart?"));
  const Error far = error_of(R"({"model_type": "mixture-of-dreams"})", "c.json");
  EXPECT_THAT(far.remedy, HasSubstr("known families: albert, bart, bert, bloom"));
  EXPECT_EQ(error_of(R"({"model_type": ""})", "c.json").kind, ErrorKind::unsupported);
  EXPECT_EQ(error_of(R"({"model_type": "BERT"})", "c.json").kind, ErrorKind::unsupported);
}

TEST(ReadModel, AConfigWithoutAFamilyIsRefused) {
  for (const char* text :
       {"{}", R"({"model_type": null})", R"({"hidden_size": 768})", R"({"model_type": 3})"}) {
    const Error error = error_of(text, "c.json");
    EXPECT_EQ(error.kind, ErrorKind::schema) << text;
    EXPECT_EQ(error.where.path, "model_type");
    EXPECT_THAT(error.remedy, HasSubstr("config.json"));
  }
}

TEST(ReadModel, PassesOnTheErrorsOfTheFormats) {
  EXPECT_EQ(error_of("", "c.json").kind, ErrorKind::syntax);
  EXPECT_EQ(error_of("{\"model_type\": \"bert\"", "c.json").where.line, 1);
  EXPECT_EQ(error_of("a = 1\na = 2\n", "m.toml").where.line, 2);
  EXPECT_EQ(error_of("[]", "c.json").kind, ErrorKind::schema);
}

TEST(ReadModel, AHandWrittenModelStatesItsOwnHead) {
  const auto model = parse_model("[[block]]\nkind = 'dense'\ninput_size = 1\noutput_size = 1\n",
                                 "m.toml", {.head = Head::none});
  ASSERT_FALSE(model.has_value());
  EXPECT_EQ(model.error().kind, ErrorKind::usage);
  EXPECT_EQ(model.error().where.path, "--head");
}

TEST(ReadModel, RefusesAFileThatIsTooLargeToBeAModel) {
  const TemporaryDirectory directory;
  const auto file = directory.write("c.json", "");
  std::filesystem::resize_file(file, (std::uintmax_t{16} << 20U) + 1);
  EXPECT_EQ(read_model(file).error().kind, ErrorKind::value);
}

}  // namespace
}  // namespace joulecast

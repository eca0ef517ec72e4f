// SPDX-License-Identifier: Apache-2.0
// The parameters of every model that PyTorch and transformers built, against ours.
#include "reference_counts.hpp"

#include <joulecast/suggest.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

namespace joulecast {
namespace {

TEST(ReferenceCounts, EveryParameterOfEveryModelIsCounted) {
  const auto records = reference_records("parameters");
  // 114 real configurations and 55 tiny ones; fewer would mean that some are not compared.
  ASSERT_EQ(records.size(), 169U);
  for (const ReferenceRecord& record : records) {
    const auto model = read_model(config_of(record));
    ASSERT_TRUE(model.has_value()) << describe(model.error());
    EXPECT_EQ(count_all_parameters(*model).value(),
              integer(find_member(record.value, "parameters")))
        << record.id;
    EXPECT_EQ(count_trainable_parameters(*model).value(),
              integer(find_member(record.value, "parameters_trainable")))
        << record.id;
  }
}

TEST(ReferenceCounts, EveryShippedConfigurationIsAmongThem) {
  std::set<std::string> recorded;
  for (const ReferenceRecord& record : reference_records("parameters")) recorded.insert(record.id);
  const std::filesystem::path source = JOULECAST_SOURCE_DIR;
  for (const auto& entry : std::filesystem::directory_iterator(source / "data/models")) {
    if (entry.path().extension() != ".json") continue;
    EXPECT_TRUE(recorded.contains(entry.path().stem().string())) << entry.path();
  }
}

// What a file leaves out is a warning; a whole configuration leaves nothing out. T5's warnings are
// of a key that transformers reads otherwise than its name says, MPT's too.
TEST(ReferenceCounts, WholeConfigurationsAreReadWithoutDefaults) {
  for (const ReferenceRecord& record : reference_records("parameters")) {
    const Model model = read_model(config_of(record)).value();
    for (const Warning& warning : model.warnings) {
      EXPECT_NE(warning.code, WarningCode::input_defaulted) << record.id << " " << warning.subject;
    }
  }
}

bool warns_of(const Result<Model>& model, const std::string& subject) {
  return model && std::ranges::any_of(model->warnings, [&](const Warning& warning) {
           return warning.code == WarningCode::input_defaulted && warning.subject == subject;
         });
}

// Wherever a missing key takes a default, a slip in its name must not do so silently.
TEST(ReferenceCounts, AKeyWhoseDefaultIsTakenIsFoundMisspelt) {
  int misspelt = 0;
  for (const ReferenceRecord& record : reference_records("parameters")) {
    std::ifstream file(config_of(record));
    const auto whole = nlohmann::json::parse(file);
    for (const auto& [key, value] : whole.items()) {
      auto config = whole;
      config.erase(key);
      const std::string typed = key + "x";
      // Names of three letters ("d_ff", "dim") are too short to tell a slip from another name.
      if (!is_misspelling(typed, key)) continue;
      if (!warns_of(parse_model(config.dump(), "config.json"), key)) continue;
      config[typed] = value;
      EXPECT_TRUE(warns_of(parse_model(config.dump(), "config.json"), typed))
          << record.id << ": " << typed;
      ++misspelt;
    }
  }
  EXPECT_GT(misspelt, 1000);
}

}  // namespace
}  // namespace joulecast

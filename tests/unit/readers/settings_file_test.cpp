// SPDX-License-Identifier: Apache-2.0
#include <joulecast/settings_file.hpp>

#include "../documents/temporary_directory.hpp"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array<std::string_view, 4> known{"region", "pue", "device_file", "strict"};

auto read(std::string_view text) {
  const TemporaryDirectory directory;
  return read_settings_file(directory.write("config.toml", text), known);
}

TEST(SettingsFile, GivesNumbersTextsTruthsAndListsAsTexts) {
  const auto settings =
      read("region = 'FRA'\npue = 1.3\nstrict = true\ndevice_file = ['a', 'b']\n");
  ASSERT_TRUE(settings.has_value()) << describe(settings.error());
  ASSERT_EQ(settings->size(), 4U);
  EXPECT_THAT(settings->at("region").values, ElementsAre("FRA"));
  EXPECT_THAT(settings->at("pue").values, ElementsAre("1.3"));
  EXPECT_THAT(settings->at("strict").values, ElementsAre("true"));
  EXPECT_THAT(settings->at("device_file").values, ElementsAre("a", "b"));
}

TEST(SettingsFile, TellsTypesAndPlaces) {
  const auto settings = read("region = 'FRA'\npue = 1.3\ndevice_file = ['a', 'b']\n").value();
  EXPECT_TRUE(settings.at("region").is_text);
  EXPECT_FALSE(settings.at("region").is_list);
  EXPECT_FALSE(settings.at("pue").is_text);
  EXPECT_EQ(settings.at("pue").line, 2);
  EXPECT_EQ(settings.at("pue").column, 7);
  EXPECT_TRUE(settings.at("device_file").is_list);
  EXPECT_TRUE(settings.at("device_file").is_text);
}

TEST(SettingsFile, HoldsOnlyWhatIsStated) {
  EXPECT_TRUE(read("").value().empty());
  EXPECT_EQ(read("pue = 2\n").value().size(), 1U);
}

TEST(SettingsFile, AnUnknownKeyIsLocatedAndItsNearestKnownNamed) {
  const Error error = read("pue = 1.3\nregoin = 'FRA'\n").error();
  EXPECT_EQ(error.kind, ErrorKind::schema);
  EXPECT_EQ(error.where.path, "regoin");
  EXPECT_EQ(error.where.line, 2);
  EXPECT_THAT(error.where.file, HasSubstr("config.toml"));
  EXPECT_THAT(error.remedy, HasSubstr("did you mean region?"));
  // Also where a known key was not given: every known key is named.
  EXPECT_THAT(error.remedy, HasSubstr("device_file"));
}

TEST(SettingsFile, RefusesTablesNestedListsAndDoubledKeys) {
  EXPECT_EQ(read("[pue]\nvalue = 1.3\n").error().kind, ErrorKind::schema);
  EXPECT_EQ(read("region = [['FRA']]\n").error().kind, ErrorKind::schema);
  EXPECT_EQ(read("pue = 1\npue = 2\n").error().kind, ErrorKind::syntax);
  EXPECT_EQ(read("pue = 1\npue = 2\n").error().where.line, 2);
}

TEST(SettingsFile, AFileThatIsNotThereIsAnError) {
  EXPECT_EQ(read_settings_file("/nonexistent/config.toml", known).error().kind,
            ErrorKind::not_found);
  EXPECT_EQ(read_settings_file("/", known).error().kind, ErrorKind::io);
}

}  // namespace
}  // namespace joulecast

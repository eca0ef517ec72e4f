// SPDX-License-Identifier: Apache-2.0
#include <joulecast/region.hpp>

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

namespace joulecast {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

constexpr double grams_per_kilowatt_hour = 1e3 * joules_per_kilowatt_hour;

TEST(Regions, Are212WithDistinctCodesYearsAndASource) {
  std::set<std::string> ids;
  std::set<std::string> names;
  for (const Region& region : shipped_regions()) {
    ids.insert(region.id);
    names.insert(region.name);
    EXPECT_THAT(region.id, MatchesRegex("[A-Z][A-Z][A-Z]"));
    EXPECT_FALSE(region.source.empty());
    EXPECT_GE(region.year, 2009) << region.id;
    EXPECT_LE(region.year, 2026) << region.id;
  }
  EXPECT_EQ(shipped_regions().size(), 212U);
  EXPECT_EQ(ids.size(), 212U);
  EXPECT_EQ(names.size(), 212U);
}

// Between the best hydropower grids and pure lignite or oil.
TEST(Regions, IntensitiesArePossible) {
  for (const Region& region : shipped_regions()) {
    const double grams = region.carbon_intensity.value() * grams_per_kilowatt_hour;
    EXPECT_GT(grams, 5.0) << region.id;
    EXPECT_LT(grams, 1500.0) << region.id;
  }
}

// Behind each line of the file stands the figure as it was published, in g/kWh.
TEST(Regions, TheConversionOfEachFigureIsThatOfThePublishedOne) {
  std::ifstream file(std::filesystem::path(JOULECAST_SOURCE_DIR) / "data/regions/regions.toml");
  ASSERT_TRUE(file);
  std::map<std::string, double> published;
  std::string id;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("id = \"")) id = line.substr(6, 3);
    const std::size_t comment = line.find("  # ");
    if (comment == std::string::npos) continue;
    EXPECT_TRUE(line.ends_with(" g/kWh")) << line;
    published[id] = std::stod(line.substr(comment + 4));
  }
  ASSERT_EQ(published.size(), shipped_regions().size());
  for (const Region& region : shipped_regions()) {
    EXPECT_NEAR(region.carbon_intensity.value() * grams_per_kilowatt_hour, published[region.id],
                1e-9 * published[region.id])
        << region.id;
  }
}

TEST(Regions, AreFoundByCodeAndNameHoweverWritten) {
  for (const Region& region : shipped_regions()) {
    EXPECT_EQ(find_region(region.id)->id, region.id);
    EXPECT_EQ(find_region(region.name)->id, region.id) << region.name;
  }
  for (const char* name : {"FRA", "fra", "France", " france "}) {
    EXPECT_EQ(find_region(name)->id, "FRA") << name;
  }
  EXPECT_EQ(find_region("united-states")->id, "USA");
}

TEST(Regions, AnUnknownOneIsToldTheNearestAndNeverGivenADefault) {
  const auto typo = find_region("Frnace");
  ASSERT_FALSE(typo.has_value());
  EXPECT_EQ(typo.error().kind, ErrorKind::not_found);
  EXPECT_EQ(typo.error().where.path, "--region");
  EXPECT_THAT(typo.error().message, HasSubstr("\"Frnace\""));
  EXPECT_THAT(typo.error().remedy, HasSubstr("France"));
  for (const char* name : {"", "  ", "world", "OWID_WRL", "FR", "atlantis"}) {
    EXPECT_FALSE(find_region(name).has_value()) << name;
  }
  EXPECT_LT(find_region(std::string(1'000'000, 'a')).error().message.size(), 200U);
}

}  // namespace
}  // namespace joulecast

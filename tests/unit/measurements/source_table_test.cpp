// SPDX-License-Identifier: Apache-2.0
#include "measurements/source_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

const std::vector<std::string> columns = {"value", "name"};

Result<SourceTable> open(std::string_view text,
                         TableStrictness strictness = TableStrictness::others_ignored) {
  return SourceTable::open(parse_csv(text, "t.csv").value(), columns, strictness);
}

SourceTable table_of(const std::string& value) {
  return open("name,value\nx," + value + "\n").value();
}

TEST(SourceTable, FindsColumnsInAnyOrder) {
  const SourceTable table = open("other,name,value\n1,x,2\n").value();
  EXPECT_EQ(table.field(0, 0), "2");
  EXPECT_EQ(table.field(0, 1), "x");
  EXPECT_EQ(table.locate(0, 0), (Location{"t.csv", "value", 2, 5}));
}

TEST(SourceTable, RefusesOthersWhereItMust) {
  EXPECT_TRUE(open("name,value\nx,2\n", TableStrictness::exact).has_value());
  const auto refused = open("name,value,nam\nx,2,3\n", TableStrictness::exact);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("unknown column \"nam\""));
  EXPECT_THAT(refused.error().remedy, HasSubstr("did you mean name?"));
}

TEST(SourceTable, TurnsMillisecondsIntoTheNearestSeconds) {
  // As doubles, 186.623 / 1000 is 0.18662299999999998.
  EXPECT_EQ(table_of("186.623").milliseconds(0, 0)->value(), 0.186623);
  EXPECT_EQ(table_of("0.25").milliseconds(0, 0)->value(), 0.25e-3);
  EXPECT_EQ(table_of("2.5e-1").milliseconds(0, 0)->value(), 0.25e-3);
  EXPECT_EQ(table_of("1E3").milliseconds(0, 0)->value(), 1.0);
}

TEST(SourceTable, RefusesDurationsThatAreNone) {
  for (const char* text : {"", "0", "-1", "nan", "inf", "1e999", "4e-324", "1 ms", "0x1p3"}) {
    const auto duration = table_of(text).milliseconds(0, 0);
    ASSERT_FALSE(duration.has_value()) << text;
    EXPECT_EQ(duration.error().where.path, "value") << text;
  }
}

TEST(SourceTable, ReadsWholeNumbersThatAreWrittenWithAPoint) {
  EXPECT_EQ(table_of("64").whole(0, 0).value(), 64);
  EXPECT_EQ(table_of("64.0").whole(0, 0).value(), 64);
  for (const char* text : {"", "64.", "64.00", "64.5", "6e1", "x", "99999999999999999999"}) {
    EXPECT_FALSE(table_of(text).whole(0, 0).has_value()) << text;
  }
}

TEST(SourceTable, TellsRowsApartByTheirNamedColumns) {
  const SourceTable table = open(",name,value\n1,a,bc\n2,ab,c\n3,a,bc\n").value();
  std::vector<std::string> keys(3);
  for (std::size_t row = 0; row < keys.size(); ++row) table.append_row(keys[row], row);
  EXPECT_NE(keys[0], keys[1]);
  EXPECT_EQ(keys[0], keys[2]);
}

}  // namespace
}  // namespace joulecast

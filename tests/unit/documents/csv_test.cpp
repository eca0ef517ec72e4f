// SPDX-License-Identifier: Apache-2.0
#include "documents/csv.hpp"

#include <cmath>
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CsvTable parsed(std::string_view text) {
  auto table = parse_csv(text, "t.csv");
  EXPECT_TRUE(table.has_value()) << describe(table.error());
  return table.value_or(CsvTable{});
}

Error error_of(std::string_view text) {
  const auto table = parse_csv(text, "t.csv");
  EXPECT_FALSE(table.has_value());
  return table ? Error{} : table.error();
}

TEST(Csv, ReadsColumnsByName) {
  const CsvTable table = parsed("name,flops\nqkv,12\nscores,1e3\n");
  EXPECT_EQ(table.row_count(), 2U);
  EXPECT_THAT(table.texts("name").value(), ElementsAre("qkv", "scores"));
  EXPECT_THAT(table.numbers("flops").value(), ElementsAre(12.0, 1000.0));
}

TEST(Csv, UnquotesFieldsWithCommasQuotesAndLineBreaks) {
  const CsvTable table = parsed("a,b\n\"x, y\",\"he said \"\"no\"\"\"\n\"two\nlines\",\"\"\n");
  EXPECT_THAT(table.texts("a").value(), ElementsAre("x, y", "two\nlines"));
  EXPECT_THAT(table.texts("b").value(), ElementsAre("he said \"no\"", ""));
}

TEST(Csv, AcceptsByteOrderMarkCarriageReturnsAndNoFinalNewline) {
  const CsvTable table = parsed(
      "\xEF\xBB\xBF"
      "a,b\r\n1,2\r\n3,4");
  EXPECT_THAT(table.header(), ElementsAre("a", "b"));
  EXPECT_THAT(table.integers("b").value(), ElementsAre(2, 4));
}

TEST(Csv, FindsTheUnnamedIndexColumnOfPandas) {
  EXPECT_THAT(parsed(",a\n7,1\n").integers("").value(), ElementsAre(7));
}

TEST(Csv, NamesThePlaceOfARaggedRow) {
  const Error error = error_of("a,b\n1,2\n3\n");
  EXPECT_EQ(error.where, (Location{"t.csv", "", 3, 1}));
  EXPECT_THAT(error.message, HasSubstr("1 fields, the header 2"));
}

TEST(Csv, ABlankLineIsARaggedRowUnlessTheTableHasOneColumn) {
  EXPECT_EQ(error_of("a,b\n\n1,2\n").where.line, 2);
  EXPECT_EQ(parsed("a\n\n1\n").row_count(), 2U);
}

TEST(Csv, RejectsBrokenQuotingWithLineColumnAndName) {
  EXPECT_EQ(error_of("a,b\n1,x\"y\n").where, (Location{"t.csv", "b", 2, 4}));
  EXPECT_EQ(error_of("a,b\n\"1\"2,3\n").where, (Location{"t.csv", "a", 2, 4}));
  EXPECT_THAT(error_of("a\n\"never closed\n").message, HasSubstr("ends inside a quoted"));
  EXPECT_THAT(error_of("a,b\n1,2\r3,4\n").message, HasSubstr("carriage return"));
}

TEST(Csv, RejectsEmptyInputZeroBytesAndDoubledColumns) {
  EXPECT_EQ(error_of("").kind, ErrorKind::syntax);
  EXPECT_EQ(error_of("\xEF\xBB\xBF").kind, ErrorKind::syntax);
  EXPECT_THAT(error_of(std::string("a\n\0\n", 4)).message, HasSubstr("zero byte"));
  EXPECT_EQ(error_of("a,b,a\n1,2,3\n").where, (Location{"t.csv", "a", 1, 5}));
}

TEST(Csv, LocatesAFieldThatIsNoNumber) {
  const CsvTable table = parsed("a,b\n1,\"x\ny\"\n2,oops\n");
  EXPECT_EQ(table.numbers("b").error().where, (Location{"t.csv", "b", 2, 3}));
  for (const char* bad : {"", " 1", "1 ", "0x10", "1,5", "--1", "1e999", "nan", "inf", "-inf"}) {
    const CsvTable one = parsed("v\n\"" + std::string{bad} + "\"\n");
    EXPECT_FALSE(one.numbers("v").has_value()) << bad;
    EXPECT_FALSE(one.integers("v").has_value()) << bad;
  }
  EXPECT_FALSE(parsed("v\n1.5\n").integers("v").has_value());
  EXPECT_FALSE(parsed("v\n9223372036854775808\n").integers("v").has_value());
}

TEST(Csv, ReadsNotANumberOnlyWhenAsked) {
  const CsvTable table = parsed("v\nnan\n-inf\n");
  EXPECT_TRUE(std::isnan(table.numbers("v", CsvNumbers::any).value().front()));
  EXPECT_EQ(table.numbers("v", CsvNumbers::any).value().back(), -INFINITY);
}

TEST(Csv, ChecksThatSizesArePositive) {
  const CsvTable table = parsed("a,b\n1,1\n1,0\n");
  EXPECT_THAT(table.positive_numbers("a").value(), ElementsAre(1.0, 1.0));
  EXPECT_EQ(table.positive_numbers("b").error().where, (Location{"t.csv", "b", 3, 3}));
}

TEST(Csv, AnAbsentColumnOrFileIsAnError) {
  EXPECT_EQ(parsed("a\n1\n").numbers("b").error().kind, ErrorKind::schema);
  EXPECT_EQ(read_csv_file("/nonexistent/t.csv").error().kind, ErrorKind::not_found);
  EXPECT_FALSE(read_csv_file("/").has_value());
}

// Every byte string is either a table whose fields can all be read or an error, never a crash.
TEST(Csv, SurvivesAnyBytes) {
  std::uint64_t state = 1;
  const std::string alphabet{
      "a,\"\r\n\0\xEF\xBB\xBF"
      "1",
      11};
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (int j = 0; j < i % 24; ++j) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      text += alphabet[(state >> 33U) % alphabet.size()];
    }
    const auto table = parse_csv(text, "t.csv");
    if (!table) continue;
    for (std::size_t row = 0; row < table->row_count(); ++row) {
      for (std::size_t column = 0; column < table->column_count(); ++column) {
        EXPECT_LE(table->field(row, column).size(), text.size());
      }
    }
  }
}

}  // namespace
}  // namespace joulecast

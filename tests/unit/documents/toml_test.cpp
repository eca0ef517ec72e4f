// SPDX-License-Identifier: Apache-2.0
#include "documents/value.hpp"

#include <cmath>
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <string>
#include <variant>

namespace joulecast {
namespace {

using testing::HasSubstr;

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// By key: toml++ sorts them.
std::map<std::string, Value> parsed(std::string_view text) {
  const auto value = parse_toml(text, "t.toml");
  EXPECT_TRUE(value.has_value()) << describe(value.error());
  if (!value) return {};
  const auto& object = std::get<Object>(value->data);
  return {object.begin(), object.end()};
}

Error error_of(std::string_view text) {
  const auto value = parse_toml(text, "t.toml");
  EXPECT_FALSE(value.has_value()) << text.substr(0, 80);
  return value ? Error{} : value.error();
}

TEST(Toml, KeepsEveryTypeWithItsPlace) {
  const auto values = parsed(
      "# first a comment\n"
      "whole = 80_000_000_000\n"
      "  real = 1.56e14\n"
      "text = 'as it is \\n'\n"
      "truth = false\n"
      "date = 2026-01-31\n"
      "list = [1, [2.0]]\n"
      "\n"
      "[table]\n"
      "key = \"\\u00e4\"\n"
      "[[tables]]\n"
      "[[tables]]\n");
  EXPECT_EQ(std::get<std::int64_t>(values.at("whole").data), 80'000'000'000);
  EXPECT_EQ(std::get<double>(values.at("real").data), 1.56e14);
  EXPECT_EQ(std::get<std::string>(values.at("text").data), "as it is \\n");
  EXPECT_EQ(std::get<bool>(values.at("truth").data), false);
  EXPECT_EQ(std::get<std::string>(values.at("date").data), "2026-01-31");
  EXPECT_EQ(std::get<Array>(values.at("list").data).size(), 2U);
  EXPECT_EQ(std::get<Object>(values.at("table").data).at(0).first, "key");
  EXPECT_EQ(std::get<Array>(values.at("tables").data).size(), 2U);
  EXPECT_EQ(values.at("real").line, 3);
  EXPECT_EQ(values.at("real").column, 10);
  EXPECT_EQ(values.at("table").line, 9);
}

TEST(Toml, AnEmptyFileIsAnEmptyTable) {
  EXPECT_TRUE(parsed("").empty());
  EXPECT_TRUE(parsed("\xEF\xBB\xBF# nothing\r\n").empty());
}

TEST(Toml, ReadsTheNumbersJsonLacks) {
  const auto values = parsed("a = inf\nb = -inf\nc = nan\nd = 0xff\n");
  EXPECT_EQ(std::get<double>(values.at("a").data), INFINITY);
  EXPECT_EQ(std::get<double>(values.at("b").data), -INFINITY);
  EXPECT_TRUE(std::isnan(std::get<double>(values.at("c").data)));
  EXPECT_EQ(std::get<std::int64_t>(values.at("d").data), 255);
}

TEST(Toml, KeepsWholeNumbersExactUpToTheirLimits) {
  constexpr auto limits = std::numeric_limits<std::int64_t>();
  const auto values = parsed("a = 9223372036854775807\nb = -9223372036854775808\n");
  EXPECT_EQ(std::get<std::int64_t>(values.at("a").data), limits.max());
  EXPECT_EQ(std::get<std::int64_t>(values.at("b").data), limits.min());
  EXPECT_THAT(error_of("a = 9223372036854775808\n").message, HasSubstr("64 bits"));
  EXPECT_EQ(error_of("\na = 1e999\n").where.line, 2);
}

TEST(Toml, RefusesDoubledKeysWithLineAndColumn) {
  const Error error = error_of("a = 1\nb = 2\na = 3\n");
  EXPECT_EQ(error.kind, ErrorKind::syntax);
  EXPECT_EQ(error.where.file, "t.toml");
  EXPECT_EQ(error.where.line, 3);
  EXPECT_GE(error.where.column, 1);
  EXPECT_THAT(error.message, HasSubstr("cannot redefine existing integer 'a'"));
  EXPECT_EQ(error_of("[t]\na = 1\n[u]\n[t]\nb = 1\n").where.line, 4);
  EXPECT_EQ(error_of("t = { a = 1, a = 2 }\n").where.line, 1);
  EXPECT_EQ(error_of("\n\"a\" = 1\n'a' = 2\n").where.line, 3);
}

TEST(Toml, NamesLineAndColumnOfWhatIsBroken) {
  struct Broken {
    std::string_view text;
    int line;
  };
  for (const Broken& broken :
       {Broken{"a 1\n", 1}, Broken{"a = 1\nb = [1,\n", 2}, Broken{"a = 1\nb = \"x\n", 2},
        Broken{"\n\n[t\n", 3}, Broken{"a = 'x", 1}, Broken{"a = 1 b = 2\n", 1}, Broken{"a = \n", 1},
        Broken{"= 1\n", 1}, Broken{"a = yes\n", 1}, Broken{"a = 1..2\n", 1},
        Broken{"\na = \"\\q\"\n", 2}, Broken{"a = 00\n", 1}, Broken{"[.a]\n", 1},
        Broken{"a = 1\n[#]\n", 2}, Broken{"{\"a\": 1}\n", 1}}) {
    const Error error = error_of(broken.text);
    EXPECT_EQ(error.kind, ErrorKind::syntax) << broken.text;
    EXPECT_EQ(error.where.file, "t.toml");
    EXPECT_GE(error.where.line, broken.line) << broken.text;
    EXPECT_LE(error.where.line, broken.line + 1) << broken.text;  // an open value ends the line
    EXPECT_GE(error.where.column, 1) << broken.text;
    EXPECT_FALSE(error.message.empty());
    EXPECT_FALSE(error.remedy.empty());
  }
}

TEST(Toml, RefusesBytesThatAreNotUtf8) {
  const Error error = error_of("a = 1\nb = \"\xFF\"\n");
  EXPECT_THAT(error.message, HasSubstr("utf-8"));
  EXPECT_EQ(error.where.line, 2);
  EXPECT_FALSE(parse_toml(std::string("a = \"x\0y\"", 9), "t.toml").has_value());
}

TEST(Toml, HostileNestingIsAnErrorNotACrash) {
  for (const std::string_view open : {"[", "{a = ", "[{a = "}) {
    const Error error = error_of("a = " + repeat(open, 100'000));
    EXPECT_EQ(error.kind, ErrorKind::syntax);
    EXPECT_EQ(error.where.line, 1);
  }
}

// Each part of a dotted key is a table inside the one before.
TEST(Toml, KeysOfHostileLengthAreAnErrorNotACrash) {
  const std::string key = repeat("a.", 100'000) + "a";
  for (const std::string& text :
       {key + " = 1\n", "[" + key + "]\n", "[[" + key + "]]\n", "b = { " + key + " = 1 }\n",
        "b = \"\"\"\"x\"\"\"\"\"\n" + key + " = 1\n", "# \"\"\"\n" + key + " = 1\n",
        "b = 'it''s'\n" + key + " = 1\n", "b = { c = \"\"\"x\"\"\"\", " + key + " = 1 }\n",
        "b = \"\\\\\" # \"\n" + key + " = 1\n", repeat("'a' . \"a\" .", 100'000) + "a = 1\n"}) {
    EXPECT_EQ(error_of(text).kind, ErrorKind::syntax) << text.substr(0, 40);
  }
  const Error error = error_of("b = 1\n  " + key + " = 1\n");
  EXPECT_EQ(error.where.line, 2);
  // Two blanks, sixteen times "a.": the sixteenth dot begins the seventeenth part.
  EXPECT_EQ(error.where.column, 2 + 32);
  EXPECT_THAT(error.message, HasSubstr("16 parts"));
}

TEST(Toml, DotsThatNestNothingAreNotCounted) {
  const std::string dots(200, '.');
  EXPECT_EQ(parsed("a = \"" + dots + "\"").size(), 1U);
  EXPECT_EQ(parsed("a = '" + dots + "'").size(), 1U);
  EXPECT_EQ(parsed("a = \"\"\"\n" + dots + "\n\"" + dots + "\"\"\"\nb = 1").size(), 2U);
  EXPECT_EQ(parsed("a = '''\n" + dots + "'" + dots + "'''''\nb = 1").size(), 2U);
  EXPECT_EQ(parsed("a = 1 # " + dots + "\nb = 2").size(), 2U);
  EXPECT_EQ(parsed("a = 1 # \" " + dots + "\n# ' " + dots + "\nb = 2").size(), 2U);
  EXPECT_EQ(parsed("a = \"\\\"" + dots + "\\\\\"\nb = 1").size(), 2U);
  EXPECT_EQ(parsed("a = [" + repeat("1.5, ", 100) + "1.5]").size(), 1U);
  EXPECT_EQ(parsed(repeat("a.", 15) + "a = 1").size(), 1U);
}

}  // namespace
}  // namespace joulecast

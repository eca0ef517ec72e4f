// SPDX-License-Identifier: Apache-2.0
#include "documents/value.hpp"

#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <variant>

namespace joulecast {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

Object parsed(std::string_view text) {
  auto value = parse_json(text, "t.json");
  EXPECT_TRUE(value.has_value()) << describe(value.error());
  return value ? std::get<Object>(value->data) : Object{};
}

Error error_of(std::string_view text) {
  const auto value = parse_json(text, "t.json");
  EXPECT_FALSE(value.has_value()) << text.substr(0, 80);
  return value ? Error{} : value.error();
}

template <class T>
T get(const Object& object, std::size_t i) {
  return std::get<T>(object.at(i).second.data);
}

TEST(Json, KeepsEveryTypeAndTheOrderOfTheKeys) {
  const Object object = parsed(
      R"({"z": 1, "a": -2.5, "m": "\u00e4\n", "t": true, "n": null, "l": [1, []], "o": {"k": 0}})");
  ASSERT_EQ(object.size(), 7U);
  EXPECT_EQ(object[0].first, "z");
  EXPECT_EQ(get<std::int64_t>(object, 0), 1);
  EXPECT_EQ(get<double>(object, 1), -2.5);
  EXPECT_EQ(get<std::string>(object, 2), "\xC3\xA4\n");
  EXPECT_EQ(get<bool>(object, 3), true);
  EXPECT_TRUE(std::holds_alternative<std::nullptr_t>(object[4].second.data));
  EXPECT_TRUE(std::get<Array>(get<Array>(object, 5).at(1).data).empty());
  EXPECT_EQ(get<Object>(object, 6).at(0).first, "k");
}

TEST(Json, AcceptsAByteOrderMarkAndBlanksAround) {
  EXPECT_TRUE(parsed("\xEF\xBB\xBF \r\n{ } \t\n").empty());
}

TEST(Json, KeepsWholeNumbersExactUpToTheirLimitsAndThenRounds) {
  constexpr auto limits = std::numeric_limits<std::int64_t>();
  const Object object = parsed(
      R"({"a": 9223372036854775807, "b": -9223372036854775808, "c": 9223372036854775808,
          "d": 18446744073709551615, "e": 1e2, "f": 340282366920938463463374607431768211456})");
  EXPECT_EQ(get<std::int64_t>(object, 0), limits.max());
  EXPECT_EQ(get<std::int64_t>(object, 1), limits.min());
  EXPECT_EQ(get<double>(object, 2), 0x1p63);
  EXPECT_EQ(get<double>(object, 3), 0x1p64);
  EXPECT_EQ(get<double>(object, 4), 100.0);
  EXPECT_EQ(get<double>(object, 5), 0x1p128);
}

TEST(Json, RefusesADoubledKeyWithItsPath) {
  const Error error = error_of(R"({"a": 1, "l": [0, {"o": {"k": 1, "k": 1}}]})");
  EXPECT_EQ(error.kind, ErrorKind::schema);
  EXPECT_EQ(error.where.file, "t.json");
  EXPECT_EQ(error.where.path, "l[1].o.k");
  EXPECT_THAT(error.message, HasSubstr("stands twice"));
  EXPECT_EQ(error_of(R"({"a": 1, "a": 2})").where.path, "a");
  // Two objects may use the same key, and a key is compared after its escapes.
  EXPECT_EQ(parsed(R"({"a": {"k": 1}, "b": {"k": 1}, "k": 1})").size(), 3U);
  EXPECT_EQ(error_of(R"({"a": 1, "\u0061": 2})").where.path, "a");
}

TEST(Json, AcceptsSixtyFourLevelsAndRefusesMore) {
  const auto nested = [](int levels) {
    return repeat("{\"a\":", levels) + "1" + repeat("}", levels);
  };
  EXPECT_EQ(parsed(nested(64)).size(), 1U);
  EXPECT_THAT(error_of(nested(65)).message, HasSubstr("nested deeper than 64"));
  EXPECT_EQ(error_of(nested(65)).kind, ErrorKind::syntax);
}

TEST(Json, HostileNestingIsAnErrorNotACrash) {
  for (const std::string_view open : {"[", "{\"a\":", "[{\"a\":", "[[],"}) {
    EXPECT_THAT(error_of(repeat(open, 100'000)).message, HasSubstr("nested deeper")) << open;
  }
}

struct Broken {
  std::string_view text;
  int line;
  int column;  // of the byte at which reading had to stop
};

TEST(Json, NamesLineAndColumnOfWhatIsBroken) {
  for (const Broken& broken :
       {Broken{"{\"a\": 1,\n}", 2, 1}, Broken{"{\"a\":\n\n  x}", 3, 3}, Broken{"{'a': 1}", 1, 2},
        Broken{"{\"a\": NaN}", 1, 7}, Broken{"{\"a\": Infinity}", 1, 7},
        Broken{"{\"a\": -Infinity}", 1, 8}, Broken{"{\"a\": +1}", 1, 7},
        Broken{"{\"a\": .5}", 1, 7}, Broken{"{\"a\": 01}", 1, 8}, Broken{"{\"a\": \"\x01\"}", 1, 8},
        Broken{"{\"a\": 1} {}", 1, 10}, Broken{"{\"a\" 1}", 1, 6}}) {
    const Error error = error_of(broken.text);
    EXPECT_EQ(error.kind, ErrorKind::syntax) << broken.text;
    EXPECT_EQ(error.where, (Location{"t.json", "", broken.line, broken.column})) << broken.text;
    EXPECT_THAT(error.remedy, Not(HasSubstr("cut off"))) << broken.text;
  }
}

TEST(Json, SaysWhatIsWrong) {
  EXPECT_THAT(error_of("{\"a\": NaN}").message, HasSubstr("invalid literal"));
  EXPECT_THAT(error_of("{\"a\": \"x; y\n\"}").message, HasSubstr("control character U+000A"));
  EXPECT_THAT(error_of("{\"a\": 1,}").message, HasSubstr("unexpected '}'"));
  EXPECT_THAT(error_of("[]").message, HasSubstr("not an object"));
}

TEST(Json, EveryTruncationIsAnErrorThatSaysSo) {
  const std::string whole = R"({"model_type": "bert", "sizes": [1, 2.5, true, null], "o": {}})";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Error error = error_of(whole.substr(0, length));
    EXPECT_EQ(error.kind, ErrorKind::syntax) << length;
    EXPECT_THAT(error.remedy, HasSubstr("cut off")) << length;
    EXPECT_EQ(error.where, (Location{"t.json", "", 1, static_cast<int>(length) + 1})) << length;
  }
}

TEST(Json, RefusesBytesThatAreNotUtf8) {
  for (const std::string_view bytes :
       {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80"}) {
    const Error in_value = error_of("{\"a\": \"" + std::string(bytes) + "\"}");
    EXPECT_THAT(in_value.message, HasSubstr("UTF-8"));
    EXPECT_EQ(in_value.where.line, 1);
    EXPECT_GE(in_value.where.column, 8);
    EXPECT_EQ(error_of("{\"" + std::string(bytes) + "\": 1}").kind, ErrorKind::syntax);
  }
  EXPECT_THAT(error_of(R"({"a": "\ud800"})").message, HasSubstr("surrogate"));
  using namespace std::string_literals;
  EXPECT_EQ(error_of("{\"a\": \"x\0y\"}"s).kind, ErrorKind::syntax);
  EXPECT_EQ(error_of("{\"a\": 1}\0"s).kind, ErrorKind::syntax);
}

TEST(Json, ANumberTooLargeForADoubleIsRefusedWithItsPlace) {
  const Error error = error_of("{\n\"a\": 1e999}");
  EXPECT_EQ(error.kind, ErrorKind::value);
  EXPECT_EQ(error.where.line, 2);
  EXPECT_THAT(error.message, HasSubstr("1e999"));
}

TEST(Json, TheTopLevelMustBeAnObject) {
  for (const char* text : {"[]", "1", "\"a\"", "null", "true"}) {
    const Error error = error_of(text);
    EXPECT_EQ(error.kind, ErrorKind::schema) << text;
    EXPECT_EQ(error.where, (Location{"t.json", "", 1, 1}));
  }
}

TEST(Json, MessagesStayShortHoweverLongTheBrokenText) {
  EXPECT_LT(error_of("{\"a\": \"" + std::string(1'000'000, 'x')).message.size(), 300U);
}

}  // namespace
}  // namespace joulecast

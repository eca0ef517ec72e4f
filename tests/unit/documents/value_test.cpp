// SPDX-License-Identifier: Apache-2.0
#include "documents/value.hpp"

#include "temporary_directory.hpp"

#include <array>
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr Range any{-1e300, 1e300};

// A reader on a TOML text, which tells line and column.
ObjectReader reader_on(std::string_view text) {
  auto value = parse_toml(text, "t.toml");
  EXPECT_TRUE(value.has_value()) << describe(value.error());
  // The reader points into the document, which must outlive it.
  static std::vector<std::unique_ptr<Value>> documents;
  documents.push_back(std::make_unique<Value>(std::move(value).value_or(Value{})));
  return {*documents.back(), "t.toml"};
}

// The error that one call on the text leaves behind.
template <class Call>
Error error_of(std::string_view text, Call call) {
  ObjectReader reader = reader_on(text);
  call(reader);
  EXPECT_TRUE(reader.error().has_value()) << text;
  return reader.error().value_or(Error{});
}

TEST(ObjectReader, ReadsEveryTypeAndLeavesNoError) {
  ObjectReader reader = reader_on(
      "size = 7\nnumber = 1.5\nwhole = 2\ntruth = true\ntext = 'x'\ntexts = ['a', 'b']\n"
      "mixed = [1, 2.5, true, 'a']\nsingle = 3\n[child]\nkey = 1\n[[list]]\n[[list]]\n");
  EXPECT_EQ(reader.size("size"), 7);
  EXPECT_EQ(reader.number("number", any), 1.5);
  EXPECT_EQ(reader.number("whole", any), 2.0);
  EXPECT_EQ(reader.optional_number("number", any), 1.5);
  EXPECT_TRUE(reader.boolean_or("truth", false));
  EXPECT_EQ(reader.text("text"), "x");
  EXPECT_THAT(reader.texts("texts"), ElementsAre("a", "b"));
  EXPECT_THAT(reader.scalars("mixed"), ElementsAre("1", "2.5", "true", "a"));
  EXPECT_THAT(reader.scalars("single"), ElementsAre("3"));
  auto child = reader.child("child");
  ASSERT_TRUE(child.has_value());
  EXPECT_EQ(child->size("key"), 1);
  EXPECT_EQ(child->path(), "child");
  EXPECT_EQ(reader.children("list").size(), 2U);
  EXPECT_EQ(reader.children("list")[1].path(), "list[1]");
  reader.refuse_unknown_keys();
  EXPECT_FALSE(reader.error().has_value());
  EXPECT_EQ(reader.file(), "t.toml");
}

TEST(ObjectReader, AbsentKeysTakeTheCallerSFallback) {
  ObjectReader reader = reader_on("");
  EXPECT_FALSE(reader.has("a"));
  EXPECT_EQ(reader.size_or("a", 5), 5);
  EXPECT_EQ(reader.optional_number("a", any), std::nullopt);
  EXPECT_TRUE(reader.boolean_or("a", true));
  EXPECT_EQ(reader.text_or("a", "x"), "x");
  EXPECT_THAT(reader.texts("a"), IsEmpty());
  EXPECT_THAT(reader.scalars("a"), IsEmpty());
  EXPECT_THAT(reader.children("a"), IsEmpty());
  EXPECT_FALSE(reader.child("a").has_value());
  EXPECT_FALSE(reader.child_if_object("a").has_value());
  EXPECT_FALSE(reader.error().has_value());
}

TEST(ObjectReader, NullCountsAsAbsent) {
  const Value document = parse_json(R"({"a": null})", "t.json").value();
  ObjectReader reader(document, "t.json");
  EXPECT_FALSE(reader.has("a"));
  EXPECT_EQ(reader.size_or("a", 5), 5);
  EXPECT_FALSE(reader.error().has_value());
  EXPECT_EQ(reader.size("a"), 1);
  EXPECT_THAT(reader.error()->message, HasSubstr("missing"));
}

TEST(ObjectReader, ARequiredKeyThatIsMissingIsNamedWithItsTable) {
  const auto size = [](ObjectReader& reader) { reader.size("hidden_size"); };
  const auto number = [](ObjectReader& reader) { reader.number("hidden_size", any); };
  const auto text = [](ObjectReader& reader) { reader.text("hidden_size"); };
  for (const Error& error :
       {error_of("a = 1", size), error_of("a = 1", number), error_of("a = 1", text)}) {
    EXPECT_EQ(error.kind, ErrorKind::schema);
    EXPECT_EQ(error.where.path, "hidden_size");
    EXPECT_THAT(error.message, HasSubstr("missing"));
    EXPECT_THAT(error.remedy, HasSubstr("hidden_size = "));
  }
  ObjectReader reader = reader_on("\n[[block]]\n[[block]]\n");
  ObjectReader second = reader.children("block")[1];
  second.size("n");
  EXPECT_EQ(second.error()->where.path, "block[1].n");
  EXPECT_EQ(second.error()->where.line, 3);
}

TEST(ObjectReader, AMissingKeyIsToldOfTheUnreadKeyThatResemblesIt) {
  const auto size = [](ObjectReader& reader) { reader.size("hidden_size"); };
  const Error slip = error_of("other = 1\nhiden_size = 768", size);
  EXPECT_EQ(slip.where.path, "hiden_size");
  EXPECT_EQ(slip.where.line, 2);
  EXPECT_EQ(slip.where.column, 14);
  EXPECT_THAT(slip.message, HasSubstr("hidden_size is missing"));
  EXPECT_EQ(slip.remedy, "did you mean hidden_size?");
  EXPECT_THAT(error_of("vocabulary = 768", size).remedy, Not(HasSubstr("vocabulary")));
  // A key that was asked for is not the missing one, however near.
  EXPECT_THAT(error_of("hidden_sizes = 768",
                       [](ObjectReader& reader) {
                         reader.size("hidden_sizes");
                         reader.size("hidden_size");
                       })
                  .remedy,
              Not(HasSubstr("did you mean")));
}

TEST(ObjectReader, TellsSlipsFromKeysThatAreJustUnknown) {
  ObjectReader reader = reader_on("hiden_size = 768\nvocabulary = 5\nlayers = 2\nlayer = 3\n");
  reader.size_or("hidden_size", 1);
  reader.size_or("vocab_size", 1);
  reader.size_or("layers", 1);  // there, so its neighbour is no slip for it
  const auto slips = reader.misspellings();
  ASSERT_EQ(slips.size(), 1U);
  EXPECT_EQ(slips[0].typed, "hiden_size");
  EXPECT_EQ(slips[0].meant, "hidden_size");
  EXPECT_EQ(slips[0].line, 1);
}

TEST(ObjectReader, SizesAreWholeNumbersFrom1To2ToThe40) {
  EXPECT_EQ(reader_on("n = 1").size("n"), 1);
  EXPECT_EQ(reader_on("n = 1099511627776").size("n"), std::int64_t{1} << 40U);
  for (const char* bad :
       {"0", "-1", "1099511627777", "9223372036854775807", "768.0", "1.5", "1e3", "inf", "nan"}) {
    const Error error =
        error_of(std::string("\nn =  ") + bad, [](ObjectReader& reader) { reader.size("n"); });
    EXPECT_EQ(error.kind, ErrorKind::value) << bad;
    EXPECT_EQ(error.where, (Location{"t.toml", "n", 2, 6})) << bad;
  }
  EXPECT_THAT(error_of("n = 768.0", [](ObjectReader& reader) { reader.size("n"); }).message,
              HasSubstr("is 768.0"));
}

TEST(ObjectReader, NumbersLieInTheirRangeEndsIncluded) {
  EXPECT_EQ(reader_on("n = 0").number("n", {0.0, 1.0}), 0.0);
  EXPECT_EQ(reader_on("n = 1.0").number("n", {0.0, 1.0}), 1.0);
  for (const char* bad : {"-0.001", "1.001", "2", "inf", "-inf", "nan"}) {
    const Error error = error_of(std::string("n = ") + bad, [](ObjectReader& reader) {
      EXPECT_EQ(reader.number("n", {0.0, 1.0}), 0.0);  // harmless, whatever stood there
    });
    EXPECT_EQ(error.kind, ErrorKind::value) << bad;
    EXPECT_THAT(error.message, HasSubstr("between 0 and 1"));
  }
}

TEST(ObjectReader, EveryWrongTypeIsASchemaErrorThatNamesBoth) {
  const auto expect_refused = [](std::string_view text, auto call, std::string_view expected) {
    const Error error = error_of(text, call);
    EXPECT_EQ(error.kind, ErrorKind::schema) << text;
    EXPECT_EQ(error.where.path, "k") << text;
    EXPECT_EQ(error.where.line, 1) << text;
    EXPECT_THAT(error.message, HasSubstr("must be " + std::string(expected))) << text;
  };
  for (const char* text : {"k = 'a'", "k = true", "k = [1]", "k = { a = 1 }", "k = 2026-01-01"}) {
    expect_refused(text, [](ObjectReader& r) { r.size("k"); }, "a whole number");
    expect_refused(text, [](ObjectReader& r) { r.number("k", any); }, "a number");
    expect_refused(text, [](ObjectReader& r) { r.optional_number("k", any); }, "a number");
  }
  for (const char* text : {"k = 1", "k = 'true'", "k = [true]"}) {
    expect_refused(text, [](ObjectReader& r) { r.boolean_or("k", true); }, "true or false");
  }
  for (const char* text : {"k = 1", "k = true", "k = ['a']"}) {
    expect_refused(text, [](ObjectReader& r) { r.text("k"); }, "a text");
    expect_refused(text, [](ObjectReader& r) { r.text_or("k", "x"); }, "a text");
  }
  for (const char* text : {"k = 'a'", "k = ['a', 1]", "k = [['a']]"}) {
    expect_refused(text, [](ObjectReader& r) { r.texts("k"); }, "an array of texts");
  }
  for (const char* text : {"k = { a = 1 }", "k = [[1]]", "k = [{}]"}) {
    expect_refused(text, [](ObjectReader& r) { r.scalars("k"); }, "a number, a text or a list");
  }
  expect_refused("k = 1", [](ObjectReader& r) { r.children("k"); }, "an array of tables");
  expect_refused("k = 1", [](ObjectReader& r) { r.child("k"); }, "an object");
  expect_refused("k = [1]", [](ObjectReader& r) { r.child("k"); }, "an object");
}

TEST(ObjectReader, ChildrenMustAllBeObjects) {
  const Error error = error_of("k = [{}, 1]", [](ObjectReader& reader) { reader.children("k"); });
  EXPECT_EQ(error.kind, ErrorKind::schema);
  EXPECT_EQ(error.where, (Location{"t.toml", "k[1]", 1, 10}));
}

TEST(ObjectReader, AChildOfAnotherTypeIsNoErrorWhereTheCallerAllowsIt) {
  ObjectReader reader = reader_on("a = 1\nb = { c = 2 }");
  EXPECT_FALSE(reader.child_if_object("a").has_value());
  EXPECT_TRUE(reader.child_if_object("b").has_value());
  EXPECT_FALSE(reader.error().has_value());
}

constexpr std::array<std::string_view, 3> kinds{"lstm", "gru", "dense"};

TEST(ObjectReader, AChoiceIsReturnedByItsPlace) {
  EXPECT_EQ(reader_on("k = 'gru'").choice("k", kinds), 1U);
  const Error error = error_of("k = 'lsmt'", [](ObjectReader& r) { r.choice("k", kinds); });
  EXPECT_EQ(error.kind, ErrorKind::value);
  EXPECT_THAT(error.message, HasSubstr("\"lsmt\""));
  EXPECT_THAT(error.remedy, HasSubstr("did you mean lstm?"));
  EXPECT_THAT(error.remedy, HasSubstr("lstm, gru, dense"));
  EXPECT_EQ(error_of("k = 1", [](ObjectReader& r) { r.choice("k", kinds); }).kind,
            ErrorKind::schema);
  // Choices are exact words.
  error_of("k = 'GRU'", [](ObjectReader& r) { r.choice("k", kinds); });
}

TEST(ObjectReader, AnUnknownKeyIsLocatedAndItsNearestKnownNamed) {
  const Error error = error_of("hidden_size = 1\nhiden_size = 2\n", [](ObjectReader& reader) {
    reader.size("hidden_size");
    reader.refuse_unknown_keys();
  });
  EXPECT_EQ(error.kind, ErrorKind::schema);
  EXPECT_EQ(error.where, (Location{"t.toml", "hiden_size", 2, 14}));
  EXPECT_THAT(error.remedy, HasSubstr("did you mean hidden_size?"));
}

TEST(ObjectReader, AKeyIsKnownOnceAskedForEvenWhereAbsent) {
  ObjectReader reader = reader_on("b = 1\n");
  reader.size_or("a", 1);
  constexpr std::array<std::string_view, 1> more{"b"};
  reader.refuse_unknown_keys(more);
  EXPECT_FALSE(reader.error().has_value());
  const Error error = error_of("zzzzzz = 1\n", [](ObjectReader& other) {
    other.size_or("alpha", 1);
    other.refuse_unknown_keys();
  });
  EXPECT_THAT(error.remedy, Not(HasSubstr("did you mean")));
  EXPECT_THAT(error.remedy, HasSubstr("known keys: alpha"));
}

TEST(ObjectReader, TheFirstErrorSticksAndLaterCallsAreHarmless) {
  ObjectReader reader = reader_on("a = 0\nb = 'x'\nc = [1]\nd = { e = 1 }\nf = true\n");
  EXPECT_EQ(reader.size("a"), 1);
  const Error first = reader.error().value();
  EXPECT_EQ(reader.size("b"), 1);
  EXPECT_EQ(reader.text("c"), "");
  EXPECT_THAT(reader.texts("c"), IsEmpty());
  EXPECT_FALSE(reader.child("d").has_value());
  EXPECT_FALSE(reader.boolean_or("f", false));
  EXPECT_EQ(reader.choice("b", kinds), 0U);
  reader.fail("b", "other", "other");
  reader.refuse_unknown_keys();
  reader.adopt(Error{ErrorKind::io, "other", {}, ""});
  EXPECT_EQ(reader.error(), first);
}

TEST(ObjectReader, WhatIsNoObjectReadsAsAnErrorAtOnce) {
  const Value number{.data = std::int64_t{3}, .line = 4, .column = 2};
  ObjectReader reader(number, "t.toml", "block[0]");
  ASSERT_TRUE(reader.error().has_value());
  EXPECT_EQ(reader.error()->where, (Location{"t.toml", "block[0]", 4, 2}));
  EXPECT_THAT(reader.error()->message, HasSubstr("is an integer"));
  EXPECT_FALSE(reader.has("a"));
  EXPECT_EQ(reader.size("a"), 1);
}

TEST(ObjectReader, TakesOverTheErrorOfAChild) {
  ObjectReader reader = reader_on("[c]\nn = 0\n");
  auto child = reader.child("c");
  child->size("n");
  EXPECT_FALSE(reader.error().has_value());
  reader.adopt(child->error());
  EXPECT_EQ(reader.error()->where.path, "c.n");
}

TEST(ReadTextFile, ReturnsTheBytesAsTheyAre) {
  const TemporaryDirectory directory;
  const std::string bytes("a\r\n\0\xFF", 5);
  EXPECT_EQ(read_text_file(directory.write("f", bytes)).value(), bytes);
  EXPECT_EQ(read_text_file(directory.write("empty", "")).value(), "");
  const std::string large(200'000, 'x');  // longer than one read
  EXPECT_EQ(read_text_file(directory.write("large", large)).value(), large);
}

TEST(ReadTextFile, SaysWhyAFileCannotBeRead) {
  const TemporaryDirectory directory;
  const auto absent = read_text_file(directory.path() / "absent.json");
  EXPECT_EQ(absent.error().kind, ErrorKind::not_found);
  EXPECT_THAT(absent.error().where.file, HasSubstr("absent.json"));
  EXPECT_EQ(read_text_file("").error().kind, ErrorKind::not_found);
  EXPECT_EQ(read_text_file(directory.path()).error().kind, ErrorKind::io);
  EXPECT_THAT(read_text_file(directory.path()).error().message, HasSubstr("directory"));
  EXPECT_EQ(read_text_file(directory.write("file", "") / "below").error().kind,
            ErrorKind::not_found);
}

TEST(ReadTextFile, RefusesFilesBeyondTheBoundBeforeReadingThemWhole) {
  const TemporaryDirectory directory;
  const auto file = directory.write("f", "12345");
  EXPECT_TRUE(read_text_file(file, 5).has_value());
  EXPECT_EQ(read_text_file(file, 4).error().kind, ErrorKind::value);
  // Endless, so that reading on would never return.
  EXPECT_EQ(read_text_file("/dev/zero", 1 << 20).error().kind, ErrorKind::value);
}

}  // namespace
}  // namespace joulecast

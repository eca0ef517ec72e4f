// SPDX-License-Identifier: Apache-2.0
#include "readers/readers.hpp"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace joulecast {
namespace {

using testing::HasSubstr;

Value document(const std::string& text) {
  auto value = parse_json(text, "c.json");
  EXPECT_TRUE(value.has_value()) << describe(value.error());
  return value.value_or(Value{.data = Object{}});
}

struct Name {
  const char* name;
  Activation activation;
};

// transformers.activations.ACT2FN: "gelu" is the exact form with erf, "gelu_new", "gelu_fast" and
// "gelu_pytorch_tanh" are the tanh approximation, "swish" is another word for "silu".
constexpr std::array names{Name{"gelu", Activation::gelu},
                           Name{"gelu_python", Activation::gelu},
                           Name{"gelu_new", Activation::gelu_tanh},
                           Name{"gelu_fast", Activation::gelu_tanh},
                           Name{"gelu_pytorch_tanh", Activation::gelu_tanh},
                           Name{"relu", Activation::relu},
                           Name{"silu", Activation::silu},
                           Name{"swish", Activation::silu},
                           Name{"tanh", Activation::tanh}};

TEST(ReadActivation, KnowsTheWordsOfTransformers) {
  for (const Name& name : names) {
    const Value value = document(std::string("{\"act\": \"") + name.name + "\"}");
    ObjectReader reader(value, "c.json");
    EXPECT_EQ(read_activation(reader, "act", "relu"), name.activation) << name.name;
    EXPECT_FALSE(reader.error().has_value());
  }
}

TEST(ReadActivation, TakesTheFallbackOnlyWhereTheKeyIsAbsent) {
  const Value value = document(R"({"other": 1, "number": 3})");
  ObjectReader reader(value, "c.json");
  EXPECT_EQ(read_activation(reader, "act", "silu"), Activation::silu);
  EXPECT_FALSE(reader.error().has_value());
  read_activation(reader, "number", "silu");
  EXPECT_EQ(reader.error()->kind, ErrorKind::schema);
}

TEST(ReadActivation, ReadsBackTheNamesThatReportsPrint) {
  for (const auto activation : {Activation::relu, Activation::gelu, Activation::gelu_tanh,
                                Activation::silu, Activation::tanh}) {
    const Value value = document("{\"act\": \"" + std::string(to_string(activation)) + "\"}");
    ObjectReader reader(value, "c.json");
    EXPECT_EQ(read_activation(reader, "act", "relu"), activation) << to_string(activation);
    EXPECT_FALSE(reader.error().has_value());
  }
}

TEST(ReadActivation, ALongUnknownNameIsCutInTheMessage) {
  const Value value = document("{\"act\": \"" + std::string(5000, 'x') + "\"}");
  ObjectReader reader(value, "c.json");
  read_activation(reader, "act", "relu");
  EXPECT_EQ(reader.error()->kind, ErrorKind::unsupported);
  EXPECT_LT(reader.error()->message.size(), 200U);
}

TEST(SizeOrDefault, WarnsWithKeyAndValueWhereItTakesTheDefault) {
  const Value value = document(R"({"stated": 5, "none": null, "wrong": 0})");
  ObjectReader reader(value, "c.json");
  Model model;
  EXPECT_EQ(size_or_default(reader, model, "stated", 7), 5);
  EXPECT_TRUE(model.warnings.empty());
  EXPECT_EQ(size_or_default(reader, model, "absent", 7), 7);
  EXPECT_EQ(size_or_default(reader, model, "none", 8), 8);
  ASSERT_EQ(model.warnings.size(), 2U);
  EXPECT_EQ(model.warnings[0].code, WarningCode::input_defaulted);
  EXPECT_EQ(model.warnings[0].subject, "absent");
  EXPECT_THAT(model.warnings[0].message, HasSubstr("7"));
  EXPECT_EQ(model.warnings[1].subject, "none");
  size_or_default(reader, model, "wrong", 9);
  EXPECT_EQ(reader.error()->where.path, "wrong");
}

TEST(CheckHeads, AcceptsExactlyTheDivisors) {
  const Value value = document(R"({"heads": 1})");
  for (std::int64_t heads = 1; heads <= 25; ++heads) {
    ObjectReader reader(value, "c.json");
    check_heads(reader, "heads", heads, "width", 24);
    const bool divides = heads == 1 || heads == 2 || heads == 3 || heads == 4 || heads == 6 ||
                         heads == 8 || heads == 12 || heads == 24;
    EXPECT_EQ(!reader.error().has_value(), divides) << heads;
    if (reader.error()) {
      EXPECT_EQ(reader.error()->where.path, "heads");
    }
  }
}

TEST(ReadDropout, IsAProbability) {
  const Value value = document(R"({"zero": 0, "one": 1.0, "more": 1.5})");
  ObjectReader reader(value, "c.json");
  EXPECT_EQ(read_dropout(reader, "zero", 0.1), 0.0);
  EXPECT_EQ(read_dropout(reader, "one", 0.1), 1.0);
  EXPECT_EQ(read_dropout(reader, "absent", 0.1), 0.1);
  EXPECT_FALSE(reader.error().has_value());
  read_dropout(reader, "more", 0.1);
  EXPECT_EQ(reader.error()->where.path, "more");
}

}  // namespace
}  // namespace joulecast

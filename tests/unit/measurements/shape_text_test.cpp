// SPDX-License-Identifier: Apache-2.0
#include "measurements/shape_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

Error error_of(ShapeKind kind, std::string_view text) {
  const auto shape = parse_shape(kind, text);
  EXPECT_FALSE(shape.has_value());
  return shape ? Error{} : shape.error();
}

const std::vector<MeasuredShape> one_of_each = {
    MatmulShape{.batch = 2, .m = 64, .n = 128, .k = 256},
    ElementShape{.elements = 4096, .width = 64},
    AttentionShape{.batch = 1,
                   .sequence = 512,
                   .kv_sequence = 1024,
                   .heads = 32,
                   .kv_heads = 8,
                   .head_size = 128,
                   .causal = true,
                   .window = 256,
                   .kv_precision = MeasuredPrecision::fp8},
    MoeShape{.tokens = 8,
             .hidden_size = 2048,
             .intermediate_size = 768,
             .top_k = 8,
             .num_experts = 128,
             .tensor_parallel_size = 2,
             .expert_parallel_size = 4,
             .distribution = "power_law_1.2"},
    ConvolutionShape{.batch = 3,
                     .in_channels = 4,
                     .out_channels = 8,
                     .height = 10,
                     .width = 12,
                     .kernel = 3,
                     .stride = 2,
                     .padding = 1,
                     .groups = 2},
    StepShape{.model = "my models/50%/config.json",
              .batch_size = 16,
              .sequence_length = 512,
              .num_gpus = 8,
              .optimizer = Optimizer::sgd,
              .steps = 20},
};

TEST(ShapeText, WritesKeysInAFixedOrder) {
  EXPECT_EQ(describe(one_of_each[0]), "batch=2 m=64 n=128 k=256");
  EXPECT_EQ(describe(one_of_each[1]), "elements=4096 width=64");
  EXPECT_EQ(describe(one_of_each[2]),
            "batch=1 sequence=512 kv_sequence=1024 heads=32 kv_heads=8 head_size=128 causal=true "
            "window=256 kv_precision=fp8");
  EXPECT_EQ(describe(one_of_each[3]),
            "tokens=8 hidden_size=2048 intermediate_size=768 top_k=8 num_experts=128 "
            "tensor_parallel_size=2 expert_parallel_size=4 distribution=power_law_1.2");
  EXPECT_EQ(describe(one_of_each[4]),
            "batch=3 in_channels=4 out_channels=8 height=10 width=12 kernel=3 stride=2 padding=1 "
            "groups=2");
  EXPECT_EQ(describe(one_of_each[5]),
            "model=my%20models/50%25/config.json batch_size=16 sequence_length=512 num_gpus=8 "
            "optimizer=sgd steps=20");
}

TEST(ShapeText, ReadsBackWhatItWrote) {
  for (std::size_t i = 0; i < one_of_each.size(); ++i) {
    const auto read = parse_shape(static_cast<ShapeKind>(i), describe(one_of_each[i]));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(*read, one_of_each[i]);
  }
}

TEST(ShapeText, RefusesKeysThatAreMissingDoubledReorderedOrTooMany) {
  for (const char* text : {"", "m=1 n=1 k=1", "batch=1 m=1 k=1 n=1", "batch=1 m=1 n=1",
                           "batch=1  m=1 n=1 k=1", "batch=1 batch=1 m=1 n=1 k=1"}) {
    EXPECT_THAT(error_of(ShapeKind::matmul, text).message, HasSubstr("lacks")) << text;
  }
  for (const char* text : {"batch=1 m=1 n=1 k=1 l=1", "batch=1 m=1 n=1 k=1 k=1"}) {
    EXPECT_THAT(error_of(ShapeKind::matmul, text).message, HasSubstr("more than it should"))
        << text;
  }
}

TEST(ShapeText, RefusesSizesThatAreNone) {
  for (const char* size : {"", "x", "1.5", "1e3", "+1", " 1", "0x10", "99999999999999999999"}) {
    const std::string text = std::string("elements=") + size + " width=1";
    EXPECT_FALSE(parse_shape(ShapeKind::elements, text).has_value()) << text;
  }
  for (const char* size : {"0", "-4", "1099511627777"}) {
    const std::string text = std::string("elements=") + size + " width=1";
    EXPECT_THAT(error_of(ShapeKind::elements, text).message, HasSubstr("from 1 to 1099511627776"))
        << text;
  }
  EXPECT_TRUE(parse_shape(ShapeKind::elements, "elements=1099511627776 width=1").has_value());
}

TEST(ShapeText, RefusesWordsThatMeanNothing) {
  const std::string before = "batch=1 sequence=8 kv_sequence=8 heads=4 kv_heads=2 head_size=64 ";
  EXPECT_TRUE(parse_shape(ShapeKind::attention, before + "causal=false window=0 kv_precision=bf16")
                  .has_value());
  EXPECT_THAT(
      error_of(ShapeKind::attention, before + "causal=1 window=0 kv_precision=bf16").message,
      HasSubstr("true or false"));
  EXPECT_THAT(
      error_of(ShapeKind::attention, before + "causal=true window=0 kv_precision=bf17").message,
      HasSubstr("bf17"));
  EXPECT_FALSE(parse_shape(ShapeKind::attention, before + "causal=true window=-1 kv_precision=bf16")
                   .has_value());
}

TEST(ShapeText, RefusesBlanksThatAreEncodedWrongly) {
  const std::string after = " batch_size=1 sequence_length=1 num_gpus=1 optimizer=adamw";
  for (const char* model : {"", "a%", "a%2", "a%zz", "a%-1"}) {
    EXPECT_FALSE(parse_shape(ShapeKind::step, std::string("model=") + model + after).has_value())
        << model;
  }
}

TEST(ShapeText, RefusesSizesThatContradictEachOther) {
  AttentionShape attention = std::get<AttentionShape>(one_of_each[2]);
  attention.kv_heads = 5;
  EXPECT_FALSE(check_shape(attention).has_value());
  attention = std::get<AttentionShape>(one_of_each[2]);
  attention.kv_sequence = attention.sequence - 1;
  EXPECT_FALSE(check_shape(attention).has_value());
  attention.causal = false;
  EXPECT_TRUE(check_shape(attention).has_value());

  MoeShape moe = std::get<MoeShape>(one_of_each[3]);
  moe.top_k = moe.num_experts + 1;
  EXPECT_FALSE(check_shape(moe).has_value());

  ConvolutionShape convolution = std::get<ConvolutionShape>(one_of_each[4]);
  convolution.kernel = 13;  // 10 + 2 * 1 = 12 is all the padded input has
  EXPECT_FALSE(check_shape(convolution).has_value());
  convolution.kernel = 12;
  EXPECT_TRUE(check_shape(convolution).has_value());
  convolution.groups = 3;
  EXPECT_FALSE(check_shape(convolution).has_value());
}

}  // namespace
}  // namespace joulecast

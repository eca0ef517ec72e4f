// SPDX-License-Identifier: Apache-2.0
#include "validation/regimes.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace joulecast {
namespace {

constexpr MatmulShape product{.batch = 1, .m = 1024, .n = 512, .k = 512};

TEST(Regimes, OfProductsBeginAtTheStatedSizes) {
  EXPECT_TRUE(is_training_shape(product));
  for (const MatmulShape& smaller : {MatmulShape{1, 1023, 512, 512}, MatmulShape{1, 1024, 511, 512},
                                     MatmulShape{1, 1024, 512, 511}}) {
    EXPECT_FALSE(is_training_shape(smaller)) << describe(MeasuredShape(smaller));
  }
  // The rows of a batch belong to other products.
  EXPECT_FALSE(is_training_shape(MatmulShape{.batch = 64, .m = 128, .n = 512, .k = 512}));
  EXPECT_TRUE(is_skinny_shape(MatmulShape{.batch = 1, .m = 64, .n = 1, .k = 1}));
  EXPECT_FALSE(is_skinny_shape(MatmulShape{.batch = 1, .m = 65, .n = 1, .k = 1}));
}

TEST(Regimes, OfAttentionAskForLengthHeadsAndNoWindow) {
  const AttentionShape shape{.batch = 2, .sequence = 512, .kv_sequence = 512, .heads = 4};
  EXPECT_TRUE(is_training_shape(shape));
  EXPECT_FALSE(is_skinny_shape(shape));
  AttentionShape other = shape;
  other.sequence = 511;
  EXPECT_FALSE(is_training_shape(other));
  other = shape;
  other.window = 128;
  EXPECT_FALSE(is_training_shape(other));
  other = shape;
  other.batch = 1;
  other.heads = 7;
  EXPECT_FALSE(is_training_shape(other));
  EXPECT_TRUE(is_skinny_shape(other));
}

TEST(Regimes, OfTheOtherKindsOfShape) {
  EXPECT_TRUE(is_training_shape(ElementShape{.elements = 4194304}));
  EXPECT_FALSE(is_training_shape(ElementShape{.elements = 4194303}));
  EXPECT_TRUE(is_skinny_shape(ElementShape{.elements = 65536}));
  EXPECT_FALSE(is_skinny_shape(ElementShape{.elements = 65537}));
  MoeShape experts;
  const auto at = [&](std::int64_t tokens) {
    experts.tokens = tokens;
    return MeasuredShape(experts);
  };
  EXPECT_TRUE(is_training_shape(at(1024)));
  EXPECT_FALSE(is_training_shape(at(1023)));
  EXPECT_TRUE(is_skinny_shape(at(64)));
  EXPECT_FALSE(is_skinny_shape(at(65)));
  EXPECT_TRUE(is_training_shape(ConvolutionShape{.batch = 16}));
  EXPECT_FALSE(is_training_shape(ConvolutionShape{.batch = 15}));
  EXPECT_TRUE(is_skinny_shape(ConvolutionShape{.batch = 4}));
  EXPECT_FALSE(is_skinny_shape(ConvolutionShape{.batch = 5}));
}

// Sizes of 64 bits multiply beyond them.
TEST(Regimes, DoNotWrapWhereHeadsAreAbsurdlyMany) {
  const AttentionShape shape{.batch = std::int64_t{1} << 40U,
                             .sequence = 512,
                             .kv_sequence = 512,
                             .heads = std::int64_t{1} << 40U};
  EXPECT_TRUE(is_training_shape(shape));
  EXPECT_FALSE(is_skinny_shape(shape));
}

// Of 1 to 10, the place of 0.8 is 7.2: between 8 and 9, so that 9 and 10 are the largest fifth.
TEST(Fifths, HoldAFifthOfDistinctSizes) {
  const std::vector<double> sizes = {10, 3, 5, 1, 8, 7, 2, 9, 4, 6};
  const FifthBounds bounds = find_fifths(sizes);
  EXPECT_NEAR(bounds.large, 8.2, 1e-12);
  EXPECT_NEAR(bounds.small, 2.8, 1e-12);
  EXPECT_EQ(std::ranges::count_if(sizes, [&](double size) { return size >= bounds.large; }), 2);
  EXPECT_EQ(std::ranges::count_if(sizes, [&](double size) { return size <= bounds.small; }), 2);
}

TEST(Fifths, KeepEqualSizesTogether) {
  const FifthBounds alike = find_fifths(std::vector<double>{5, 5, 5, 5, 5});
  EXPECT_EQ(alike.small, 5.0);
  EXPECT_EQ(alike.large, 5.0);
  const FifthBounds one = find_fifths(std::vector<double>{3});
  EXPECT_EQ(one.small, 3.0);
  EXPECT_EQ(one.large, 3.0);
}

TEST(Fifths, AreOfBytesWhereThereAreNoFlops) {
  EXPECT_EQ(size_of({Flops{12.0}, Bytes{100.0}}), 12.0);
  EXPECT_EQ(size_of({Flops{0.0}, Bytes{100.0}}), 100.0);
}

}  // namespace
}  // namespace joulecast

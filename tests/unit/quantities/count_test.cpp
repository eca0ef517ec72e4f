// SPDX-License-Identifier: Apache-2.0
#include <joulecast/quantities.hpp>

#include <gtest/gtest.h>
#include <limits>

namespace joulecast {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t two_to_31 = std::int64_t{1} << 31U;
constexpr std::int64_t two_to_32 = std::int64_t{1} << 32U;

TEST(Count, IsExactUpToTheLastBit) {
  // 2^62 - 1 + 2^62 = 2^63 - 1, the largest 64-bit number.
  const Count half = Count{two_to_31} * two_to_31;
  const Count sum = (half + -1) + half;
  EXPECT_FALSE(sum.overflowed());
  EXPECT_EQ(sum.value(), most);
  // 3037000499^2 = 9223372030926249001 is the last square below 2^63.
  const Count square = Count{3'037'000'499} * 3'037'000'499;
  EXPECT_FALSE(square.overflowed());
  EXPECT_EQ(square.value(), 9'223'372'030'926'249'001);
}

TEST(Count, KnowsThatAProductIsTooLarge) {
  // 2^31 * 2^32 = 2^63, one more than fits.
  EXPECT_TRUE((Count{two_to_31} * two_to_32).overflowed());
  EXPECT_TRUE((Count{3'037'000'500} * 3'037'000'500).overflowed());
  EXPECT_TRUE((Count{most} * 2).overflowed());
}

TEST(Count, KnowsThatASumIsTooLarge) {
  EXPECT_FALSE((Count{most} + 0).overflowed());
  EXPECT_TRUE((Count{most} + 1).overflowed());
  Count total = most;
  total += 1;
  EXPECT_TRUE(total.overflowed());
}

// 2^64 wraps to 0 and 2^64 + 6 to 6: an unchecked product would look like a sound small number.
TEST(Count, AWrappedProductThatLooksSoundIsStillFlagged) {
  const Count wrapped = Count{two_to_32} * two_to_32;
  EXPECT_EQ(wrapped.value(), 0);
  EXPECT_TRUE(wrapped.overflowed());
  EXPECT_TRUE((wrapped + 6).overflowed());
}

TEST(Count, NothingBringsAnOverflowBack) {
  const Count lost = Count{most} * most;
  EXPECT_TRUE((lost * 0).overflowed());
  EXPECT_TRUE((0 * lost).overflowed());
  EXPECT_TRUE((lost + 0).overflowed());
  EXPECT_TRUE((0 + lost).overflowed());
  Count sum = 1;
  sum += lost;
  sum += 1;
  EXPECT_TRUE(sum.overflowed());
}

TEST(Count, ComparesTheFlagAsWell) {
  EXPECT_EQ(Count{6}, Count{2} * 3);
  EXPECT_NE(Count{0}, Count{two_to_32} * two_to_32);
}

TEST(Count, TurnsIntoADouble) {
  EXPECT_EQ(Count{two_to_32}.as_double(), 4294967296.0);
  EXPECT_EQ(Count{}.as_double(), 0.0);
}

}  // namespace
}  // namespace joulecast

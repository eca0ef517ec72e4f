// SPDX-License-Identifier: Apache-2.0
#include "validation/log_axis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::ElementsAre;

TEST(LogAxis, CoversWholeDecades) {
  const LogAxis axis = cover({3e-6, 4e-3}, 100.0, 500.0);
  EXPECT_EQ(axis.first_decade, -6);
  EXPECT_EQ(axis.last_decade, -2);
  EXPECT_NEAR(axis.at(1e-6), 100.0, 1e-9);
  EXPECT_NEAR(axis.at(1e-4), 300.0, 1e-9);
  EXPECT_NEAR(axis.at(1e-2), 500.0, 1e-9);
  EXPECT_NEAR(axis.at(2e-4), 300.0 + 100.0 * 0.3010299956639812, 1e-9);
}

// Ends that are powers of ten are ends of the axis; a single value still gets a decade.
TEST(LogAxis, EndsAtPowersOfTenAndIsNeverEmpty) {
  const LogAxis exact = cover({1e-3, 1.0}, 0.0, 1.0);
  EXPECT_EQ(exact.first_decade, -3);
  EXPECT_EQ(exact.last_decade, 0);
  const LogAxis single = cover({1000.0, 1000.0}, 0.0, 1.0);
  EXPECT_EQ(single.first_decade, 3);
  EXPECT_EQ(single.last_decade, 4);
}

TEST(LogAxis, MayRunUpwardsFromTheBottom) {
  const LogAxis axis = cover({1.0, 100.0}, 400.0, 100.0);
  EXPECT_NEAR(axis.at(1.0), 400.0, 1e-9);
  EXPECT_NEAR(axis.at(10.0), 250.0, 1e-9);
}

TEST(LogAxis, LabelsNoMoreDecadesThanThereIsRoomFor) {
  const LogAxis axis = cover({1.0, 1e12}, 0.0, 1.0);
  EXPECT_THAT(axis.labelled_decades(20), testing::SizeIs(13));
  EXPECT_THAT(axis.labelled_decades(7), ElementsAre(0, 2, 4, 6, 8, 10, 12));
  EXPECT_THAT(axis.labelled_decades(3), ElementsAre(0, 5, 10));
}

TEST(Extent, GrowsByWhatItIncludes) {
  Extent extent;
  extent.include(5.0);
  EXPECT_EQ(extent.lowest, 5.0);
  EXPECT_EQ(extent.highest, 5.0);
  extent.include(2.0);
  extent.include(9.0);
  EXPECT_EQ(extent.lowest, 2.0);
  EXPECT_EQ(extent.highest, 9.0);
}

TEST(TimeLabel, HasTheUnitThatPeopleUse) {
  EXPECT_EQ(time_label(-9), "1 ns");
  EXPECT_EQ(time_label(-7), "100 ns");
  EXPECT_EQ(time_label(-6), "1 µs");
  EXPECT_EQ(time_label(-5), "10 µs");
  EXPECT_EQ(time_label(-3), "1 ms");
  EXPECT_EQ(time_label(0), "1 s");
  EXPECT_EQ(time_label(3), "1000 s");
  EXPECT_EQ(time_label(-12), "1e-12 s");
  EXPECT_EQ(time_label(7), "1e7 s");
}

}  // namespace
}  // namespace joulecast

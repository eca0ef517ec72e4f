// SPDX-License-Identifier: Apache-2.0
#include "reproduction/statistics.hpp"

#include <gtest/gtest.h>

namespace joulecast {
namespace {

// Mean of 1, 2, 3, 6 is 3; squared deviations 4, 1, 0, 9 have a mean of 3.5; the middle is 2.5.
TEST(Statistics, AreAsDefined) {
  EXPECT_DOUBLE_EQ(compute_mean({1, 2, 3, 6}), 3.0);
  EXPECT_DOUBLE_EQ(compute_standard_deviation({6, 2, 3, 1}), 1.8708286933869707);
  EXPECT_DOUBLE_EQ(compute_median({6, 1, 3, 2}), 2.5);
  EXPECT_DOUBLE_EQ(compute_median({9, 1, 3}), 3.0);
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "laws/moe_loads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <utility>
#include <vector>

namespace joulecast {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Ge;
using ::testing::Le;

double sum_of(const std::vector<double>& loads) {
  return std::accumulate(loads.begin(), loads.end(), 0.0);
}

TEST(ExpertLoads, DealTokensEvenlyWhereBalanced) {
  // 4 tokens x 2 of 16 experts: 8 visits, each to an expert of its own.
  EXPECT_THAT(busiest_expert_loads({4, 1, 1, 2, 16, 1, 1, "balanced"}),
              ElementsAreArray(std::vector<double>(8, 1.0)));
  // 4 devices share them: 2 visits, 2 experts.
  EXPECT_THAT(busiest_expert_loads({4, 1, 1, 2, 16, 1, 4, "balanced"}), ElementsAre(1.0, 1.0));
  // 96 x 8 / 256 = 3 tokens for each of 256 / 64 experts.
  EXPECT_THAT(busiest_expert_loads({96, 1, 1, 8, 256, 1, 64, "balanced"}),
              ElementsAre(3.0, 3.0, 3.0, 3.0));
}

// Quantiles 1/4 and 3/4 of 1/x on [1, 0.8 * 10] are 8^(1/4) = 1.682 and 8^(3/4) = 4.757; scaled to
// a sum of 10 visits 2.612 and 7.388, rounded 3 and 7.
TEST(ExpertLoads, FollowTheQuantilesOfAPowerLaw) {
  EXPECT_THAT(busiest_expert_loads({10, 1, 1, 1, 2, 1, 1, "power_law_1"}), ElementsAre(3.0, 7.0));
  // The same from both sides of the exponent at which the integral is a logarithm.
  EXPECT_THAT(busiest_expert_loads({10, 1, 1, 1, 2, 1, 1, "power_law_1.000001"}),
              ElementsAre(3.0, 7.0));
}

// An expert each on two devices: var = (7.388 - 5)^2 = 5.703, S = 5 + z(2) sqrt(5.703 (1 - 1/2)).
// Blom's z(2) is the normal quantile at 1.625 / 2.25 = 0.7222, that is 0.5895: S = 5.995.
TEST(ExpertLoads, AreThoseOfTheBusiestDevice) {
  EXPECT_THAT(busiest_expert_loads({10, 1, 1, 1, 2, 1, 2, "power_law_1"}),
              ElementsAre(DoubleNear(5.995, 2e-3)));
}

TEST(ExpertLoads, AddUpToTheVisits) {
  for (const char* distribution : {"balanced", "power_law_1.01", "power_law_1.2", "power_law_3"}) {
    for (const auto& [experts, top_k] : {std::pair{8, 2}, {8, 8}, {60, 6}, {256, 8}, {512, 10}}) {
      for (const std::int64_t tokens : {1, 2, 7, 32, 33, 100, 1000, 65536}) {
        for (const std::int64_t devices : {1, 2, 4}) {
          const MoeShape shape{tokens, 1, 1, top_k, experts, 1, devices, distribution};
          SCOPED_TRACE(describe(shape));
          const std::vector<double> loads = busiest_expert_loads(shape);
          const double visits = static_cast<double>(tokens * top_k);
          EXPECT_THAT(loads, Each(AllOf(Ge(1.0), Le(static_cast<double>(tokens)))));
          EXPECT_LE(loads.size(), static_cast<std::size_t>(experts / devices));
          if (devices == 1) {
            EXPECT_NEAR(sum_of(loads), visits, 1e-9 * visits);
          } else {
            // Half a visit is what rounding to whole ones may take away.
            EXPECT_GE(sum_of(loads), visits / static_cast<double>(devices) - 0.5 - 1e-6);
            EXPECT_LE(sum_of(loads), visits * (1.0 + 1e-9));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace joulecast

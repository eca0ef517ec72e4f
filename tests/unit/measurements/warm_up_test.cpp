// SPDX-License-Identifier: Apache-2.0
#include "measurements/warm_up.hpp"

#include "measured.hpp"

namespace joulecast {
namespace {

// A sweep of growing products, and which of its rows are marked.
std::string warm_ups(const std::vector<double>& seconds, const std::vector<std::size_t>& starts) {
  std::vector<Measurement> rows;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    const auto size = 64 * (static_cast<std::int64_t>(i) + 1);
    rows.push_back(measured_matmul({.m = size, .n = size, .k = size}, seconds[i]));
  }
  mark_warm_up(rows, starts);
  std::string marks;
  for (const Measurement& row : rows) marks += row.marks.has(Mark::warm_up) ? 'w' : '.';
  return marks;
}

TEST(WarmUp, TakesLongerThanMoreWorkSoonAfter) {
  EXPECT_EQ(warm_ups({0.13, 1.0e-3, 1.1e-3, 1.2e-3}, {0}), "w...");
  EXPECT_EQ(warm_ups({3.1, 2.9, 1.0}, {0}), "w..");
  EXPECT_EQ(warm_ups({1.0, 2.0, 4.0}, {0}), "...");
}

TEST(WarmUp, IsSoughtAtTheStartsOfSweepsAlone) {
  EXPECT_EQ(warm_ups({1, 1, 1, 9, 1, 1}, {0}), "......");
  EXPECT_EQ(warm_ups({1, 1, 1, 9, 1, 1}, {0, 3}), "...w..");
  EXPECT_EQ(warm_ups({1, 1, 9, 1}, {0}), "..w.");
}

TEST(WarmUp, IsNotComparedAcrossSweepsOrWithLessWork) {
  EXPECT_EQ(warm_ups({9, 1}, {0, 1}), "..");
  std::vector<Measurement> falling = {measured_matmul({.m = 128, .n = 128, .k = 128}, 9.0),
                                      measured_matmul({.m = 64, .n = 64, .k = 64}, 1.0)};
  mark_warm_up(falling, {0});
  EXPECT_TRUE(falling[0].marks.empty());
}

TEST(WarmUp, IsComparedWithinOneOperation) {
  std::vector<Measurement> rows = {measured_matmul({.m = 64, .n = 64, .k = 64}, 9.0),
                                   measured_matmul({.m = 64, .n = 64, .k = 64}, 1.0)};
  rows[1].operation = "attention_scores";
  mark_warm_up(rows, {0});
  EXPECT_TRUE(rows[0].marks.empty());
}

}  // namespace
}  // namespace joulecast

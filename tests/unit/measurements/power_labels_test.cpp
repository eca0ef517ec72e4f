// SPDX-License-Identifier: Apache-2.0
#include "measurements/checks.hpp"

#include "measured.hpp"

namespace joulecast {
namespace {

MarkSet marks_of_one(const Measurement& row) {
  std::vector<Measurement> rows{row};
  mark_power_labels(rows);
  return rows[0].marks;
}

Measurement labelled(const MatmulShape& shape, double watts, double seconds = 1e-3) {
  return with_power(measured_matmul(shape, seconds), watts);
}

TEST(PowerLabels, AreShortOutsideTheTrustedDurations) {
  const MatmulShape shape{.m = 64, .n = 64, .k = 64};
  EXPECT_TRUE(marks_of_one(labelled(shape, 300, 0.15e-3)).has(Mark::power_label_short));
  EXPECT_TRUE(marks_of_one(labelled(shape, 300, 0.1501e-3)).empty());
  EXPECT_TRUE(marks_of_one(labelled(shape, 300, 19.9e-3)).empty());
  EXPECT_TRUE(marks_of_one(labelled(shape, 300, 20e-3)).has(Mark::power_label_short));
}

TEST(PowerLabels, AreShortWhereTheResultHasOneOrTwoRows) {
  EXPECT_TRUE(marks_of_one(labelled({.m = 2, .n = 64, .k = 64}, 300)).has(Mark::power_label_short));
  EXPECT_TRUE(marks_of_one(labelled({.m = 3, .n = 64, .k = 64}, 300)).empty());
}

TEST(PowerLabels, MayPassTheLimitByLittle) {
  const MatmulShape shape{.m = 64, .n = 64, .k = 64};
  EXPECT_TRUE(marks_of_one(labelled(shape, 734)).empty());  // 1.05 * 700 = 735
  EXPECT_TRUE(marks_of_one(labelled(shape, 736)).has(Mark::power_above_limit));
}

TEST(PowerLabels, AreNotJudgedWithoutBoardPower) {
  EXPECT_TRUE(marks_of_one(measured_matmul({.m = 1, .n = 1, .k = 1}, 1e-6)).empty());
  Measurement sampled = labelled({.m = 1, .n = 1, .k = 1}, 300, 1e-6);
  sampled.energy_kind = EnergyKind::post_step_sample;
  EXPECT_TRUE(marks_of_one(sampled).empty());
}

// Labels along one axis; all others equal.
std::string low_along(std::int64_t MatmulShape::* axis, const std::vector<double>& watts,
                      const std::string& device = "h200-141gb-sxm") {
  std::vector<Measurement> rows;
  for (std::size_t i = 0; i < watts.size(); ++i) {
    MatmulShape shape{.batch = 1, .m = 1024, .n = 1024, .k = 1024};
    shape.*axis = 1024 + 64 * static_cast<std::int64_t>(i);
    rows.push_back(labelled(shape, watts[i]));
    rows.back().device = device;
  }
  mark_power_labels(rows);
  std::string low;
  for (const Measurement& row : rows) {
    low += row.marks.has(Mark::power_label_low) ? 'x' : '.';
  }
  return low;
}

TEST(PowerLabels, AreLowBelowTheirNeighboursAlongAnyAxis) {
  for (auto axis : {&MatmulShape::m, &MatmulShape::n, &MatmulShape::k}) {
    // The neighbours have 500 W throughout, so the bound is 400 W.
    EXPECT_EQ(low_along(axis, {500, 500, 399, 500, 500}), "..x..");
    EXPECT_EQ(low_along(axis, {500, 500, 401, 500, 500}), ".....");
  }
}

TEST(PowerLabels, AreComparedWithTheEightiethPercentileOfThreeOnEachSide) {
  // The last has three neighbours, 100, 100, 600: the 80th percentile lies 0.6 of the way from 100
  // to 600, at 400 W, and 0.8 of it is 320 W.
  EXPECT_EQ(low_along(&MatmulShape::k, {100, 100, 600, 319}).back(), 'x');
  EXPECT_EQ(low_along(&MatmulShape::k, {100, 100, 600, 321}).back(), '.');
  // A fourth neighbour is too far to matter.
  EXPECT_EQ(low_along(&MatmulShape::k, {600, 300, 300, 300, 300}).back(), '.');
}

TEST(PowerLabels, HaveNoNeighboursAcrossPrecisions) {
  std::vector<Measurement> rows = {labelled({.m = 64, .n = 64, .k = 64}, 500),
                                   labelled({.m = 64, .n = 64, .k = 128}, 200)};
  rows[1].precision = MeasuredPrecision::fp8;
  mark_power_labels(rows);
  EXPECT_TRUE(rows[1].marks.empty());
  rows[1].precision = rows[0].precision;
  mark_power_labels(rows);
  EXPECT_TRUE(rows[1].marks.has(Mark::power_label_low));
}

TEST(PowerLabels, OfB200AreHeldToANarrowerShare) {
  // 450 of 500 W is 0.9: low on a B200, where even rows are within 0.93, and fine elsewhere.
  const std::vector<double> watts = {500, 500, 450, 500, 500};
  EXPECT_EQ(low_along(&MatmulShape::n, watts), ".....");
  EXPECT_EQ(low_along(&MatmulShape::n, watts, "b200-180gb-sxm"), "..x..");
}

TEST(PowerLabels, ThatAreShortAreNobodysNeighbour) {
  std::vector<Measurement> rows = {labelled({.m = 64, .n = 64, .k = 64}, 600, 1e-5),
                                   labelled({.m = 64, .n = 64, .k = 128}, 300)};
  mark_power_labels(rows);
  EXPECT_TRUE(rows[1].marks.empty());
}

}  // namespace
}  // namespace joulecast

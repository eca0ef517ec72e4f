// SPDX-License-Identifier: Apache-2.0
#include "measurements/checks.hpp"

#include "measured.hpp"

namespace joulecast {
namespace {

// 1 TFLOP/s, 1 GB/s and a cache of 1 MB, so that bounds can be told by eye.
DeviceCatalogue round_device() {
  Device device;
  device.id = "h200-141gb-sxm";
  device.peak_flops_per_second[Precision::bf16] = {FlopsPerSecond{1e12}, "", false};
  device.peak_flops_per_second[Precision::fp32] = {FlopsPerSecond{1e12}, "", false};
  device.memory_bandwidth = {BytesPerSecond{1e9}, "", false};
  device.l2_cache = {Bytes{1e6}, "", false};
  return DeviceCatalogue({device});
}

// 2e9 FLOPs and 6e6 bytes: 2 ms to compute, 6 ms to move, 5 ms beyond the cache.
constexpr MatmulShape square{.batch = 1, .m = 1000, .n = 1000, .k = 1000};

bool seems_too_fast(const Measurement& row, const DeviceCatalogue& devices) {
  std::vector<Measurement> rows{row};
  mark_faster_than_peak(rows, devices);
  return rows[0].marks.has(Mark::faster_than_peak);
}

TEST(Bounds, AreWorkOverTheRatesOfTheSheet) {
  const Bounds bounds =
      bound_durations(measured_matmul(square, 1.0), round_device().devices().front());
  EXPECT_DOUBLE_EQ(bounds.compute.value(), 2e-3);
  EXPECT_DOUBLE_EQ(bounds.memory.value(), 6e-3);
  EXPECT_DOUBLE_EQ(bounds.memory_uncached.value(), 5e-3);
}

TEST(FasterThanPeak, AllowsWhatTheCacheCanHold) {
  // 5 ms less the tolerance of 5 %: 4.762 ms.
  EXPECT_FALSE(seems_too_fast(measured_matmul(square, 4.77e-3), round_device()));
  EXPECT_TRUE(seems_too_fast(measured_matmul(square, 4.75e-3), round_device()));
}

TEST(FasterThanPeak, BoundsTheFlopsAsWell) {
  const MatmulShape cubic{.batch = 1, .m = 20'000, .n = 20'000, .k = 20'000};
  // 1.6e13 FLOPs: 16 s, less 5 % 15.24 s; 2.4e9 bytes: 2.4 s.
  EXPECT_TRUE(seems_too_fast(measured_matmul(cubic, 15.0), round_device()));
  EXPECT_FALSE(seems_too_fast(measured_matmul(cubic, 15.3), round_device()));
}

TEST(FasterThanPeak, LetsFastConvolutionsDoAQuarterOfTheProducts) {
  Measurement row = measured_matmul(square, 0.0);
  row.operation = "convolution";
  row.precision = MeasuredPrecision::fp32;
  // 1e7 outputs of 9000 products: 1.8e11 FLOPs, 180 ms, of which Winograd does a quarter.
  ConvolutionShape shape{.batch = 1,
                         .in_channels = 1000,
                         .out_channels = 1000,
                         .height = 100,
                         .width = 100,
                         .kernel = 3,
                         .stride = 1,
                         .padding = 1,
                         .groups = 1};
  row.shape = shape;
  const Bounds bounds = bound_durations(row, round_device().devices().front());
  EXPECT_DOUBLE_EQ(bounds.compute.value(), 45e-3);
  shape.kernel = 1;
  shape.padding = 0;
  row.shape = shape;
  // 2 * 1e7 * 1000 FLOPs, and a 1 x 1 kernel saves none.
  EXPECT_DOUBLE_EQ(bound_durations(row, round_device().devices().front()).compute.value(), 20e-3);
}

TEST(FasterThanPeak, SaysNothingWithoutTheRate) {
  Measurement row = measured_matmul(square, 1e-3);
  Device bare;
  bare.id = row.device;
  EXPECT_FALSE(seems_too_fast(row, DeviceCatalogue({bare})));
}

TEST(UnitSlip, IsAThousandfoldOff) {
  const Device device = round_device().devices().front();
  // Bounds 5 and 6 ms: milliseconds read as seconds are 1000 times too long, and the other way.
  EXPECT_FALSE(find_unit_slip(measured_matmul(square, 7e-3), device).has_value());
  EXPECT_TRUE(find_unit_slip(measured_matmul(square, 7.0), device).has_value());
  EXPECT_TRUE(find_unit_slip(measured_matmul(square, 7e-6), device).has_value());
  // A row that is merely doubtful stays.
  EXPECT_FALSE(find_unit_slip(measured_matmul(square, 1.0), device).has_value());
  EXPECT_FALSE(find_unit_slip(measured_matmul(square, 1e-3), device).has_value());
}

TEST(UnitSlip, IsNotSoughtInOperationsThatTheHostBounds) {
  // 12 bytes take 12 ns; a launch of 0.1 s is slow, but no slip of the unit.
  const Device device = round_device().devices().front();
  EXPECT_FALSE(find_unit_slip(measured_matmul({.m = 1, .n = 1, .k = 1}, 0.1), device).has_value());
}

std::vector<Measurement> repeats(const std::vector<double>& seconds) {
  std::vector<Measurement> rows;
  for (const double duration : seconds) rows.push_back(measured_matmul(square, duration));
  mark_repeats(rows);
  return rows;
}

std::string marks_of(const std::vector<Measurement>& rows) {
  std::string marks;
  for (const Measurement& row : rows) {
    marks += row.marks.has(Mark::contradicts_repeats)   ? 'c'
             : row.marks.has(Mark::slower_than_repeats) ? 's'
                                                        : '.';
  }
  return marks;
}

TEST(Repeats, MarkThoseOverOneAndAHalfTimesTheFastest) {
  EXPECT_EQ(marks_of(repeats({1.0})), ".");
  EXPECT_EQ(marks_of(repeats({1.5, 1.0, 1.2})), "...");
  EXPECT_EQ(marks_of(repeats({1.51, 1.0, 1.2})), "s..");
  EXPECT_EQ(marks_of(repeats({1.0, 9.0})), ".s");
}

TEST(Repeats, ContradictEachOtherWhereMostAreSlow) {
  const auto rows = repeats({1.0, 2.0, 2.1});
  EXPECT_EQ(marks_of(rows), "ccc");
  EXPECT_FALSE(rows[0].marks.has(Mark::slower_than_repeats));
  EXPECT_TRUE(rows[1].marks.has(Mark::slower_than_repeats));
}

TEST(Repeats, AreOfOneShapeDevicePrecisionAndSoftware) {
  std::vector<Measurement> rows(6, measured_matmul(square, 1.0));
  for (std::size_t i = 1; i < rows.size(); ++i) rows[i].duration = Seconds{5.0};
  rows[1].device = "h100-80gb-sxm";
  rows[2].software = "another stack";
  rows[3].precision = MeasuredPrecision::fp16;
  rows[4].phase = MeasuredPhase::backward;
  rows[5].shape = MatmulShape{.m = 1000, .n = 1000, .k = 1001};
  mark_repeats(rows);
  EXPECT_EQ(marks_of(rows), "......");
}

}  // namespace
}  // namespace joulecast

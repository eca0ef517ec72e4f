// SPDX-License-Identifier: Apache-2.0
#include <joulecast/duration.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numbers>

namespace joulecast {
namespace {

// t = 1 ms + max(c / (0.5 * 1e12), bytes / (0.5 * 1e9)).
const Law roofline{.id = "prior", .form = RooflineLaw{0.5, 0.5, Seconds{1e-3}}};
const DeviceRates rates{.peak = FlopsPerSecond{1e12}, .bandwidth = BytesPerSecond{1e9}};

Operation operation_of(std::int64_t flops, std::int64_t bytes) {
  Operation operation;
  operation.name = "some_product";
  operation.flops = flops;
  operation.bytes_moved = bytes;
  operation.count = 1;
  return operation;
}

// 1e9 / 5e11 = 2 ms of work, 1e5 / 5e8 = 0.2 ms of traffic: 3 ms; 1e9 / 3e-3 / 1e12 = 1/3.
TEST(RooflineDuration, IsBoundByWork) {
  const auto duration = predict_duration(roofline, operation_of(1'000'000'000, 100'000), rates);
  EXPECT_DOUBLE_EQ(duration.one.value(), 3e-3);
  EXPECT_DOUBLE_EQ(duration.hef.value(), 1.0 / 3.0);
  EXPECT_EQ(duration.bound, Bound::compute);
}

// 1e8 / 5e11 = 0.2 ms of work, 1e6 / 5e8 = 2 ms of traffic: 3 ms; 1e8 / 3e-3 / 1e12 = 1/30.
TEST(RooflineDuration, IsBoundByTraffic) {
  const auto duration = predict_duration(roofline, operation_of(100'000'000, 1'000'000), rates);
  EXPECT_DOUBLE_EQ(duration.one.value(), 3e-3);
  EXPECT_DOUBLE_EQ(duration.hef.value(), 1.0 / 30.0);
  EXPECT_EQ(duration.bound, Bound::memory);
}

// 0.2 ms of each: 1.2 ms, most of it the launch.
TEST(RooflineDuration, IsBoundByTheLaunchWhereThatTakesLonger) {
  const auto duration = predict_duration(roofline, operation_of(100'000'000, 100'000), rates);
  EXPECT_DOUBLE_EQ(duration.one.value(), 1.2e-3);
  EXPECT_EQ(duration.bound, Bound::launch);
}

// The ridge: 1e9 FLOPs and 1e6 B take 2 ms each. Neither hides the other, and none is compute's.
TEST(RooflineDuration, OnTheRidgeIsOneOfTheTwo) {
  const auto duration = predict_duration(roofline, operation_of(1'000'000'000, 1'000'000), rates);
  EXPECT_DOUBLE_EQ(duration.one.value(), 3e-3);
  EXPECT_EQ(duration.bound, Bound::memory);
}

// A lookup: no FLOPs, hence no efficiency, but traffic and a launch: 2 + 1 ms.
TEST(RooflineDuration, WithoutFlopsHasNoEfficiency) {
  const auto duration = predict_duration(roofline, operation_of(0, 1'000'000), rates);
  EXPECT_DOUBLE_EQ(duration.one.value(), 3e-3);
  EXPECT_FALSE(duration.hef.has_value());
  EXPECT_EQ(duration.bound, Bound::memory);
}

TEST(RooflineDuration, WithoutAPeakIsAllTraffic) {
  const DeviceRates no_peak{.peak = std::nullopt, .bandwidth = BytesPerSecond{1e9}};
  const auto duration =
      predict_duration(roofline, operation_of(1'000'000'000'000, 1'000'000), no_peak);
  EXPECT_DOUBLE_EQ(duration.one.value(), 3e-3);
  EXPECT_FALSE(duration.hef.has_value());
  EXPECT_EQ(duration.bound, Bound::memory);
}

// The largest counts there are: 2^63 - 1 = 9.223e18; / 5e8 = 1.845e10 s.
TEST(RooflineDuration, StaysFiniteAtTheLargestCounts) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const auto duration = predict_duration(roofline, operation_of(most, most), rates);
  EXPECT_NEAR(duration.one.value(), 1.8447e10, 1e6);
  EXPECT_GT(duration.hef.value(), 0.0);
}

// eta = 0.5 (1 - exp(-C)), C = c / 1e9 = ln 2: 0.25. t = c / (1e12 * 0.25). The law does not tell
// what binds it, and traffic does not enter.
TEST(SaturationDuration, FollowsEquations3And4) {
  const Law law{.id = "law", .form = SaturationLaw{0.5, 1.0, 1.0, 1e9}};
  const std::int64_t flops = 693'147'181;  // 1e9 ln 2, rounded
  const auto duration = predict_duration(law, operation_of(flops, 1), rates);
  EXPECT_NEAR(duration.hef.value(), 0.25, 1e-9);
  EXPECT_NEAR(duration.one.value(), 1e9 * std::numbers::ln2 / 0.25e12, 1e-11);
  EXPECT_EQ(duration.bound, Bound::law);
  EXPECT_EQ(duration.one, predict_duration(law, operation_of(flops, 1'000'000'000), rates).one);
}

TEST(LawApplies, ASaturationLawNeedsFlopsAndAPeak) {
  const Law law{.id = "law", .form = SaturationLaw{0.5, 1.0, 1.0, 1e9}};
  const DeviceRates no_peak{.peak = std::nullopt, .bandwidth = BytesPerSecond{1e9}};
  EXPECT_TRUE(law_applies(law, operation_of(1, 0), rates));
  EXPECT_FALSE(law_applies(law, operation_of(0, 1), rates));
  EXPECT_FALSE(law_applies(law, operation_of(1, 1), no_peak));
  EXPECT_TRUE(law_applies(roofline, operation_of(0, 1), no_peak));
}

Device small_device() {
  Device device;
  device.id = "small";
  device.file = "own.toml";
  device.peak_flops_per_second[Precision::tf32] = {.value = FlopsPerSecond{5.0}};
  device.memory_bandwidth = {.value = BytesPerSecond{7.0}};
  return device;
}

TEST(FindRates, TakesThePeakOfTheOperationSPrecision) {
  Device device = small_device();
  device.peak_flops_per_second[Precision::fp32] = {.value = FlopsPerSecond{3.0}};
  Operation operation = operation_of(1, 1);
  operation.precision = Precision::tf32;
  EXPECT_EQ(find_rates(device, operation).value().peak, FlopsPerSecond{5.0});
  EXPECT_EQ(find_rates(device, operation).value().bandwidth, BytesPerSecond{7.0});
  operation.precision = Precision::fp32;
  EXPECT_EQ(find_rates(device, operation).value().peak, FlopsPerSecond{3.0});
}

TEST(FindRates, AProductNeedsThePrecisionAnElementwiseOperationDoesNot) {
  Operation operation = operation_of(1, 1);
  operation.precision = Precision::fp32;
  const auto refused = find_rates(small_device(), operation);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  operation.kind = OperationKind::softmax;
  EXPECT_FALSE(find_rates(small_device(), operation).value().peak.has_value());
}

TEST(FindRates, NeedTheBandwidth) {
  Device device = small_device();
  device.memory_bandwidth.reset();
  const auto refused = find_rates(device, operation_of(1, 1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(refused.error().where.file, "own.toml");
  EXPECT_THAT(refused.error().message, testing::HasSubstr("small"));
}

TEST(BoundNames, AreDistinct) {
  EXPECT_EQ(to_string(Bound::compute), "compute");
  EXPECT_EQ(to_string(Bound::memory), "memory");
  EXPECT_EQ(to_string(Bound::launch), "launch");
  EXPECT_EQ(to_string(Bound::law), "law");
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include <joulecast/energy.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

// P = 100 W min(1, 0.2 + 0.5 (c/t) / 1e12 + 0.4 (bytes/t) / 1e9).
const PowerPrior prior{.idle_fraction = 0.2, .compute_fraction = 0.5, .bandwidth_fraction = 0.4};
const DeviceRates rates{.peak = FlopsPerSecond{1e12}, .bandwidth = BytesPerSecond{1e9}};
constexpr Watts limit{100.0};

Operation operation_of(std::int64_t flops, std::int64_t bytes) {
  Operation operation;
  operation.flops = flops;
  operation.bytes_moved = bytes;
  return operation;
}

// 1e9 FLOPs and 1e5 B in 3 ms: 1/3 of the peak and 1/30 of the bandwidth:
// 100 (0.2 + 0.5/3 + 0.4/30) = 100 (0.2 + 0.1667 + 0.0133) = 38 W.
TEST(Power, AddsIdleWorkAndTraffic) {
  EXPECT_NEAR(
      predict_power(prior, limit, operation_of(1'000'000'000, 100'000), rates, Seconds{3e-3})
          .value(),
      38.0, 1e-12);
}

TEST(Power, OfAnOperationThatDoesNothingIsIdle) {
  EXPECT_DOUBLE_EQ(predict_power(prior, limit, operation_of(0, 0), rates, Seconds{1.0}).value(),
                   20.0);
}

// 0.2 + 0.5 + 0.4 = 1.1 of the limit at full speed of both.
TEST(Power, NeverExceedsTheLimit) {
  EXPECT_EQ(
      predict_power(prior, limit, operation_of(1'000'000'000, 1'000'000), rates, Seconds{1e-3}),
      limit);
}

// Without a peak nothing is known about the work: 100 (0.2 + 0.4 * 0.5) = 40 W.
TEST(Power, WithoutAPeakLeavesTheWorkOut) {
  const DeviceRates no_peak{.peak = std::nullopt, .bandwidth = BytesPerSecond{1e9}};
  EXPECT_NEAR(predict_power(prior, limit, operation_of(1'000'000'000'000, 1'000'000), no_peak,
                            Seconds{2e-3})
                  .value(),
              40.0, 1e-12);
}

TEST(PowerLimit, IsTheDevicesAndNeverGuessed) {
  Device device;
  device.id = "secret";
  device.file = "shipped";
  const auto refused = find_power_limit(device);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(refused.error().remedy, testing::HasSubstr("extends = \"secret\""));
  device.thermal_design_power = {.value = Watts{250.0}};
  EXPECT_EQ(find_power_limit(device).value(), Watts{250.0});
}

// Two devices, one hour, 10 kWh = 3.6e7 J. Host 50 W each: 2 * 50 W * 3600 s = 3.6e5 J. PUE 1.5:
// half of (3.6e7 + 3.6e5) = 1.818e7 J. Facility 5.454e7 J = 15.15 kWh. At 0.1 kg/kWh 1.515 kg; at
// 0.2 a kWh 3.03; at 2 a GPU and hour 4; together 7.03.
Site full_site() {
  Site site;
  site.host_power = Watts{50.0};
  site.power_usage_effectiveness = 1.5;
  site.region = Region{.id = "TST", .carbon_intensity = KilogramsPerJoule{0.1 / 3.6e6}};
  site.price_per_kilowatt_hour = 0.2;
  site.price_per_gpu_hour = 2.0;
  return site;
}

TEST(Account, OfAFullyStatedSite) {
  const Account account = make_account(full_site(), Joules{3.6e7}, Seconds{3600.0}, 2);
  EXPECT_EQ(account.device_energy, Joules{3.6e7});
  EXPECT_DOUBLE_EQ(account.host_energy.value().value(), 3.6e5);
  EXPECT_DOUBLE_EQ(account.overhead_energy.value().value(), 1.818e7);
  EXPECT_DOUBLE_EQ(account.facility_energy.value(), 5.454e7);
  EXPECT_DOUBLE_EQ(account.emissions.value().value(), 1.515);
  EXPECT_DOUBLE_EQ(account.electricity_cost.value(), 3.03);
  EXPECT_DOUBLE_EQ(account.gpu_cost.value(), 4.0);
  EXPECT_DOUBLE_EQ(account.total_cost.value(), 7.03);
}

TEST(Account, WhatIsNotStatedIsAbsentNotZero) {
  const Account account = make_account({}, Joules{3.6e7}, Seconds{3600.0}, 2);
  EXPECT_EQ(account.facility_energy, Joules{3.6e7});
  EXPECT_FALSE(account.host_energy.has_value());
  EXPECT_FALSE(account.overhead_energy.has_value());
  EXPECT_FALSE(account.emissions.has_value());
  EXPECT_FALSE(account.electricity_cost.has_value());
  EXPECT_FALSE(account.gpu_cost.has_value());
  EXPECT_FALSE(account.total_cost.has_value());
}

// 3.6e7 * 1.5: without a host figure the overhead is that of the devices alone.
TEST(Account, EachFigureCountsAlone) {
  Site site;
  site.power_usage_effectiveness = 1.5;
  EXPECT_EQ(make_account(site, Joules{3.6e7}, Seconds{3600.0}, 2).facility_energy, Joules{5.4e7});
  site = {};
  site.price_per_kilowatt_hour = 0.2;
  Account account = make_account(site, Joules{3.6e7}, Seconds{3600.0}, 2);
  EXPECT_DOUBLE_EQ(account.total_cost.value(), 2.0);
  EXPECT_FALSE(account.gpu_cost.has_value());
  site = {};
  site.price_per_gpu_hour = 2.0;
  account = make_account(site, Joules{3.6e7}, Seconds{3600.0}, 2);
  EXPECT_DOUBLE_EQ(account.total_cost.value(), 4.0);
  EXPECT_FALSE(account.electricity_cost.has_value());
}

// A stated zero is a figure: the grid of a plant's own turbine, electricity that costs nothing.
TEST(Account, AStatedZeroIsKept) {
  Site site = full_site();
  site.host_power = Watts{0.0};
  site.power_usage_effectiveness = 1.0;
  site.region->carbon_intensity = KilogramsPerJoule{0.0};
  site.price_per_kilowatt_hour = 0.0;
  const Account account = make_account(site, Joules{3.6e7}, Seconds{3600.0}, 2);
  EXPECT_EQ(account.host_energy, Joules{0.0});
  EXPECT_EQ(account.overhead_energy, Joules{0.0});
  EXPECT_EQ(account.facility_energy, Joules{3.6e7});
  EXPECT_EQ(account.emissions, Kilograms{0.0});
  EXPECT_EQ(account.electricity_cost, 0.0);
}

TEST(FindPowerLimit, TellsTheOwnerOfADeviceToAddTheKey) {
  const Error own = find_power_limit({.id = "mine", .file = "own.toml"}).error();
  EXPECT_EQ(own.message, "the power limit of mine is not stated");
  EXPECT_EQ(own.remedy, "add thermal_design_power_watts = ... to the device mine");
  const Error shipped = find_power_limit({.id = "tpu-v5e", .file = "shipped"}).error();
  EXPECT_THAT(shipped.message, testing::HasSubstr("not public"));
  EXPECT_THAT(shipped.remedy, testing::HasSubstr("extends = \"tpu-v5e\""));
}

}  // namespace
}  // namespace joulecast

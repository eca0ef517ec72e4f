// SPDX-License-Identifier: Apache-2.0
#include "metering/sensor_history.hpp"

#include <gtest/gtest.h>

namespace joulecast {
namespace {

SensorReading reading(double at, std::optional<double> joules, std::optional<double> watts) {
  SensorReading result{.at = Seconds{at}};
  if (joules) result.energy_counter = Joules{*joules};
  if (watts) result.power = Watts{*watts};
  return result;
}

// 100 to 300 W in 2 s are 400 J, another second at 300 W 300 J: 700 J. Between readings energy is
// taken to grow evenly, so that second 1 has half of the 400 J behind it and second 2.5 half of the
// 300 J: 200 + 150 J lie between them.
TEST(SensorHistoryTest, IntegratesByTheTrapezoidalRule) {
  SensorHistory history(SensorFacts{.power_source = PowerSource::instant});
  history.restart(Seconds{0.0});
  history.add(reading(0.0, {}, 100.0), Seconds{2.0});
  history.add(reading(2.0, {}, 300.0), Seconds{2.0});
  history.add(reading(3.0, {}, 300.0), Seconds{2.0});
  const SensorRecord record = history.record(Seconds{3.0});
  EXPECT_DOUBLE_EQ(record.energy->value(), 700.0);
  EXPECT_DOUBLE_EQ(record.mean_power->value(), 700.0 / 3.0);
  const auto begin = history.at(Seconds{1.0});
  const auto end = history.at(Seconds{2.5});
  EXPECT_DOUBLE_EQ(*end->integral_joules - *begin->integral_joules, 350.0);
  EXPECT_FALSE(history.at(Seconds{3.5}));
}

// RAPL: a range of 1000 J. 990 -> 20 J is 30 J in a second; going on from 20 to 5 J in a second
// would be 985 W, which is plausible, but without a range it must be a reset.
TEST(SensorHistoryTest, ToldARangeItGoesOnAndElseItCountsAReset) {
  for (const bool ranged : {true, false}) {
    SensorFacts facts{.energy_counter = true, .power_source = PowerSource::counter};
    if (ranged) facts.counter_range = Joules{1000.0};
    SensorHistory history(facts);
    history.restart(Seconds{0.0});
    history.add(reading(0.0, 990.0, {}), Seconds{1.0});
    history.add(reading(1.0, 20.0, {}), Seconds{1.0});
    history.add(reading(2.0, 60.0, {}), Seconds{1.0});
    const SensorRecord record = history.record(Seconds{2.0});
    EXPECT_EQ(record.counter_resets, ranged ? 0 : 1);
    EXPECT_DOUBLE_EQ(record.energy->value(), ranged ? 70.0 : 40.0);
    EXPECT_DOUBLE_EQ(record.peak_power->value(), 40.0);
  }
}

TEST(SensorHistoryTest, CountsGapsAndKeepsTheCountersEnergyOverThem) {
  SensorHistory history(SensorFacts{.energy_counter = true, .power_source = PowerSource::instant});
  history.restart(Seconds{0.0});
  history.add(reading(0.0, 0.0, 100.0), Seconds{0.1});
  history.add(reading(0.1, 10.0, 100.0), Seconds{0.1});
  history.add(reading(10.1, 5010.0, 100.0), Seconds{0.1});  // 500 W in between
  const SensorRecord record = history.record(Seconds{10.1});
  EXPECT_EQ(record.gaps, 1);
  EXPECT_DOUBLE_EQ(record.longest_gap.value(), 10.0);
  EXPECT_DOUBLE_EQ(record.energy->value(), 5010.0);
  EXPECT_NEAR(record.energy_by_integration->value(), 1010.0, 1e-9);
}

TEST(SensorHistoryTest, OneReadingIsNoEnergy) {
  SensorHistory history(SensorFacts{.energy_counter = true});
  history.restart(Seconds{0.0});
  history.add(reading(0.5, 7.0, {}), Seconds{0.1});
  EXPECT_FALSE(history.record(Seconds{1.0}).energy);
}

TEST(SensorHistoryTest, ForgetsOldReadingsAndNotTheirEnergy) {
  SensorHistory history(SensorFacts{.energy_counter = true});
  history.restart(Seconds{0.0});
  for (int i = 0; i <= 100'000; ++i) history.add(reading(i, 50.0 * i, {}), Seconds{1.0});
  EXPECT_DOUBLE_EQ(history.record(Seconds{100'000.0}).energy->value(), 5e6);
  EXPECT_FALSE(history.at(Seconds{10.0})->counter_joules);  // long gone
  EXPECT_TRUE(history.at(Seconds{99'950.5})->counter_joules);
}

}  // namespace
}  // namespace joulecast

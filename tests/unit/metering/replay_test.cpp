// SPDX-License-Identifier: Apache-2.0
// A real recording through the code that adds up readings: 15,103 readings of an H200 while it
// trained 154 configurations (data/measurements/2026-11-26_h200_training_steps/). The oracle is the
// training program itself, which read the energy counter at the begin and the end of each loop.
#include "metering/segments.hpp"
#include "metering/sensor_history.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <fmt/format.h>

namespace joulecast {
namespace {

const std::string folder =
    JOULECAST_SOURCE_DIR "/data/measurements/2026-11-26_h200_training_steps/";

SensorFacts h200() {
  return {.id = "gpu0",
          .kind = SensorKind::gpu,
          .vendor = "nvidia",
          .name = "NVIDIA H200",
          .energy_counter = true,
          .power_source = PowerSource::instant};
}

std::optional<double> number(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(std::stod(text));
}

// Columns: time, counter, instant power, average power, two clocks, temperature, reasons, cost.
std::vector<SensorReading> read_samples(const std::string& name) {
  std::ifstream file(folder + name);
  std::vector<SensorReading> readings;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::stringstream cells(line);
    std::vector<std::string> row;
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
    if (row.size() < 9) continue;
    SensorReading reading{.at = Seconds{std::stod(row[0]) * 1e-9}};
    if (const auto value = number(row[1])) reading.energy_counter = Joules{*value};
    if (const auto value = number(row[2])) reading.power = Watts{*value};
    reading.clock_hertz = number(row[4]);
    reading.temperature_celsius = number(row[6]);
    if (const auto value = number(row[7])) {
      reading.throttle_reasons = static_cast<std::uint32_t>(*value);
    }
    readings.push_back(reading);
  }
  return readings;
}

struct Loop {
  std::string id;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  double joules = 0.0;
};

std::vector<Loop> read_loops(double begin_seconds, double end_seconds) {
  std::ifstream file(folder + "record.jsonl");
  std::vector<Loop> loops;
  for (std::string line; std::getline(file, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row["kind"] != "step" || !row["energy_nvml_joules"].is_number()) continue;
    const Loop loop{row["id"], row["begin_monotonic_nanoseconds"], row["end_monotonic_nanoseconds"],
                    row["energy_nvml_joules"]};
    const double begin = static_cast<double>(loop.begin) * 1e-9;
    const double end = static_cast<double>(loop.end) * 1e-9;
    if (begin > begin_seconds && end < end_seconds) loops.push_back(loop);
  }
  return loops;
}

TEST(ReplayTest, CounterAndIntegralAgreeOverARealRun) {
  for (const char* name : {"samples_1.csv", "samples_2.csv"}) {
    const auto readings = read_samples(name);
    ASSERT_GT(readings.size(), 1000U);
    SensorHistory history(h200());
    history.restart(readings.front().at);
    for (const SensorReading& reading : readings) history.add(reading, Seconds{0.05});
    const SensorRecord record = history.record(readings.back().at);
    const double first = readings.front().energy_counter->value();
    EXPECT_NEAR(record.energy->value(), readings.back().energy_counter->value() - first, 1e-3);
    EXPECT_NEAR(record.energy_by_integration->value() / record.energy->value(), 1.0, 0.002) << name;
    EXPECT_GT(record.peak_power->value(), 600.0);
    EXPECT_LT(record.peak_power->value(), 1000.0);
    EXPECT_EQ(record.counter_resets, 0);
    EXPECT_EQ(record.clock_hertz->highest, 1980e6);
  }
}

// A loop lasts two seconds and the counter advances each 0.1 s, so that the program's own figure is
// uncertain by a step at each end: up to a tenth for the shortest loops, little in the mean.
TEST(ReplayTest, SegmentsHaveTheEnergyThatTheProgramReadItself) {
  const auto readings = read_samples("samples_1.csv");
  SensorHistory history(h200());
  const std::vector<const SensorHistory*> sensors = {&history};
  Segments segments;
  const Seconds begin = readings.front().at;
  history.restart(begin);
  segments.restart(begin);
  const auto loops = read_loops(begin.value(), readings.back().at.value());
  ASSERT_GT(loops.size(), 80U);
  std::size_t next = 0;
  for (const SensorReading& reading : readings) {
    history.add(reading, Seconds{0.05});
    const auto now = static_cast<std::int64_t>(reading.at.value() * 1e9);
    for (; next < loops.size() && loops[next].end < now; ++next) {
      segments.feed(fmt::format("begin {0} @{1}\nend {0} @{2}\n", loops[next].id, loops[next].begin,
                                loops[next].end),
                    reading.at);
    }
    segments.resolve(sensors);
  }
  segments.close(readings.back().at, sensors);
  MeterRecord record;
  segments.write_to(record);
  ASSERT_TRUE(record.warnings.empty()) << record.warnings.front().message;
  ASSERT_EQ(record.segments.size(), loops.size());
  double ours = 0.0;
  double theirs = 0.0;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    ASSERT_EQ(record.segments[i].name, loops[i].id);
    const double joules = record.segments[i].energies.at(0).energy->value();
    EXPECT_NEAR(joules / loops[i].joules, 1.0, 0.15) << loops[i].id;
    ours += joules;
    theirs += loops[i].joules;
  }
  EXPECT_NEAR(ours / theirs, 1.0, 0.01);
}

}  // namespace
}  // namespace joulecast

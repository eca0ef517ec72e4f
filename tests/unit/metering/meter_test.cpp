// SPDX-License-Identifier: Apache-2.0
// The meter on a stand-in for NVIDIA's library, whose energy is known: device i draws 300 + 10 i W.
#include <joulecast/meter.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace joulecast {
namespace {

using testing::HasSubstr;

SensorOptions fake(const char* script) {
  setenv("FAKE_NVML", script, 1);
  SensorOptions options;
  options.nvml_library = JOULECAST_FAKE_NVML;
  options.devices = {"gpus"};
  options.sysfs = "/nonexistent";
  options.call_timeout = Seconds{0.3};
  return options;
}

void pass(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

MeterRecord measure(const char* script, double seconds, Seconds interval = Seconds{0.02}) {
  auto opened = open_sensors(fake(script));
  EXPECT_TRUE(opened) << describe(opened.error());
  Meter meter(opened->sensors, {.interval = interval, .call_timeout = Seconds{0.3}});
  pass(seconds);
  return meter.stop();
}

bool warns(const MeterRecord& record, WarningCode code) {
  for (const Warning& warning : record.warnings) {
    if (warning.code == code) return true;
  }
  return false;
}

TEST(MeterTest, EnergyIsPowerTimesTimeForEachDevice) {
  const MeterRecord record = measure("devices=16", 0.5);
  ASSERT_EQ(record.sensors.size(), 16U);
  for (std::size_t i = 0; i < 16; ++i) {
    const SensorRecord& sensor = record.sensors[i];
    const double expected = (300.0 + 10.0 * static_cast<double>(i)) * record.duration.value();
    EXPECT_EQ(sensor.facts.id, "gpu" + std::to_string(i));
    EXPECT_EQ(sensor.energy_source, EnergySource::counter);
    // The counter advances each 20 ms, so both ends may lack one step.
    EXPECT_NEAR(sensor.energy_by_counter->value(), expected, expected * 0.09);
    EXPECT_NEAR(sensor.energy_by_integration->value(), expected, expected * 0.01);
    EXPECT_NEAR(sensor.peak_power->value(), 300.0 + 10.0 * static_cast<double>(i), 0.5);
    EXPECT_EQ(sensor.clock_hertz->mean, 1980e6);
    EXPECT_EQ(sensor.temperature_celsius->highest, 61.0);
    EXPECT_EQ(sensor.facts.power_limit->value(), 700.0);
  }
  EXPECT_TRUE(record.warnings.empty());
}

TEST(MeterTest, IntegratesPowerWhereThereIsNoCounter) {
  for (const char* script : {"counter=0", "counter=0,instant=0"}) {
    const MeterRecord record = measure(script, 0.3);
    const SensorRecord& sensor = record.sensors.at(0);
    EXPECT_EQ(sensor.energy_source, EnergySource::integration);
    EXPECT_FALSE(sensor.energy_by_counter);
    EXPECT_NEAR(sensor.energy->value(), 300.0 * record.duration.value(), 3.0);
  }
}

TEST(MeterTest, ADeviceWithoutAnyFigureHasNoEnergyRatherThanZero) {
  for (const char* script : {"counter=0,instant=0,average=0", "permission=1"}) {
    const MeterRecord record = measure(script, 0.1);
    EXPECT_FALSE(record.sensors.at(0).energy);
    EXPECT_TRUE(warns(record, WarningCode::energy_not_measured));
  }
}

TEST(MeterTest, EndsTheEnergyWhereADeviceIsLostAndGoesOnWithTheOthers) {
  const MeterRecord record = measure("devices=2,lost_after=0.2", 0.5);
  EXPECT_TRUE(warns(record, WarningCode::sensor_lost));
  EXPECT_THAT(record.sensors[0].lost_because, HasSubstr("GPU is lost"));
  // The meter begins a little after the library, and a busy machine may be late to notice.
  EXPECT_GT(record.sensors[0].lost_at->value(), 0.1);
  EXPECT_LT(record.sensors[0].energy->value(), 300.0 * 0.21);
  EXPECT_NEAR(record.sensors[1].energy->value(), 310.0 * record.duration.value(), 15.0);
}

TEST(MeterTest, DoesNotWaitForADriverThatHangs) {
  const auto begin = std::chrono::steady_clock::now();
  const MeterRecord record = measure("devices=2,hang_after=0.1", 0.3);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took.count(), 30.0);
  EXPECT_TRUE(warns(record, WarningCode::sensor_hung));
  EXPECT_LT(record.sensors[0].covered.value(), 0.11);
  EXPECT_DOUBLE_EQ(record.sensors[1].covered.value(), record.duration.value());
}

TEST(MeterTest, FillsTheIntervalOfAResetFromThePower) {
  const MeterRecord record = measure("reset_after=0.2", 0.4);
  EXPECT_EQ(record.sensors[0].counter_resets, 1);
  EXPECT_TRUE(warns(record, WarningCode::counter_reset));
  EXPECT_NEAR(record.sensors[0].energy->value(), 300.0 * record.duration.value(), 15.0);
}

// 2^32 mJ are 4,294,967.296 J; from 20 J below, 300 W reach them after 67 ms.
TEST(MeterTest, GoesOnWhereACounterOf32BitsBeginsAgain) {
  const MeterRecord record = measure("wrap=1,start_joules=4294947.3", 0.4);
  EXPECT_EQ(record.sensors[0].counter_resets, 0);
  EXPECT_NEAR(record.sensors[0].energy->value(), 300.0 * record.duration.value(), 15.0);
}

TEST(MeterTest, TellsWhatSlowedADeviceDown) {
  // Bits 2 and 5 of NVML's mask: power cap and heat, as the driver's software sees it.
  const MeterRecord record = measure("throttle=36", 0.4);
  ASSERT_EQ(record.sensors[0].throttling.size(), 2U);
  EXPECT_EQ(record.sensors[0].throttling[0].reason, ThrottleReason::power_cap);
  EXPECT_EQ(record.sensors[0].throttling[1].reason, ThrottleReason::software_thermal);
  const double share = record.sensors[0].throttling[0].duration / record.duration;
  EXPECT_GT(share, 0.5);
  EXPECT_LT(share, 1.5);
  EXPECT_TRUE(warns(record, WarningCode::clocks_limited));
}

TEST(MeterTest, SaysThatAnInstanceSharesItsDevice) {
  EXPECT_TRUE(warns(measure("mig=1", 0.05), WarningCode::device_shared));
}

TEST(MeterTest, SplitsTheRecordAtMarks) {
  auto opened = open_sensors(fake(""));
  ASSERT_TRUE(opened);
  Meter meter(opened->sensors, {.interval = Seconds{0.02}});
  meter.feed_marks("begin whole\nbegin st");
  meter.feed_marks("ep\n");
  pass(0.2);
  meter.feed_marks("end step\nbegin step\n");
  pass(0.2);
  meter.feed_marks("end step\nnonsense\nend never\n");
  const MeterRecord record = meter.stop();
  ASSERT_EQ(record.segments.size(), 3U);
  ASSERT_EQ(record.summaries.size(), 2U);
  EXPECT_EQ(record.summaries[0].name, "step");
  EXPECT_EQ(record.summaries[0].count, 2);
  EXPECT_GE(record.summaries[0].duration.value(), 0.4);
  EXPECT_NEAR(record.summaries[0].energies.at(0).energy_by_integration->value(),
              300.0 * record.summaries[0].duration.value(), 1.0);
  EXPECT_TRUE(warns(record, WarningCode::mark_ignored));
  EXPECT_TRUE(warns(record, WarningCode::segment_not_ended));
}

TEST(MeterTest, ARestartSeparatesIdlenessFromTheRun) {
  auto opened = open_sensors(fake("power=80"));
  ASSERT_TRUE(opened);
  Meter meter(opened->sensors, {.interval = Seconds{0.02}});
  pass(0.2);
  const MeterRecord idle = meter.restart();
  pass(0.3);
  const MeterRecord run = meter.stop();
  EXPECT_GE(idle.duration.value(), 0.2);
  EXPECT_GE(run.duration.value(), 0.3);
  EXPECT_NEAR(idle.sensors[0].mean_power->value(), 80.0, 9.0);
  EXPECT_NEAR(run.sensors[0].energy_by_integration->value(), 80.0 * run.duration.value(), 0.5);
}

TEST(OpenSensorsTest, SaysWhatIsWrongWithTheDriver) {
  SensorOptions absent = fake("");
  absent.nvml_library = "/nonexistent/libnvidia-ml.so.1";
  EXPECT_THAT(open_sensors(absent).error().message, HasSubstr("no NVIDIA driver found"));
  SensorOptions old = fake("");
  old.nvml_library = JOULECAST_FAKE_NVML_OLD;
  ASSERT_TRUE(open_sensors(old));  // power alone is enough
  for (const auto& [script, message] :
       {std::pair{"init_error=9", "does not start"}, std::pair{"init_error=4", "does not start"},
        std::pair{"init_error=18", "does not start"}, std::pair{"devices=0", "sees no GPU"},
        std::pair{"hang_init=1", "has not answered"}}) {
    const auto opened = open_sensors(fake(script));
    ASSERT_FALSE(opened) << script;
    EXPECT_EQ(opened.error().kind, ErrorKind::hardware_absent) << script;
    EXPECT_THAT(opened.error().message, HasSubstr(message));
    EXPECT_FALSE(opened.error().remedy.empty());
  }
}

TEST(OpenSensorsTest, MeasuresTheDevicesThatTheProgramSees) {
  const auto ids = [](const char* script, const char* visible) {
    SensorOptions options = fake(script);
    options.devices.clear();
    options.visible_devices = visible;
    std::string text;
    const auto opened = open_sensors(options);
    if (!opened) return opened.error().message;
    for (const auto& sensor : opened->sensors) text += sensor->facts().id + " ";
    for (const Warning& warning : opened->warnings) {
      if (warning.subject != "cpu") text += std::string(to_string(warning.code)) + " ";
    }
    return text;
  };
  EXPECT_EQ(ids("devices=4", "2,0"), "gpu2 gpu0 ");
  EXPECT_EQ(ids("devices=4", "1,9,2"), "gpu1 device_not_measured ");  // CUDA stops at the 9
  EXPECT_EQ(ids("devices=4", "GPU-3"), "gpu3 ");
  EXPECT_EQ(ids("devices=4,mig=1", "MIG-1-of-gpu1"), "gpu1 ");
  EXPECT_EQ(ids("devices=4", "-1"), "CUDA_VISIBLE_DEVICES hides every GPU");
  EXPECT_EQ(ids("devices=2,mixed=1", "1"), "gpu1 device_order_uncertain ");
  EXPECT_EQ(ids("devices=2,open_error=4", "1"), "gpu1 sensor_not_readable ");
}

TEST(OpenSensorsTest, RefusesDevicesThatDoNotExist) {
  SensorOptions options = fake("devices=2");
  options.devices = {"0,gpu7"};
  const auto opened = open_sensors(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::not_found);
  EXPECT_THAT(opened.error().remedy, HasSubstr("gpu0, gpu1"));
}

}  // namespace
}  // namespace joulecast

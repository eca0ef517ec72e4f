// SPDX-License-Identifier: Apache-2.0
// GPUs of AMD and Intel, by the files that their kernel drivers put below /sys/class/hwmon:
// energy1_input in microjoules, power1_average or power1_input in microwatts, power1_cap in
// microwatts, freq1_input in hertz, temp1_input in millidegrees.
#include "metering/sysfs.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

struct Files {
  SysfsNumber energy{};
  SysfsNumber power{};
  SysfsNumber clock{};
  SysfsNumber memory_clock{};
  SysfsNumber temperature{};
};

class HwmonSensor final : public Sensor {
 public:
  HwmonSensor(SensorFacts facts, Files files)
      : facts_(std::move(facts)), files_(std::move(files)) {}

  [[nodiscard]] const SensorFacts& facts() const override { return facts_; }

  Result<SensorReading> read(bool everything) override {
    SensorReading reading{.at = monotonic_now()};
    if (const auto value = files_.energy.read()) reading.energy_counter = Joules{*value * 1e-6};
    if (const auto value = files_.power.read()) reading.power = Watts{*value * 1e-6};
    if (everything) {
      reading.clock_hertz = files_.clock.read();
      reading.memory_clock_hertz = files_.memory_clock.read();
      if (const auto value = files_.temperature.read()) reading.temperature_celsius = *value * 1e-3;
    }
    if (reading.energy_counter || reading.power) return reading;
    const int number =
        files_.energy.opened() ? files_.energy.error_number() : files_.power.error_number();
    const bool gone = number == ENODEV;
    return std::unexpected(
        Error{gone ? ErrorKind::hardware_absent : ErrorKind::io,
              fmt::format("the driver gives neither energy nor power: {}", std::strerror(number))});
  }

 private:
  SensorFacts facts_;
  Files files_;
};

// "PCI_SLOT_NAME=0000:03:00.0" of the device's uevent file tells two cards of one kind apart.
std::string slot_of(const std::filesystem::path& hwmon) {
  for (const std::string& line : read_lines(hwmon / "device/uevent")) {
    constexpr std::string_view key = "PCI_SLOT_NAME=";
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

PowerSource source_of(const Files& files, bool averaged) {
  if (files.power.opened()) return averaged ? PowerSource::average : PowerSource::instant;
  return files.energy.opened() ? PowerSource::counter : PowerSource::none;
}

}  // namespace

OpenedSensors open_hwmon_gpus(const std::filesystem::path& sysfs) {
  OpenedSensors opened;
  std::int64_t amd = 0;
  std::int64_t intel = 0;
  for (const auto& hwmon : list_numbered(sysfs / "class/hwmon", "hwmon")) {
    const std::string driver = read_line(hwmon / "name");
    const bool is_amd = driver == "amdgpu";
    if (!is_amd && driver != "i915" && driver != "xe") continue;
    Files files{.energy = SysfsNumber(hwmon / "energy1_input"),
                .power = SysfsNumber(hwmon / "power1_average"),
                .clock = SysfsNumber(hwmon / "freq1_input"),
                .memory_clock = SysfsNumber(hwmon / "freq2_input"),
                .temperature = SysfsNumber(hwmon / "temp1_input")};
    const bool averaged = files.power.opened();
    if (!averaged) files.power = SysfsNumber(hwmon / "power1_input");
    const std::string vendor = is_amd ? "amd" : "intel";
    const std::int64_t index = is_amd ? amd++ : intel++;
    const std::string slot = slot_of(hwmon);
    SensorFacts facts{.id = fmt::format("{}{}", vendor, index),
                      .kind = SensorKind::gpu,
                      .index = index,
                      .vendor = vendor,
                      .name = slot.empty() ? driver : fmt::format("{} at {}", driver, slot),
                      .uuid = slot,
                      .driver = fmt::format("hwmon ({})", driver),
                      .energy_counter = files.energy.opened(),
                      .power_source = source_of(files, averaged)};
    const std::string cap = is_amd ? "power1_cap" : "power1_max";
    if (const auto limit = SysfsNumber(hwmon / cap).read(); limit && *limit > 0.0) {
      facts.power_limit = Watts{*limit * 1e-6};
    }
    // A GPU without either figure may be an integrated one; it is told, and not measured.
    if (facts.power_source == PowerSource::none) {
      opened.warnings.push_back({WarningCode::sensor_not_readable, facts.id,
                                 fmt::format("{} has neither energy1_input nor power1_average "
                                             "that this user can read",
                                             hwmon.string())});
      continue;
    }
    opened.sensors.push_back(std::make_shared<HwmonSensor>(std::move(facts), std::move(files)));
  }
  return opened;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// RAPL through powercap: one folder per zone, `energy_uj` counts microjoules up to
// `max_energy_range_uj` and begins again at 0. Of the zones below a package only `dram` is not a
// part of the package's own figure. Intel and AMD processors have the same files.
#include "metering/sysfs.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

class PowercapSensor final : public Sensor {
 public:
  PowercapSensor(SensorFacts facts, SysfsNumber energy)
      : facts_(std::move(facts)), energy_(std::move(energy)) {}

  [[nodiscard]] const SensorFacts& facts() const override { return facts_; }

  Result<SensorReading> read(bool /*everything*/) override {
    const auto microjoules = energy_.read();
    if (!microjoules) {
      const bool gone = energy_.error_number() == ENODEV;
      return std::unexpected(Error{gone ? ErrorKind::hardware_absent : ErrorKind::io,
                                   fmt::format("the energy counter cannot be read: {}",
                                               std::strerror(energy_.error_number()))});
    }
    return SensorReading{.at = monotonic_now(), .energy_counter = Joules{*microjoules * 1e-6}};
  }

 private:
  SensorFacts facts_;
  SysfsNumber energy_;
};

void add_zone(OpenedSensors& opened, const std::filesystem::path& zone, SensorKind kind,
              std::int64_t index) {
  SysfsNumber energy(zone / "energy_uj");
  const std::string id = fmt::format("{}{}", to_string(kind), index);
  if (!energy.opened()) {
    const bool forbidden = energy.error_number() == EACCES || energy.error_number() == EPERM;
    opened.warnings.push_back(
        {WarningCode::sensor_not_readable, id,
         forbidden
             ? fmt::format("the kernel lets only root read {} (a defence against side channels); "
                           "`sudo chmod a+r {}` lifts that until the next start, a udev rule for "
                           "good",
                           (zone / "energy_uj").string(), (zone / "energy_uj").string())
             : fmt::format("{} cannot be opened: {}", (zone / "energy_uj").string(),
                           std::strerror(energy.error_number()))});
    return;
  }
  const auto range = SysfsNumber(zone / "max_energy_range_uj").read();
  SensorFacts facts{.id = id,
                    .kind = kind,
                    .index = index,
                    .name = read_line(zone / "name"),
                    .driver = "powercap (RAPL)",
                    .energy_counter = true,
                    .power_source = PowerSource::counter};
  if (range && *range > 0.0) facts.counter_range = Joules{*range * 1e-6};
  opened.sensors.push_back(std::make_shared<PowercapSensor>(std::move(facts), std::move(energy)));
}

}  // namespace

OpenedSensors open_powercap_sensors(const std::filesystem::path& sysfs) {
  OpenedSensors opened;
  std::int64_t packages = 0;
  std::int64_t memories = 0;
  // "intel-rapl:0" is a package and "intel-rapl:0:1" a part of it; "intel-rapl-mmio:0" is the same
  // package by another way, and "psys" the whole board, packages included.
  for (const auto& zone : list_numbered(sysfs / "class/powercap", "intel-rapl:")) {
    const std::string name = read_line(zone / "name");
    if (name.starts_with("package")) add_zone(opened, zone, SensorKind::cpu, packages++);
    if (name == "dram") add_zone(opened, zone, SensorKind::memory, memories++);
  }
  return opened;
}

}  // namespace joulecast

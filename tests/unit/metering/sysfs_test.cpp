// SPDX-License-Identifier: Apache-2.0
// Folders as Linux shows them below /sys, made for the test.
#include "metering/sysfs.hpp"
#include "../documents/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <unistd.h>

namespace joulecast {
namespace {

class SysfsTest : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) const {
    (void)folder_.write(path, text + "\n");
  }

  TemporaryDirectory folder_;
  const std::filesystem::path& root_ = folder_.path();
};

TEST_F(SysfsTest, ReadsPackagesAndMemoryButNotTheirParts) {
  const std::string zones = "class/powercap/intel-rapl:";
  for (const auto& [zone, name] :
       {std::pair{"0", "package-0"}, std::pair{"0:0", "core"}, std::pair{"0:1", "dram"},
        std::pair{"1", "package-1"}, std::pair{"2", "psys"}}) {
    put(zones + zone + "/name", name);
    put(zones + zone + "/energy_uj", "5000000");
    put(zones + zone + "/max_energy_range_uj", "262143328850");
  }
  put("class/powercap/intel-rapl-mmio:0/name", "package-0");
  const OpenedSensors opened = open_powercap_sensors(root_);
  ASSERT_EQ(opened.sensors.size(), 3U);
  EXPECT_EQ(opened.sensors[0]->facts().id, "cpu0");
  EXPECT_EQ(opened.sensors[1]->facts().id, "cpu1");
  EXPECT_EQ(opened.sensors[2]->facts().id, "memory0");
  EXPECT_DOUBLE_EQ(opened.sensors[0]->facts().counter_range->value(), 262143.328850);
  EXPECT_DOUBLE_EQ(opened.sensors[0]->read(true)->energy_counter->value(), 5.0);
  put(zones + "0/energy_uj", "7500000");
  EXPECT_DOUBLE_EQ(opened.sensors[0]->read(true)->energy_counter->value(), 7.5);
}

TEST_F(SysfsTest, SaysHowToReadWhatOnlyRootMayRead) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may read everything";
  const std::string zone = "class/powercap/intel-rapl:0/";
  put(zone + "name", "package-0");
  put(zone + "energy_uj", "1");
  std::filesystem::permissions(root_ / (zone + "energy_uj"), std::filesystem::perms::none);
  const OpenedSensors opened = open_powercap_sensors(root_);
  EXPECT_TRUE(opened.sensors.empty());
  ASSERT_EQ(opened.warnings.size(), 1U);
  EXPECT_THAT(opened.warnings[0].message, testing::HasSubstr("chmod a+r"));
}

TEST_F(SysfsTest, ReadsGpusOfAmdAndIntel) {
  put("class/hwmon/hwmon2/name", "amdgpu");
  put("class/hwmon/hwmon2/power1_average", "250000000");
  put("class/hwmon/hwmon2/power1_cap", "300000000");
  put("class/hwmon/hwmon2/freq1_input", "1700000000");
  put("class/hwmon/hwmon2/temp1_input", "65000");
  put("class/hwmon/hwmon2/device/uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0");
  put("class/hwmon/hwmon10/name", "xe");
  put("class/hwmon/hwmon10/energy1_input", "42000000");
  put("class/hwmon/hwmon3/name", "nvme");
  put("class/hwmon/hwmon4/name", "i915");  // integrated: no figure at all
  const OpenedSensors opened = open_hwmon_gpus(root_);
  ASSERT_EQ(opened.sensors.size(), 2U);
  EXPECT_EQ(opened.sensors[0]->facts().id, "amd0");
  EXPECT_EQ(opened.sensors[0]->facts().uuid, "0000:03:00.0");
  EXPECT_EQ(opened.sensors[0]->facts().power_source, PowerSource::average);
  const auto amd = opened.sensors[0]->read(true);
  EXPECT_DOUBLE_EQ(amd->power->value(), 250.0);
  EXPECT_DOUBLE_EQ(*amd->clock_hertz, 1.7e9);
  EXPECT_DOUBLE_EQ(*amd->temperature_celsius, 65.0);
  EXPECT_EQ(opened.sensors[1]->facts().id, "intel1");
  EXPECT_EQ(opened.sensors[1]->facts().power_source, PowerSource::counter);
  EXPECT_DOUBLE_EQ(opened.sensors[1]->read(true)->energy_counter->value(), 42.0);
  ASSERT_EQ(opened.warnings.size(), 1U);
}

TEST_F(SysfsTest, RefusesWhatIsNoNumber) {
  put("class/hwmon/hwmon0/name", "xe");
  put("class/hwmon/hwmon0/energy1_input", "nonsense");
  const OpenedSensors opened = open_hwmon_gpus(root_);
  EXPECT_FALSE(opened.sensors.at(0)->read(true));
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Users' own devices, from files beside the shipped ones.
#include <joulecast/device.hpp>

#include "../documents/temporary_directory.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace joulecast {
namespace {

using testing::HasSubstr;

Result<DeviceCatalogue> load(std::string_view text) {
  const TemporaryDirectory directory;
  return load_devices({directory.write("mine.toml", text)});
}

Device device_of(std::string_view text, std::string_view id) {
  const auto catalogue = load(text);
  EXPECT_TRUE(catalogue.has_value()) << describe(catalogue.error());
  return catalogue ? catalogue->find(id).value_or(Device{}) : Device{};
}

Error error_of(std::string_view text) {
  const auto catalogue = load(text);
  EXPECT_FALSE(catalogue.has_value()) << text;
  return catalogue ? Error{} : catalogue.error();
}

const std::string start = "schema_version = 1\n[[device]]\nid = 'mine'\n";
const std::string peaks = "peak_flops_per_second = { fp32 = 60e12, bf16 = 480e12 }\n";
const std::string sourced = start + "source = 'our sheet'\n" + peaks;

TEST(UserDevices, StandBesideTheShippedOnes) {
  const auto catalogue = load(sourced).value();
  EXPECT_EQ(catalogue.devices().size(), 63U);
  EXPECT_TRUE(catalogue.find("t4").has_value());
  const Device device = catalogue.find("Mine").value();
  EXPECT_EQ(device.name, "mine");
  EXPECT_THAT(device.file, HasSubstr("mine.toml"));
  EXPECT_EQ(find_peak(device, Precision::bf16)->value.value(), 480e12);
  EXPECT_EQ(find_peak(device, Precision::bf16)->source, "our sheet");
  EXPECT_FALSE(device.memory.has_value());
}

TEST(UserDevices, ReadEveryKey) {
  const Device device = device_of(
      sourced +
          "name = 'Mine 9'\nvendor = 'V'\narchitecture = 'A'\naliases = ['the fast one']\n"
          "launch_year = 2026\nconfidence = 'low'\nnotes = 'n'\nmemory_bytes = 96_000_000_000\n"
          "memory_bandwidth_bytes_per_second = 3e12\nmultiprocessors = 100\n"
          "l2_cache_bytes = 5e7\ninterconnect_bandwidth_bytes_per_second = 9e11\n"
          "interconnect_type = 'fast'\n"
          "thermal_design_power_watts = { value = 500, source = 'plate', unverified = true }\n",
      "the fast one");
  EXPECT_EQ(device.name, "Mine 9");
  EXPECT_EQ(device.launch_year, 2026);
  EXPECT_EQ(device.memory->value.value(), 96e9);
  EXPECT_EQ(device.memory_bandwidth->value.value(), 3e12);
  EXPECT_EQ(device.multiprocessors->value, 100.0);
  EXPECT_EQ(device.l2_cache->value.value(), 5e7);
  EXPECT_EQ(device.interconnect_bandwidth->value.value(), 9e11);
  EXPECT_EQ(device.interconnect_type, "fast");
  EXPECT_EQ(device.thermal_design_power->value.value(), 500.0);
  EXPECT_EQ(device.thermal_design_power->source, "plate");
  EXPECT_TRUE(device.thermal_design_power->unverified);
  EXPECT_FALSE(device.memory->unverified);
}

TEST(UserDevices, MayExtendAShippedOne) {
  const std::string text =
      "schema_version = 1\n[[device]]\nid = 'capped'\nextends = 'a100-80gb-pcie'\n"
      "thermal_design_power_watts = 250\npeak_flops_per_second = { tf32 = 1.5e14 }\n";
  const Device device = device_of(text, "capped");
  const Device parent = device_of(text, "a100-80gb-pcie");
  EXPECT_EQ(device.thermal_design_power->value.value(), 250.0);
  EXPECT_FALSE(device.thermal_design_power->source.empty());
  EXPECT_NE(device.thermal_design_power->source, parent.thermal_design_power->source);
  EXPECT_EQ(find_peak(device, Precision::tf32)->value.value(), 1.5e14);
  // What is not restated stays, with its source.
  EXPECT_EQ(find_peak(device, Precision::fp16)->value, find_peak(parent, Precision::fp16)->value);
  EXPECT_EQ(device.memory->source, parent.memory->source);
  EXPECT_EQ(device.vendor, "NVIDIA");
  EXPECT_NE(device.sha256, parent.sha256);
  // The parent itself is as it was, and its names still lead to it.
  EXPECT_EQ(parent.thermal_design_power->value.value(), 300.0);
  EXPECT_EQ(device_of(text, "NVIDIA A100 80GB PCIe").id, "a100-80gb-pcie");
}

TEST(UserDevices, MayExtendAnEarlierOneOfTheirOwn) {
  const Device device = device_of(sourced +
                                      "[[device]]\nid = 'second'\nextends = 'mine'\n"
                                      "memory_bytes = 1e10\n",
                                  "second");
  EXPECT_EQ(find_peak(device, Precision::fp32)->value.value(), 60e12);
  EXPECT_EQ(device.memory->value.value(), 1e10);
}

TEST(UserDevices, CannotExtendWhatIsNotThere) {
  const Error error =
      error_of("schema_version = 1\n[[device]]\nid = 'x'\nextends = 'a100-80gb-pci'\n");
  EXPECT_EQ(error.kind, ErrorKind::not_found);
  EXPECT_EQ(error.where.path, "device[0].extends");
  EXPECT_EQ(error.where.line, 4);
  EXPECT_THAT(error.remedy, HasSubstr("did you mean a100-80gb-pcie"));
  EXPECT_THAT(error_of("schema_version = 1\n[[device]]\nid = 'x'\nextends = ''\n").remedy,
              HasSubstr("joulecast devices"));
}

TEST(UserDevices, CannotTakeAnIdThatExists) {
  const Error shipped = error_of("schema_version = 1\n[[device]]\nid = 't4'\nextends = 't4'\n");
  EXPECT_EQ(shipped.kind, ErrorKind::value);
  EXPECT_EQ(shipped.where.path, "device[0].id");
  EXPECT_EQ(shipped.where.line, 3);
  EXPECT_THAT(shipped.message, HasSubstr("\"t4\" is taken"));
  EXPECT_EQ(error_of(sourced + "[[device]]\nid = 'mine'\nextends = 't4'\n").where.path,
            "device[1].id");
  const TemporaryDirectory directory;
  const auto twice =
      load_devices({directory.write("a.toml", sourced), directory.write("b.toml", sourced)});
  ASSERT_FALSE(twice.has_value());
  EXPECT_THAT(twice.error().where.file, HasSubstr("b.toml"));
}

// A prefix slipped by 1000 or left out leaves the range of any machine.
TEST(UserDevices, SlippedUnitsAreRefusedWithTheirPlace) {
  for (const char* line :
       {"memory_bytes = 80", "memory_bytes = 80_000_000_000_000_000",
        "memory_bandwidth_bytes_per_second = 1935", "memory_bandwidth_bytes_per_second = 1.9e18",
        "thermal_design_power_watts = 0.3", "thermal_design_power_watts = 300_000",
        "thermal_design_power_watts = -300", "thermal_design_power_watts = 0",
        "multiprocessors = 0", "multiprocessors = 1e6", "l2_cache_bytes = 40",
        "interconnect_bandwidth_bytes_per_second = 600", "memory_bytes = nan", "memory_bytes = inf",
        "memory_bytes = { value = 80, source = 's' }"}) {
    const Error error = error_of(sourced + line + "\n");
    EXPECT_EQ(error.kind, ErrorKind::value) << line;
    EXPECT_EQ(error.where.line, 6) << line;
    EXPECT_THAT(error.message, HasSubstr("must lie between")) << line;
    EXPECT_THAT(error.remedy, HasSubstr("unit"));
  }
  for (const char* rate : {"fp32 = 19.5", "fp32 = 19500", "tf32 = 1.56e20", "fp16 = nan"}) {
    const Error error =
        error_of(start + "source = 's'\npeak_flops_per_second = { " + rate + " }\n");
    EXPECT_EQ(error.kind, ErrorKind::value) << rate;
    EXPECT_THAT(error.where.path, HasSubstr("device[0].peak_flops_per_second."));
  }
}

TEST(UserDevices, AnUnknownKeyIsLocatedAndItsNearestKnownNamed) {
  const Error key = error_of(sourced + "thermal_design_power = 300\n");
  EXPECT_EQ(key.kind, ErrorKind::schema);
  EXPECT_EQ(key.where.path, "device[0].thermal_design_power");
  EXPECT_EQ(key.where.line, 6);
  EXPECT_THAT(key.remedy, HasSubstr("did you mean thermal_design_power_watts"));
  const Error precision =
      error_of(start + "source = 's'\npeak_flops_per_second = { fp23 = 1e12 }\n");
  EXPECT_EQ(precision.where.path, "device[0].peak_flops_per_second.fp23");
  EXPECT_EQ(error_of(sourced + "memory_bytes = { value = 1e10, unit = 'GB' }\n").where.path,
            "device[0].memory_bytes.unit");
  EXPECT_EQ(error_of("[[devices]]\nid = 'x'\n").where.path, "schema_version");
  EXPECT_EQ(error_of("schema_version = 1\n[[devices]]\nid = 'x'\n").where.path, "devices");
}

TEST(UserDevices, MustStateIdSourceAndAPeak) {
  const Error id = error_of("schema_version = 1\n[[device]]\nsource = 's'\n" + peaks);
  EXPECT_EQ(id.where.path, "device[0].id");
  EXPECT_EQ(id.where.line, 2);
  EXPECT_EQ(error_of("schema_version = 1\n[[device]]\nid = ''\nsource = 's'\n" + peaks).where.path,
            "device[0].id");
  EXPECT_EQ(error_of(start + peaks).where.path, "device[0].source");
  const Error peak = error_of(start + "source = 's'\n");
  EXPECT_EQ(peak.where.path, "device[0].peak_flops_per_second");
  EXPECT_THAT(peak.remedy, HasSubstr("fp32 ="));
  EXPECT_EQ(error_of(start + "source = 's'\npeak_flops_per_second = {}\n").kind, ErrorKind::schema);
}

TEST(UserDevices, RefuseWrongTypesAndVersions) {
  EXPECT_EQ(error_of("schema_version = 2\n").where.path, "schema_version");
  EXPECT_EQ(error_of("schema_version = '1'\n").kind, ErrorKind::schema);
  EXPECT_EQ(error_of(sourced + "aliases = 'x'\n").kind, ErrorKind::schema);
  EXPECT_EQ(error_of(sourced + "memory_bytes = '80 GB'\n").kind, ErrorKind::schema);
  EXPECT_EQ(error_of(sourced + "launch_year = 0\n").kind, ErrorKind::value);
  EXPECT_EQ(error_of("schema_version = 1\ndevice = 3\n").where.path, "device");
  EXPECT_EQ(error_of(start + "source = 's'\npeak_flops_per_second = 1e12\n").kind,
            ErrorKind::schema);
}

TEST(UserDevices, FilesThatCannotBeReadAreNamed) {
  EXPECT_EQ(load_devices({"/nonexistent/devices.toml"}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(load_devices({"/"}).error().kind, ErrorKind::io);
  const Error broken = error_of("schema_version = 1\n[[device]\n");
  EXPECT_EQ(broken.kind, ErrorKind::syntax);
  EXPECT_THAT(broken.where.file, HasSubstr("mine.toml"));
  EXPECT_EQ(broken.where.line, 2);
}

TEST(UserDevices, TheExampleFileIsSound) {
  const auto catalogue =
      load_devices({std::filesystem::path(JOULECAST_SOURCE_DIR) / "examples/own_devices.toml"});
  ASSERT_TRUE(catalogue.has_value()) << describe(catalogue.error());
  EXPECT_EQ(catalogue->find("a100-80gb-pcie-250w")->thermal_design_power->value.value(), 250.0);
}

TEST(UserDevices, TheHashStandsForTheFactsThatPredictionsUse) {
  const std::string hash = device_of(sourced, "mine").sha256;
  EXPECT_EQ(device_of(sourced + "notes = 'other words'\n", "mine").sha256, hash);
  for (const char* line :
       {"memory_bytes = 1e10", "memory_bandwidth_bytes_per_second = 1e12",
        "thermal_design_power_watts = 100", "multiprocessors = 10", "l2_cache_bytes = 1e6"}) {
    EXPECT_NE(device_of(sourced + line + "\n", "mine").sha256, hash) << line;
  }
}

}  // namespace
}  // namespace joulecast

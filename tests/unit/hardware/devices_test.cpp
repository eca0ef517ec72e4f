// SPDX-License-Identifier: Apache-2.0
// The shipped accelerators; tests/unit/hardware/user_devices_test.cpp has the users' own.
#include <joulecast/device.hpp>

#include "hardware/shipped_device.hpp"

#include "documents/csv.hpp"

#include <array>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <set>
#include <string>

namespace joulecast {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Not;

const DeviceCatalogue& shipped() {
  static const DeviceCatalogue catalogue = load_devices().value();
  return catalogue;
}

std::string found(std::string_view name) {
  const auto device = shipped().find(name);
  return device ? device->id : describe(device.error());
}

TEST(ShippedDevices, Are62WithDistinctIds) {
  std::set<std::string> ids;
  for (const Device& device : shipped().devices()) {
    ids.insert(device.id);
    EXPECT_EQ(device.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
              std::string::npos)
        << device.id;
  }
  EXPECT_EQ(shipped().devices().size(), 62U);
  EXPECT_EQ(ids.size(), 62U);
}

// The short way to one device leads to the same facts and texts as the whole table.
TEST(ShippedDevices, AreTheSameWhenLookedUpAlone) {
  for (const Device& device : shipped().devices()) {
    const auto alone = find_shipped_device(device.id);
    ASSERT_TRUE(alone) << device.id;
    EXPECT_EQ(alone->sha256, device.sha256);
    EXPECT_EQ(alone->name, device.name);
    EXPECT_EQ(alone->vendor, device.vendor);
    EXPECT_EQ(alone->architecture, device.architecture);
    EXPECT_EQ(alone->aliases, device.aliases);
    EXPECT_EQ(alone->notes, device.notes);
    EXPECT_EQ(alone->file, device.file);
    EXPECT_EQ(find_device(device.name)->id, device.id);
  }
  EXPECT_FALSE(find_shipped_device("a100-80gb"));
  EXPECT_EQ(find_device("no such device").error(), shipped().find("no such device").error());
}

TEST(ShippedDevices, SayWhatTheyAre) {
  for (const Device& device : shipped().devices()) {
    EXPECT_FALSE(device.name.empty() || device.vendor.empty() || device.architecture.empty())
        << device.id;
    EXPECT_THAT(device.confidence, testing::AnyOf("high", "medium", "low")) << device.id;
    EXPECT_GE(device.launch_year, 2014) << device.id;
    EXPECT_EQ(device.file, "shipped");
    EXPECT_FALSE(device.peak_flops_per_second.empty()) << device.id;
    EXPECT_TRUE(device.memory && device.memory_bandwidth) << device.id;
  }
}

template <class Q>
void expect_sourced(const std::optional<Figure<Q>>& figure, const std::string& id) {
  EXPECT_TRUE(!figure || !figure->source.empty()) << id;
}

TEST(ShippedDevices, EveryFigureHasASource) {
  for (const Device& device : shipped().devices()) {
    for (const auto& [precision, figure] : device.peak_flops_per_second) {
      EXPECT_FALSE(figure.source.empty()) << device.id << " " << to_string(precision);
    }
    expect_sourced(device.memory, device.id);
    expect_sourced(device.memory_bandwidth, device.id);
    expect_sourced(device.thermal_design_power, device.id);
    expect_sourced(device.multiprocessors, device.id);
    expect_sourced(device.l2_cache, device.id);
    expect_sourced(device.interconnect_bandwidth, device.id);
  }
}

// On every accelerator a narrower format is at least as fast: the units are the same or more.
TEST(ShippedDevices, NarrowerFormatsAreNeverSlower) {
  constexpr std::array order{Precision::fp32, Precision::tf32, Precision::fp16, Precision::fp8,
                             Precision::fp4};
  for (const Device& device : shipped().devices()) {
    double slowest = 0.0;
    for (const Precision precision : order) {
      const auto peak = find_peak(device, precision);
      if (!peak) continue;
      EXPECT_GE(peak->value.value(), slowest) << device.id << " " << to_string(precision);
      slowest = peak->value.value();
    }
  }
}

TEST(ShippedDevices, AreFoundByIdNameAndEveryAlias) {
  for (const Device& device : shipped().devices()) {
    EXPECT_EQ(found(device.id), device.id);
    EXPECT_EQ(found(device.name), device.id);
    EXPECT_EQ(found(device.vendor + " " + device.id), device.id);
    for (const std::string& alias : device.aliases) EXPECT_EQ(found(alias), device.id) << alias;
  }
}

TEST(ShippedDevices, AreFoundHoweverTheNameIsWritten) {
  for (const char* name : {"a100-80gb-pcie", "A100-80GB-PCIE", "a100 80gb pcie", "A100_80GB_PCIe",
                           "NVIDIA A100 80GB PCIe", "nvidia a100-80gb-pcie", "A100-PCIE-80GB",
                           "NVIDIA A100-PCIE-80GB"}) {
    EXPECT_EQ(found(name), "a100-80gb-pcie") << name;
  }
  for (const char* name : {"rtx-3090", "RTX 3090", "GeForce RTX 3090", "NVIDIA GeForce RTX 3090"}) {
    EXPECT_EQ(found(name), "rtx-3090") << name;
  }
  EXPECT_EQ(found("NVIDIA Tesla T4"), "t4");
  EXPECT_EQ(found("AMD Instinct MI300X"), "mi300x");
}

TEST(ShippedDevices, AnUnknownNameIsToldTheNearestOnes) {
  const auto typo = shipped().find("a100-80gb-pice");
  ASSERT_FALSE(typo.has_value());
  EXPECT_EQ(typo.error().kind, ErrorKind::not_found);
  EXPECT_EQ(typo.error().where.path, "--gpu");
  EXPECT_THAT(typo.error().message, HasSubstr("\"a100-80gb-pice\""));
  EXPECT_THAT(typo.error().remedy, HasSubstr("did you mean a100-80gb-pcie"));
  // Ambiguous: four devices are an A100, and none is taken silently.
  EXPECT_THAT(shipped().find("A100").error().remedy, HasSubstr("a100-40gb-pcie"));
}

TEST(ShippedDevices, ANameThatResemblesNoneIsToldWhereToLook) {
  for (const char* name : {"", " ", "nvidia", "abacus", "\xFF\xFE"}) {
    const auto device = shipped().find(name);
    ASSERT_FALSE(device.has_value()) << name;
    EXPECT_THAT(device.error().remedy, HasSubstr("joulecast devices"));
  }
  const auto hostile = shipped().find(std::string(1'000'000, 'a'));
  EXPECT_LT(hostile.error().message.size(), 200U);
}

// NVIDIA's A100 data sheet: 19.5, 156, 312 and 624 T per second, dense.
TEST(ShippedDevices, HaveThePeaksOfTheDataSheet) {
  const Device device = shipped().find("a100-80gb-pcie").value();
  EXPECT_EQ(find_peak(device, Precision::fp32)->value.value(), 19.5e12);
  EXPECT_EQ(find_peak(device, Precision::tf32)->value.value(), 156e12);
  EXPECT_EQ(find_peak(device, Precision::bf16)->value.value(), 312e12);
  EXPECT_EQ(find_peak(device, Precision::int8)->value.value(), 624e12);
  EXPECT_EQ(device.memory->value.value(), 80e9);
  EXPECT_EQ(device.thermal_design_power->value.value(), 300.0);
}

TEST(ShippedDevices, APrecisionTheDeviceLacksIsRefusedNamingThoseItHas) {
  const auto peak = find_peak(shipped().find("v100-sxm2-16gb").value(), Precision::bf16);
  ASSERT_FALSE(peak.has_value());
  EXPECT_EQ(peak.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(peak.error().where.path, "--precision");
  EXPECT_THAT(peak.error().message, HasSubstr("v100-sxm2-16gb has no bf16"));
  EXPECT_THAT(peak.error().remedy, HasSubstr("fp32, fp16"));
  EXPECT_THAT(peak.error().remedy, Not(HasSubstr("bf16")));
}

TEST(ShippedDevices, HaveHashesOfTheirOwnThatStayTheSame) {
  std::set<std::string> hashes;
  const auto again = load_devices().value();
  for (std::size_t i = 0; i < again.devices().size(); ++i) {
    hashes.insert(again.devices()[i].sha256);
    EXPECT_EQ(again.devices()[i].sha256, shipped().devices()[i].sha256);
  }
  EXPECT_EQ(hashes.size(), again.devices().size());
  EXPECT_THAT(hashes, Each(testing::SizeIs(64)));
}

// A column of the reference table, the factor to SI and where the figure lies in a device.
struct SpecColumn {
  const char* column;
  double factor;
  std::optional<double> (*figure)(const Device&);
};

template <Precision precision>
std::optional<double> peak_of(const Device& device) {
  const auto peak = find_peak(device, precision);
  return peak ? std::optional(peak->value.value()) : std::nullopt;
}

constexpr std::array spec_columns{
    SpecColumn{"fp32_tflops", 1e12, peak_of<Precision::fp32>},
    SpecColumn{"tf32_tensor_dense_tflops", 1e12, peak_of<Precision::tf32>},
    SpecColumn{"fp16_tensor_dense_tflops", 1e12, peak_of<Precision::fp16>},
    SpecColumn{"bf16_tensor_dense_tflops", 1e12, peak_of<Precision::bf16>},
    SpecColumn{"fp8_tensor_dense_tflops", 1e12, peak_of<Precision::fp8>},
    SpecColumn{"fp4_tensor_dense_tflops", 1e12, peak_of<Precision::fp4>},
    SpecColumn{"int8_dense_tops", 1e12, peak_of<Precision::int8>},
    SpecColumn{"memory_gb", 1e9,
               [](const Device& d) { return std::optional(d.memory->value.value()); }},
    SpecColumn{"mem_bandwidth_gbs", 1e9,
               [](const Device& d) { return std::optional(d.memory_bandwidth->value.value()); }},
    SpecColumn{"tdp_w", 1.0, [](const Device& d) {
                 return d.thermal_design_power.transform(
                     [](const auto& figure) { return figure.value.value(); });
               }}};

// The table that the device file was made from, cell by cell.
TEST(ShippedDevices, AgreeWithTheReferenceTable) {
  const std::string path = JOULECAST_SOURCE_DIR "/../shared/reference/gpu_specs.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the reference table is not here";
  const CsvTable table = read_csv_file(path).value();
  ASSERT_EQ(table.row_count(), shipped().devices().size());
  const auto ids = table.texts("id").value();
  for (std::size_t row = 0; row < ids.size(); ++row) {
    const Device device = shipped().find(ids[row]).value();
    for (const SpecColumn& spec : spec_columns) {
      const std::string cell(table.texts(spec.column).value()[row]);
      if (cell.empty()) continue;
      const auto figure = spec.figure(device);
      ASSERT_TRUE(figure.has_value()) << device.id << " " << spec.column;
      EXPECT_NEAR(*figure, std::stod(cell) * spec.factor, 1e-9 * *figure)
          << device.id << " " << spec.column;
    }
  }
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What does it run on? Accelerators as data-sheet facts, each figure with its source.

#include <joulecast/error.hpp>
#include <joulecast/quantities.hpp>
#include <joulecast/training.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// A fact and where it comes from. `unverified` marks figures for which no checkable source is
// known; using one is a warning.
template <class Q>
struct Figure {
  Q value{};
  std::string source{};
  bool unverified = false;
};

struct Device {
  std::string id{};
  std::string name{};
  std::string vendor{};
  std::string architecture{};
  std::vector<std::string> aliases{};
  std::int64_t launch_year = 0;
  std::string confidence{};  // "high", "medium" or "low": how sure the figures are as a whole
  // Dense rates, without structured sparsity. A precision that is absent is not to be had.
  std::map<Precision, Figure<FlopsPerSecond>> peak_flops_per_second{};
  std::optional<Figure<Bytes>> memory{};
  std::optional<Figure<BytesPerSecond>> memory_bandwidth{};
  std::optional<Figure<Watts>> thermal_design_power{};
  std::optional<Figure<double>> multiprocessors{};                // SMs or compute units
  std::optional<Figure<double>> fp32_cores_per_multiprocessor{};  // each 2 FLOP a cycle
  std::optional<Figure<Bytes>> l2_cache{};
  std::optional<Figure<BytesPerSecond>> interconnect_bandwidth{};  // both directions together
  std::string interconnect_type{};
  std::string notes{};
  std::string file{};    // "shipped", or the user's file
  std::string sha256{};  // of the facts that predictions use
};

class DeviceCatalogue {
 public:
  explicit DeviceCatalogue(std::vector<Device> devices) : devices_(std::move(devices)) {}

  [[nodiscard]] const std::vector<Device>& devices() const { return devices_; }

  // By id, name or alias; case, blanks, dashes and a leading vendor name do not matter.
  // Errors: not_found, with the nearest ids.
  [[nodiscard]] Result<Device> find(std::string_view name) const;

 private:
  std::vector<Device> devices_;
};

// The shipped accelerators, followed by those of the user's files. A user's device may extend a
// shipped one (`extends = "a100-80gb-pcie"`) and may not take an id that exists.
Result<DeviceCatalogue> load_devices(const std::vector<std::filesystem::path>& user_files = {});

// What load_devices(user_files) finds under this name. An id of a shipped accelerator is looked up
// alone where there are no files, since reading the whole table takes longer than a prediction.
// Errors: those of load_devices and of DeviceCatalogue::find.
Result<Device> find_device(std::string_view name,
                           const std::vector<std::filesystem::path>& user_files = {});

// The peak of a precision. Errors: unsupported, naming the precisions the device has.
Result<Figure<FlopsPerSecond>> find_peak(const Device& device, Precision precision);

}  // namespace joulecast

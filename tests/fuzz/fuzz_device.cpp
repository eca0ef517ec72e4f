// SPDX-License-Identifier: Apache-2.0
// A user's device file: an error, or devices whose every figure is a positive finite number.
#include "scratch_file.hpp"

#include <joulecast/device.hpp>

#include <cmath>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFile file("devices.toml");
  file.write(data, size);
  const auto catalogue = joulecast::load_devices({file.path()});
  if (!catalogue) {
    if (catalogue.error().message.empty() || catalogue.error().where.file.empty()) std::abort();
    return 0;
  }
  for (const joulecast::Device& device : catalogue->devices()) {
    if (device.id.empty() || device.peak_flops_per_second.empty()) std::abort();
    for (const auto& [precision, peak] : device.peak_flops_per_second) {
      if (!std::isfinite(peak.value.value()) || peak.value.value() <= 0.0) std::abort();
    }
  }
  return 0;
}

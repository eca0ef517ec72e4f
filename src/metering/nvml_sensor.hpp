// SPDX-License-Identifier: Apache-2.0
#pragma once

// NVIDIA GPUs, through NVML.

#include <joulecast/meter.hpp>

#include <string>
#include <vector>

namespace joulecast {

// An entry of CUDA_VISIBLE_DEVICES or --devices that means an NVIDIA GPU.
struct GpuName {
  std::optional<std::int64_t> index{};
  std::string uuid{};  // or the beginning of one, "GPU-..." or "MIG-..."
};

// As CUDA reads the variable: entries up to the first that names no device.
// Source: CUDA C++ Programming Guide, section "CUDA Environment Variables".
std::vector<GpuName> parse_visible_devices(std::string_view text);
std::optional<GpuName> parse_gpu_name(std::string_view word);

struct NvmlSensors {
  std::vector<std::shared_ptr<Sensor>> sensors{};  // in the driver's order
  std::vector<Warning> warnings{};
};

// All GPUs of the machine. Errors: hardware_absent.
Result<NvmlSensors> open_nvml_sensors(const std::string& library);

// The sensor of a name, -1 where there is none, -2 where a beginning fits several. An instance
// (MIG) means the GPU that it is a part of.
inline constexpr int no_sensor = -1;
inline constexpr int several_sensors = -2;
int find_nvml_sensor(const NvmlSensors& all, const GpuName& name);

}  // namespace joulecast

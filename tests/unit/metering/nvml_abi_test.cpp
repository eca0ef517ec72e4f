// SPDX-License-Identifier: Apache-2.0
// Where NVIDIA's own header is at hand, our declarations are compared with it.
#include "metering/nvml_api.hpp"

#include <gtest/gtest.h>

#if __has_include(<nvml.h>)
#include <nvml.h>

#include <cstddef>
#include <type_traits>

namespace joulecast::nvml {

static_assert(success == NVML_SUCCESS && not_supported == NVML_ERROR_NOT_SUPPORTED);
static_assert(no_permission == NVML_ERROR_NO_PERMISSION && gpu_is_lost == NVML_ERROR_GPU_IS_LOST);
static_assert(driver_not_loaded == NVML_ERROR_DRIVER_NOT_LOADED);
static_assert(version_mismatch == NVML_ERROR_LIB_RM_VERSION_MISMATCH);
static_assert(reset_required == NVML_ERROR_RESET_REQUIRED);
static_assert(clock_sm == NVML_CLOCK_SM && clock_memory == NVML_CLOCK_MEM);
static_assert(temperature_gpu == NVML_TEMPERATURE_GPU);
static_assert(sizeof(FieldValue) == sizeof(nvmlFieldValue_t));
static_assert(offsetof(FieldValue, value) == offsetof(nvmlFieldValue_t, value));
static_assert(offsetof(FieldValue, result) == offsetof(nvmlFieldValue_t, nvmlReturn));
static_assert(sizeof(Device) == sizeof(nvmlDevice_t) && sizeof(Code) == sizeof(nvmlReturn_t));
#ifdef NVML_FI_DEV_POWER_INSTANT
static_assert(field_power_instant == NVML_FI_DEV_POWER_INSTANT);
#endif

}  // namespace joulecast::nvml
#endif

TEST(NvmlAbiTest, AgreesWithTheHeader) {
#if __has_include(<nvml.h>)
  SUCCEED() << "compiled against nvml.h";
#else
  GTEST_SKIP() << "no nvml.h on this machine";
#endif
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of NVIDIA's management library (NVML) that the meter calls, opened at run time: the
// header and the library belong to the driver, and neither is needed to build.
//
// Values and layouts are those of NVML's stable C interface (NVML API reference guide, release
// 580); tests/unit/metering/nvml_abi_test.cpp compares them with nvml.h where there is one.

#include <joulecast/error.hpp>

#include <memory>
#include <string>

namespace joulecast::nvml {

enum Code : int {
  success = 0,
  uninitialized = 1,
  invalid_argument = 2,
  not_supported = 3,
  no_permission = 4,
  not_found = 6,
  driver_not_loaded = 9,
  timeout = 10,
  library_not_found = 12,
  function_not_found = 13,
  gpu_is_lost = 15,
  reset_required = 16,
  version_mismatch = 18,
  unknown_error = 999,
};

using Device = struct nvmlDevice_st*;

inline constexpr unsigned clock_sm = 1;
inline constexpr unsigned clock_memory = 2;
inline constexpr unsigned temperature_gpu = 0;
inline constexpr unsigned field_power_instant = 186;  // NVML_FI_DEV_POWER_INSTANT, in milliwatts
inline constexpr unsigned name_size = 96;
inline constexpr unsigned uuid_size = 96;
inline constexpr unsigned version_size = 80;

struct FieldValue {
  unsigned field_id;
  unsigned scope_id;
  long long timestamp_microseconds;
  long long latency_microseconds;
  int value_type;
  int result;
  union {
    double as_double;
    int as_int;
    unsigned as_unsigned;
    unsigned long long as_unsigned_long_long;
  } value;
};

enum ValueType : int {
  type_double = 0,
  type_unsigned = 1,
  type_unsigned_long = 2,
  type_unsigned_long_long = 3,
  type_long_long = 4,
  type_int = 5
};

// Functions that a driver lacks are null.
struct Api {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  const char* (*error_text)(int) = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;
  int (*device_count)(unsigned*) = nullptr;
  int (*device_by_index)(unsigned, Device*) = nullptr;
  int (*device_by_uuid)(const char*, Device*) = nullptr;
  int (*parent_of_instance)(Device, Device*) = nullptr;
  int (*index)(Device, unsigned*) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*uuid)(Device, char*, unsigned) = nullptr;
  int (*total_energy)(Device, unsigned long long*) = nullptr;  // millijoules
  int (*power_usage)(Device, unsigned*) = nullptr;             // milliwatts
  int (*field_values)(Device, int, FieldValue*) = nullptr;
  int (*power_limit)(Device, unsigned*) = nullptr;                     // milliwatts
  int (*clock)(Device, unsigned, unsigned*) = nullptr;                 // megahertz
  int (*temperature)(Device, unsigned, unsigned*) = nullptr;           // degrees Celsius
  int (*clock_reasons)(Device, unsigned long long*) = nullptr;         // since driver 535
  int (*clock_reasons_before)(Device, unsigned long long*) = nullptr;  // until driver 535
  int (*instance_mode)(Device, unsigned*, unsigned*) = nullptr;
};

// Opens and initialises the library, for the rest of the process. Errors: hardware_absent, with
// what is missing and how to mend it.
Result<std::shared_ptr<const Api>> open(const std::string& library);

// "GPU is lost (NVML error 15)".
std::string text_of(const Api& api, int code);

}  // namespace joulecast::nvml

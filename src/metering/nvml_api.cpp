// SPDX-License-Identifier: Apache-2.0
#include "metering/nvml_api.hpp"

#include <utility>

#include <dlfcn.h>

#include <fmt/format.h>

namespace joulecast::nvml {
namespace {

constexpr const char* cpu_remedy =
    "run where an NVIDIA GPU and its driver are, or measure the "
    "processor alone with --devices cpu";

template <class Function>
void load(void* library, const char* name, Function*& function) {
  // POSIX guarantees that a function's address survives the way through void*.
  function = reinterpret_cast<Function*>(dlsym(library, name));
}

Api load_all(void* library) {
  Api api;
  load(library, "nvmlInit_v2", api.init);
  load(library, "nvmlShutdown", api.shutdown);
  load(library, "nvmlErrorString", api.error_text);
  load(library, "nvmlSystemGetDriverVersion", api.driver_version);
  load(library, "nvmlDeviceGetCount_v2", api.device_count);
  load(library, "nvmlDeviceGetHandleByIndex_v2", api.device_by_index);
  load(library, "nvmlDeviceGetHandleByUUID", api.device_by_uuid);
  load(library, "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", api.parent_of_instance);
  load(library, "nvmlDeviceGetIndex", api.index);
  load(library, "nvmlDeviceGetName", api.name);
  load(library, "nvmlDeviceGetUUID", api.uuid);
  load(library, "nvmlDeviceGetTotalEnergyConsumption", api.total_energy);
  load(library, "nvmlDeviceGetPowerUsage", api.power_usage);
  load(library, "nvmlDeviceGetFieldValues", api.field_values);
  load(library, "nvmlDeviceGetEnforcedPowerLimit", api.power_limit);
  load(library, "nvmlDeviceGetClockInfo", api.clock);
  load(library, "nvmlDeviceGetTemperature", api.temperature);
  load(library, "nvmlDeviceGetCurrentClocksEventReasons", api.clock_reasons);
  load(library, "nvmlDeviceGetCurrentClocksThrottleReasons", api.clock_reasons_before);
  load(library, "nvmlDeviceGetMigMode", api.instance_mode);
  return api;
}

std::unexpected<Error> absent(std::string message, const std::string& library, std::string remedy) {
  return std::unexpected(Error{ErrorKind::hardware_absent, std::move(message),
                               Location{.file = library}, std::move(remedy)});
}

std::string remedy_for(int code) {
  switch (code) {
    case driver_not_loaded:
      return "load the kernel module (`sudo modprobe nvidia`; `nvidia-smi` must answer)";
    case no_permission:
      return "let this user open /dev/nvidia*, e.g. by the group that owns them; in a container, "
             "start it with the GPUs";
    case version_mismatch:
      return "library and kernel module are of different driver versions: restart the machine "
             "after a driver update";
    case library_not_found: return "install the driver's libraries again";
    default: return "see whether `nvidia-smi` answers";
  }
}

}  // namespace

std::string text_of(const Api& api, int code) {
  const char* text = api.error_text == nullptr ? nullptr : api.error_text(code);
  return fmt::format("{} (NVML error {})", text == nullptr ? "unknown error" : text, code);
}

Result<std::shared_ptr<const Api>> open(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return absent("no NVIDIA driver found: its library cannot be opened", library, cpu_remedy);
  }
  auto api = std::make_shared<Api>(load_all(handle));
  const bool usable = api->init != nullptr && api->device_count != nullptr &&
                      api->device_by_index != nullptr && api->power_usage != nullptr;
  if (!usable) {
    dlclose(handle);
    return absent("the NVIDIA driver is too old: its library lacks functions that are needed",
                  library, "update the driver to release 450 or later");
  }
  // The library stays open: threads may still be inside a call that does not return.
  if (const int code = api->init(); code != success) {
    return absent(fmt::format("the NVIDIA driver does not start: {}", text_of(*api, code)), library,
                  remedy_for(code));
  }
  return std::shared_ptr<const Api>(std::move(api));
}

}  // namespace joulecast::nvml

// SPDX-License-Identifier: Apache-2.0
// A stand-in for NVIDIA's library, with the faults that real machines have. The variable FAKE_NVML
// says what it does: "devices=2,power=300,hang_after=0.3", see `Script`. Device i draws `power` +
// 10 i watts, so that its energy is known; its counter advances in steps of 20 ms.
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <string_view>

namespace {

constexpr int success = 0;
constexpr int invalid_argument = 2;
constexpr int not_supported = 3;
constexpr int no_permission = 4;
constexpr int not_found = 6;
constexpr int gpu_is_lost = 15;

struct Script {
  double devices = 1;
  double power = 300;         // watts
  double counter = 1;         // 0: not supported
  double instant = 1;         // 0: field 186 not supported
  double average = 1;         // 0: power usage not supported
  double init_error = 0;      // what nvmlInit_v2 returns
  double open_error = 0;      // what opening device 0 returns
  double permission = 0;      // 1: counter and power are refused
  double lost_after = 1e9;    // seconds until device 0 is gone
  double hang_after = 1e9;    // seconds until a reading of device 0 does not return
  double hang_init = 0;       // 1: nvmlInit_v2 does not return
  double reset_after = 1e9;   // seconds until the counter begins at 0
  double start_joules = 1e6;  // what the counter shows at first
  double wrap = 0;            // 1: the counter has 32 bits
  double throttle = 0;        // the mask of reasons
  double mig = 0;
  double mixed = 0;  // 1: device 1 is another model
};

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double begun = 0;
Script script;

void read_script() {
  script = Script{};
  const std::map<std::string_view, double*> keys = {{"devices", &script.devices},
                                                    {"power", &script.power},
                                                    {"counter", &script.counter},
                                                    {"instant", &script.instant},
                                                    {"average", &script.average},
                                                    {"init_error", &script.init_error},
                                                    {"open_error", &script.open_error},
                                                    {"permission", &script.permission},
                                                    {"lost_after", &script.lost_after},
                                                    {"hang_after", &script.hang_after},
                                                    {"hang_init", &script.hang_init},
                                                    {"reset_after", &script.reset_after},
                                                    {"start_joules", &script.start_joules},
                                                    {"wrap", &script.wrap},
                                                    {"throttle", &script.throttle},
                                                    {"mig", &script.mig},
                                                    {"mixed", &script.mixed}};
  const char* text = std::getenv("FAKE_NVML");
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find(','));
    rest.remove_prefix(pair.size() < rest.size() ? pair.size() + 1 : rest.size());
    const std::size_t equals = pair.find('=');
    const auto found = keys.find(pair.substr(0, equals));
    if (found == keys.end()) std::abort();  // a test that misspells its script
    *found->second = std::stod(std::string(pair.substr(equals + 1)));
  }
}

[[noreturn]] void hang() {
  for (;;) {
    const timespec long_time{.tv_sec = 1000, .tv_nsec = 0};
    nanosleep(&long_time, nullptr);
  }
}

// Handles are the index and one, so that none is null.
unsigned index_of(void* device) {
  return static_cast<unsigned>(reinterpret_cast<std::size_t>(device)) - 1;
}
void* handle_of(unsigned index) { return reinterpret_cast<void*>(std::size_t{index} + 1); }

double watts_of(void* device) { return script.power + 10.0 * index_of(device); }

// Faults that every reading of device 0 runs into.
int fault(void* device) {
  if (index_of(device) != 0) return success;
  const double since = now() - begun;
  if (since > script.hang_after) hang();
  if (since > script.lost_after) return gpu_is_lost;
  return success;
}

int copy(const std::string& text, char* buffer, unsigned size) {
  if (text.size() >= size) return invalid_argument;
  std::memcpy(buffer, text.c_str(), text.size() + 1);
  return success;
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
  read_script();
  begun = now();
  if (script.hang_init != 0) hang();
  return static_cast<int>(script.init_error);
}
const char* nvmlErrorString(int code) { return code == gpu_is_lost ? "GPU is lost" : "fake"; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(script.devices);
  return success;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (index >= script.devices) return invalid_argument;
  *device = handle_of(index);
  return index == 0 ? static_cast<int>(script.open_error) : success;
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
  if (const int code = fault(device); code != success) return code;
  if (script.permission != 0) return no_permission;
  if (script.average == 0) return not_supported;
  *milliwatts = static_cast<unsigned>(watts_of(device) * 1e3);
  return success;
}

#ifndef FAKE_NVML_OLD
int nvmlShutdown() { return success; }
int nvmlSystemGetDriverVersion(char* buffer, unsigned size) { return copy("999.1", buffer, size); }
int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
  if (std::string_view(uuid) != "MIG-1-of-gpu1") return not_found;
  *device = handle_of(1000);
  return success;
}
int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(void* instance, void** device) {
  if (index_of(instance) != 1000) return invalid_argument;
  *device = handle_of(1);
  return success;
}
int nvmlDeviceGetName(void* device, char* buffer, unsigned size) {
  const bool other = script.mixed != 0 && index_of(device) == 1;
  return copy(other ? "Fake GPU B" : "Fake GPU A", buffer, size);
}
int nvmlDeviceGetUUID(void* device, char* buffer, unsigned size) {
  return copy("GPU-" + std::to_string(index_of(device)) + "abc", buffer, size);
}
int nvmlDeviceGetTotalEnergyConsumption(void* device, unsigned long long* millijoules) {
  if (const int code = fault(device); code != success) return code;
  if (script.permission != 0) return no_permission;
  if (script.counter == 0) return not_supported;
  double since = now() - begun;
  double start = script.start_joules;
  if (since > script.reset_after) {
    since -= script.reset_after;
    start = 0.0;
  }
  constexpr double step = 0.02;
  const double steps = static_cast<double>(static_cast<long long>(since / step));
  *millijoules = static_cast<unsigned long long>((start + watts_of(device) * step * steps) * 1e3);
  if (script.wrap != 0) *millijoules &= 0xFFFFFFFFULL;
  return success;
}
struct FieldValue {
  unsigned field, scope;
  long long timestamp, latency;
  int type, result;
  unsigned long long value;
};
int nvmlDeviceGetFieldValues(void* device, int count, FieldValue* values) {
  if (const int code = fault(device); code != success) return code;
  if (count != 1 || values->field != 186 || script.instant == 0 || script.permission != 0) {
    values->result = not_supported;
    return success;
  }
  values->type = 1;
  values->result = success;
  values->value = static_cast<unsigned long long>(watts_of(device) * 1e3);
  return success;
}
int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned* milliwatts) {
  *milliwatts = 700'000;
  return success;
}
int nvmlDeviceGetClockInfo(void*, unsigned kind, unsigned* megahertz) {
  *megahertz = kind == 1 ? 1980 : 3201;
  return success;
}
int nvmlDeviceGetTemperature(void*, unsigned, unsigned* celsius) {
  *celsius = 61;
  return success;
}
int nvmlDeviceGetCurrentClocksEventReasons(void*, unsigned long long* mask) {
  *mask = static_cast<unsigned long long>(script.throttle);
  return success;
}
int nvmlDeviceGetMigMode(void*, unsigned* current, unsigned* pending) {
  *current = *pending = static_cast<unsigned>(script.mig);
  return success;
}
#endif

}  // extern "C"

// SPDX-License-Identifier: Apache-2.0
#include "metering/nvml_sensor.hpp"

#include "metering/nvml_api.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

template <class Function, class... Arguments>
int call(Function* function, Arguments... arguments) {
  return function == nullptr ? int{nvml::function_not_found} : function(arguments...);
}

template <std::size_t Size, class Function, class... Arguments>
std::string text(Function* function, Arguments... arguments) {
  std::array<char, Size> buffer{};
  if (call(function, arguments..., buffer.data(), static_cast<unsigned>(Size)) != nvml::success) {
    return {};
  }
  buffer.back() = '\0';
  return buffer.data();
}

// The value of a field, whatever type the driver chose for it.
std::optional<double> number_of(const nvml::FieldValue& field) {
  if (field.result != nvml::success) return std::nullopt;
  switch (field.value_type) {
    case nvml::type_double: return field.value.as_double;
    case nvml::type_unsigned: return field.value.as_unsigned;
    case nvml::type_unsigned_long:
    case nvml::type_unsigned_long_long:
      return static_cast<double>(field.value.as_unsigned_long_long);
    case nvml::type_int: return field.value.as_int;
    default: return std::nullopt;
  }
}

class NvmlSensor final : public Sensor {
 public:
  NvmlSensor(std::shared_ptr<const nvml::Api> api, nvml::Device device)
      : api_(std::move(api)), device_(device) {}

  [[nodiscard]] const SensorFacts& facts() const override { return facts_; }
  [[nodiscard]] nvml::Device device() const { return device_; }
  [[nodiscard]] const nvml::Api& api() const { return *api_; }

  void look(std::int64_t index, const std::string& driver);
  Result<SensorReading> read(bool everything) override;

 private:
  int read_energy(SensorReading& reading);
  int read_power(SensorReading& reading);
  [[nodiscard]] std::optional<double> instant_watts() const;
  void read_state(SensorReading& reading) const;

  std::shared_ptr<const nvml::Api> api_;
  nvml::Device device_;
  SensorFacts facts_;
};

std::optional<double> NvmlSensor::instant_watts() const {
  nvml::FieldValue field{};
  field.field_id = nvml::field_power_instant;
  if (call(api_->field_values, device_, 1, &field) != nvml::success) return std::nullopt;
  const auto milliwatts = number_of(field);
  return milliwatts ? std::optional(*milliwatts * 1e-3) : std::nullopt;
}

// What the GPU can tell is found out once: asking in vain costs as much as an answer.
void NvmlSensor::look(std::int64_t index, const std::string& driver) {
  facts_ = {.id = fmt::format("gpu{}", index),
            .kind = SensorKind::gpu,
            .index = index,
            .vendor = "nvidia",
            .name = text<nvml::name_size>(api_->name, device_),
            .uuid = text<nvml::uuid_size>(api_->uuid, device_),
            .driver = driver};
  unsigned milliwatts = 0;
  if (call(api_->power_limit, device_, &milliwatts) == nvml::success && milliwatts > 0) {
    facts_.power_limit = Watts{milliwatts * 1e-3};
  }
  unsigned long long millijoules = 0;
  facts_.energy_counter = call(api_->total_energy, device_, &millijoules) == nvml::success;
  // The counter has 64 bits, of which a driver may fill 32.
  if (facts_.energy_counter) facts_.counter_range = Joules{0x1p32 * 1e-3};
  if (instant_watts()) {
    facts_.power_source = PowerSource::instant;
  } else if (call(api_->power_usage, device_, &milliwatts) == nvml::success) {
    facts_.power_source = PowerSource::average;
  }
  unsigned current = 0;
  unsigned pending = 0;
  facts_.multi_instance =
      call(api_->instance_mode, device_, &current, &pending) == nvml::success && current == 1;
}

int NvmlSensor::read_energy(SensorReading& reading) {
  if (!facts_.energy_counter) return nvml::not_supported;
  unsigned long long millijoules = 0;
  const int code = call(api_->total_energy, device_, &millijoules);
  if (code == nvml::success) {
    reading.energy_counter = Joules{static_cast<double>(millijoules) * 1e-3};
  }
  return code;
}

int NvmlSensor::read_power(SensorReading& reading) {
  if (facts_.power_source == PowerSource::instant) {
    const auto watts = instant_watts();
    if (watts) reading.power = Watts{*watts};
    return watts ? nvml::success : nvml::unknown_error;
  }
  if (facts_.power_source != PowerSource::average) return nvml::not_supported;
  unsigned milliwatts = 0;
  const int code = call(api_->power_usage, device_, &milliwatts);
  if (code == nvml::success) reading.power = Watts{milliwatts * 1e-3};
  return code;
}

void NvmlSensor::read_state(SensorReading& reading) const {
  unsigned value = 0;
  if (call(api_->clock, device_, nvml::clock_sm, &value) == nvml::success) {
    reading.clock_hertz = value * 1e6;
  }
  if (call(api_->clock, device_, nvml::clock_memory, &value) == nvml::success) {
    reading.memory_clock_hertz = value * 1e6;
  }
  if (call(api_->temperature, device_, nvml::temperature_gpu, &value) == nvml::success) {
    reading.temperature_celsius = value;
  }
  unsigned long long reasons = 0;
  const auto function =
      api_->clock_reasons == nullptr ? api_->clock_reasons_before : api_->clock_reasons;
  if (call(function, device_, &reasons) == nvml::success) {
    reading.throttle_reasons = static_cast<std::uint32_t>(reasons);
  }
}

Result<SensorReading> NvmlSensor::read(bool everything) {
  SensorReading reading;
  const Seconds begin = monotonic_now();
  const int energy = read_energy(reading);
  reading.at = 0.5 * (begin + monotonic_now());
  const int power = read_power(reading);
  if (everything) read_state(reading);
  for (const int code : {energy, power}) {
    if (code != nvml::gpu_is_lost && code != nvml::reset_required) continue;
    return std::unexpected(Error{ErrorKind::hardware_absent, nvml::text_of(*api_, code)});
  }
  if (reading.energy_counter || reading.power) return reading;
  if (energy == nvml::not_supported && power == nvml::not_supported) return reading;
  const int code = energy == nvml::not_supported ? power : energy;
  return std::unexpected(Error{ErrorKind::io, nvml::text_of(*api_, code)});
}

}  // namespace

std::optional<GpuName> parse_gpu_name(std::string_view word) {
  if (word.starts_with("GPU-") || word.starts_with("MIG-")) {
    return GpuName{.uuid = std::string(word)};
  }
  std::int64_t index = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), index);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == word.data() + word.size();
  if (!whole || word.empty() || index < 0) return std::nullopt;
  return GpuName{.index = index};
}

std::vector<GpuName> parse_visible_devices(std::string_view text) {
  std::vector<GpuName> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    const auto name = parse_gpu_name(word);
    if (!name) break;
    names.push_back(*name);
  }
  return names;
}

Result<NvmlSensors> open_nvml_sensors(const std::string& library) {
  const auto api = nvml::open(library);
  if (!api) return std::unexpected(api.error());
  unsigned count = 0;
  if (const int code = (*api)->device_count(&count); code != nvml::success) {
    return std::unexpected(Error{
        ErrorKind::hardware_absent,
        fmt::format("the NVIDIA driver does not tell its GPUs: {}", nvml::text_of(**api, code)),
        Location{.file = library}, "see whether `nvidia-smi` answers"});
  }
  const std::string version = text<nvml::version_size>((*api)->driver_version);
  const std::string driver = fmt::format("NVML, driver {}", version.empty() ? "unknown" : version);
  NvmlSensors all;
  for (unsigned i = 0; i < count; ++i) {
    nvml::Device device = nullptr;
    if (const int code = (*api)->device_by_index(i, &device); code != nvml::success) {
      all.sensors.push_back(nullptr);
      all.warnings.push_back(
          {WarningCode::sensor_not_readable, fmt::format("gpu{}", i),
           fmt::format("the driver does not open it: {}", nvml::text_of(**api, code))});
      continue;
    }
    auto sensor = std::make_shared<NvmlSensor>(*api, device);
    sensor->look(i, driver);
    all.sensors.push_back(std::move(sensor));
  }
  return all;
}

int find_nvml_sensor(const NvmlSensors& all, const GpuName& name) {
  const int count = static_cast<int>(all.sensors.size());
  if (name.index) {
    const bool known = *name.index < count && all.sensors[static_cast<std::size_t>(*name.index)];
    return known ? static_cast<int>(*name.index) : no_sensor;
  }
  int found = no_sensor;
  for (int i = 0; i < count; ++i) {
    const auto& sensor = all.sensors[static_cast<std::size_t>(i)];
    if (!sensor || !sensor->facts().uuid.starts_with(name.uuid)) continue;
    if (found != no_sensor) return several_sensors;
    found = i;
  }
  if (found != no_sensor || !name.uuid.starts_with("MIG-")) return found;
  // An instance has a handle of its own, whose GPU has the figures.
  for (int i = 0; i < count; ++i) {
    const auto sensor =
        std::static_pointer_cast<NvmlSensor>(all.sensors[static_cast<std::size_t>(i)]);
    if (!sensor) continue;
    const nvml::Api& api = sensor->api();
    nvml::Device instance = nullptr;
    nvml::Device parent = nullptr;
    if (call(api.device_by_uuid, name.uuid.c_str(), &instance) != nvml::success ||
        call(api.parent_of_instance, instance, &parent) != nvml::success) {
      return no_sensor;
    }
    if (parent == sensor->device()) return i;
  }
  return no_sensor;
}

}  // namespace joulecast

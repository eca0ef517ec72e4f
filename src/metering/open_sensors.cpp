// SPDX-License-Identifier: Apache-2.0
// Which sensors of this machine are meant?
#include "metering/nvml_sensor.hpp"
#include "metering/sysfs.hpp"

#include <joulecast/suggest.hpp>

#include <algorithm>
#include <chrono>
#include <future>
#include <iterator>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

// The result of a call that may never return. The thread of one that does not is left behind.
template <class Function>
auto call_within(Seconds timeout, Function function) -> std::optional<decltype(function())> {
  std::promise<decltype(function())> promise;
  auto result = promise.get_future();
  std::thread([promise = std::move(promise), function = std::move(function)]() mutable {
    promise.set_value(function());
  }).detach();
  const auto state = result.wait_for(std::chrono::duration<double>(timeout.value()));
  if (state != std::future_status::ready) return std::nullopt;
  return result.get();
}

struct Wanted {
  bool by_default = false;  // nothing was asked for
  bool all_gpus = false;
  bool processors = false;
  std::vector<std::string> names{};  // everything else

  [[nodiscard]] bool any_gpu() const { return by_default || all_gpus || !names.empty(); }
};

Wanted read_wishes(const std::vector<std::string>& devices) {
  Wanted wanted;
  for (std::string_view list : devices) {
    while (!list.empty()) {
      const std::size_t end = std::min(list.find(','), list.size());
      const std::string word(list.substr(0, end));
      list.remove_prefix(std::min(end + 1, list.size()));
      if (word == "gpus" || word == "all") wanted.all_gpus = true;
      if (word == "cpu" || word == "all") wanted.processors = true;
      if (word != "gpus" && word != "all" && word != "cpu" && !word.empty()) {
        wanted.names.push_back(word);
      }
    }
  }
  wanted.by_default = !wanted.all_gpus && !wanted.processors && wanted.names.empty();
  if (wanted.by_default) wanted.processors = true;
  return wanted;
}

void add(OpenedSensors& opened, const std::shared_ptr<Sensor>& sensor) {
  if (sensor && std::ranges::find(opened.sensors, sensor) == opened.sensors.end()) {
    opened.sensors.push_back(sensor);
  }
}

void add_all(OpenedSensors& opened, const OpenedSensors& more) {
  for (const auto& sensor : more.sensors) add(opened, sensor);
  opened.warnings.insert(opened.warnings.end(), more.warnings.begin(), more.warnings.end());
}

Result<NvmlSensors> open_nvidia(const SensorOptions& options) {
  auto opened = call_within(options.call_timeout, [library = options.nvml_library] {
    return open_nvml_sensors(library);
  });
  if (opened) return std::move(*opened);
  return std::unexpected(Error{
      ErrorKind::hardware_absent,
      fmt::format("the NVIDIA driver has not answered for {:g} s", options.call_timeout.value()),
      Location{.file = options.nvml_library},
      "see whether `nvidia-smi` answers; a GPU that fell off the bus needs a restart"});
}

bool all_alike(const NvmlSensors& nvidia) {
  std::string name;
  return std::ranges::all_of(nvidia.sensors, [&](const auto& sensor) {
    if (!sensor) return true;
    if (name.empty()) name = sensor->facts().name;
    return sensor->facts().name == name;
  });
}

void add_visible(OpenedSensors& opened, const NvmlSensors& nvidia, const SensorOptions& options) {
  if (!options.visible_devices) {
    for (const auto& sensor : nvidia.sensors) add(opened, sensor);
    return;
  }
  bool by_index = false;
  for (const GpuName& name : parse_visible_devices(*options.visible_devices)) {
    const int found = find_nvml_sensor(nvidia, name);
    if (found < 0) {
      opened.warnings.push_back(
          {WarningCode::device_not_measured,
           name.index ? fmt::format("{}", *name.index) : name.uuid,
           "CUDA_VISIBLE_DEVICES names it, and the driver does not know it; CUDA sees neither it "
           "nor those behind it"});
      break;
    }
    by_index = by_index || name.index.has_value();
    add(opened, nvidia.sensors[static_cast<std::size_t>(found)]);
  }
  if (by_index && !options.pci_bus_order && !all_alike(nvidia)) {
    opened.warnings.push_back(
        {WarningCode::device_order_uncertain, "CUDA_VISIBLE_DEVICES",
         "CUDA counts the fastest GPU first, the driver by slot, and the GPUs are not alike: set "
         "CUDA_DEVICE_ORDER=PCI_BUS_ID, or name them by UUID"});
  }
}

std::vector<std::string> names_of(const NvmlSensors& nvidia, const OpenedSensors& others) {
  std::vector<std::string> names;
  const auto note = [&](const std::shared_ptr<Sensor>& sensor) {
    if (sensor) names.push_back(sensor->facts().id);
  };
  std::ranges::for_each(nvidia.sensors, note);
  std::ranges::for_each(others.sensors, note);
  return names;
}

Error unknown_device(const std::string& word, const std::vector<std::string>& known,
                     const Error* why_no_nvidia) {
  if (known.empty() && why_no_nvidia != nullptr) return *why_no_nvidia;
  const std::string hint = did_you_mean(word, known);
  return Error{ErrorKind::not_found, fmt::format("no device \"{}\" here", word.substr(0, 80)),
               Location{.file = {}, .path = "--devices"},
               fmt::format("{}{}name an index, a UUID, gpus, cpu, all or one of: {}", hint,
                           hint.empty() ? "" : " ",
                           known.empty() ? "(no GPU)" : fmt::format("{}", fmt::join(known, ", ")))};
}

struct Machine {
  Result<NvmlSensors> nvidia;
  OpenedSensors other_gpus;
  OpenedSensors processors;
};

Result<void> add_named(OpenedSensors& opened, const std::string& word, const Machine& machine) {
  const NvmlSensors none;
  const NvmlSensors& nvidia = machine.nvidia ? *machine.nvidia : none;
  if (const auto name = parse_gpu_name(word)) {
    const int found = find_nvml_sensor(nvidia, *name);
    if (found >= 0) {
      add(opened, nvidia.sensors[static_cast<std::size_t>(found)]);
      return {};
    }
    if (found == several_sensors) {
      return std::unexpected(Error{ErrorKind::usage, fmt::format("several GPUs are \"{}\"", word),
                                   Location{.file = {}, .path = "--devices"},
                                   "write more of the UUID"});
    }
  }
  const auto matches = [&](const std::shared_ptr<Sensor>& sensor) {
    return sensor && sensor->facts().id == word;
  };
  for (const auto* sensors :
       {&nvidia.sensors, &machine.other_gpus.sensors, &machine.processors.sensors}) {
    const auto found = std::ranges::find_if(*sensors, matches);
    if (found == sensors->end()) continue;
    add(opened, *found);
    return {};
  }
  return std::unexpected(unknown_device(word, names_of(nvidia, machine.other_gpus),
                                        machine.nvidia ? nullptr : &machine.nvidia.error()));
}

Error no_gpu(const Machine& machine, const SensorOptions& options) {
  if (!machine.nvidia) return machine.nvidia.error();
  const bool hidden = options.visible_devices && !machine.nvidia->sensors.empty();
  return Error{ErrorKind::hardware_absent,
               hidden ? "CUDA_VISIBLE_DEVICES hides every GPU"
                      : "the NVIDIA driver sees no GPU that can be read",
               Location{},
               hidden ? "measure all with --devices gpus, or the processor alone with --devices cpu"
                      : "see what `nvidia-smi` lists, or measure the processor alone with "
                        "--devices cpu"};
}

}  // namespace

Result<OpenedSensors> open_sensors(const SensorOptions& options) {
  const Wanted wanted = read_wishes(options.devices);
  OpenedSensors opened;
  Machine machine{.nvidia = NvmlSensors{},
                  .other_gpus = {},
                  .processors = open_powercap_sensors(options.sysfs)};
  if (wanted.any_gpu()) {
    machine.nvidia = open_nvidia(options);
    machine.other_gpus = open_hwmon_gpus(options.sysfs);
  }
  if (wanted.by_default && machine.nvidia) add_visible(opened, *machine.nvidia, options);
  if (wanted.all_gpus && machine.nvidia) {
    for (const auto& sensor : machine.nvidia->sensors) add(opened, sensor);
  }
  if (wanted.by_default || wanted.all_gpus) add_all(opened, machine.other_gpus);
  if (machine.nvidia && wanted.any_gpu()) {
    opened.warnings.insert(opened.warnings.end(), machine.nvidia->warnings.begin(),
                           machine.nvidia->warnings.end());
  }
  for (const std::string& word : wanted.names) {
    if (auto added = add_named(opened, word, machine); !added) {
      return std::unexpected(added.error());
    }
  }
  if ((wanted.by_default || wanted.all_gpus) && opened.sensors.empty()) {
    return std::unexpected(no_gpu(machine, options));
  }
  if (wanted.processors) {
    add_all(opened, machine.processors);
    if (machine.processors.sensors.empty() && machine.processors.warnings.empty()) {
      opened.warnings.push_back(
          {WarningCode::sensor_not_readable, "cpu",
           fmt::format("this machine shows no energy counter of its processors below {} (RAPL; "
                       "virtual machines mostly have none)",
                       (options.sysfs / "class/powercap").string())});
    }
  }
  return opened;
}

}  // namespace joulecast

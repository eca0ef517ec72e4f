// SPDX-License-Identifier: Apache-2.0
#include <joulecast/device.hpp>

#include "hardware/shipped_device.hpp"

#include <joulecast/suggest.hpp>
#include "documents/embedded.hpp"
#include "documents/hash.hpp"
#include "documents/value.hpp"

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

namespace joulecast {
namespace {

// Wide enough for any machine of the coming decades, narrow enough to catch a slipped unit such as
// TFLOP/s given for FLOP/s, GB for bytes, milliwatts for watts.
constexpr Range flops_per_second_range{1e9, 1e18};
constexpr Range bytes_range{1e4, 1e14};
constexpr Range bytes_per_second_range{1e8, 1e15};
constexpr Range watts_range{1.0, 1e5};
constexpr Range multiprocessors_range{1.0, 1e5};
constexpr Range cores_range{1.0, 1e4};

// A figure without a source is a rumour.
std::string read_source(ObjectReader& reader, const std::string& fallback) {
  std::string source = reader.text_or("source", fallback);
  if (reader.has("source") && source.find_first_not_of(" \t") == std::string::npos) {
    reader.fail("source", "is empty", "say where the figures are from, or leave it out");
  }
  return source;
}

template <class Q>
std::optional<Figure<Q>> read_figure(ObjectReader& reader, std::string_view key, Range range,
                                     const std::string& source) {
  if (!reader.has(key)) return std::nullopt;
  // A plain number has the device's source; a table states its own.
  if (auto table = reader.child_if_object(key)) {
    Figure<Q> figure;
    figure.value = Q{table->number("value", range)};
    figure.source = read_source(*table, source);
    figure.unverified = table->boolean_or("unverified", false);
    table->refuse_unknown_keys();
    reader.adopt(table->error());
    return figure;
  }
  return Figure<Q>{.value = Q{reader.number(key, range)}, .source = source, .unverified = false};
}

void read_peaks(ObjectReader& reader, Device& device, const std::string& source) {
  auto peaks = reader.child("peak_flops_per_second");
  if (!peaks) return;
  for (const Precision precision : all_precisions) {
    const std::string_view key = to_string(precision);
    auto figure = read_figure<FlopsPerSecond>(*peaks, key, flops_per_second_range, source);
    if (figure) device.peak_flops_per_second[precision] = *figure;
  }
  peaks->refuse_unknown_keys();
  reader.adopt(peaks->error());
}

template <class Q>
void read_into(std::optional<Figure<Q>>& figure, ObjectReader& reader, std::string_view key,
               Range range, const std::string& source) {
  if (auto read = read_figure<Q>(reader, key, range, source)) figure = *read;
}

void read_whole(std::optional<Figure<double>>& figure, ObjectReader& reader, std::string_view key,
                Range range, const std::string& source) {
  read_into(figure, reader, key, range, source);
  if (!figure || figure->value == std::floor(figure->value)) return;
  reader.fail(key, fmt::format("must be a whole number, is {}", figure->value),
              "give the number of them");
}

// The facts that predictions use, in a fixed order: what the device's hash stands for.
std::string canonical_facts(const Device& device) {
  std::string facts = device.id;
  for (const auto& [precision, figure] : device.peak_flops_per_second) {
    facts += fmt::format(";{}={}", to_string(precision), figure.value.value());
  }
  const auto add = [&](std::string_view name, const auto& figure) {
    if (figure) facts += fmt::format(";{}={}", name, figure->value.value());
  };
  add("memory", device.memory);
  add("memory_bandwidth", device.memory_bandwidth);
  add("thermal_design_power", device.thermal_design_power);
  add("l2_cache", device.l2_cache);
  if (device.multiprocessors) facts += fmt::format(";sm={}", device.multiprocessors->value);
  if (device.fp32_cores_per_multiprocessor) {
    facts += fmt::format(";cores={}", device.fp32_cores_per_multiprocessor->value);
  }
  facts += fmt::format(";year={}", device.launch_year);
  return facts;
}

// Ids stand in shells, paths and tables unquoted.
void check_id(ObjectReader& reader, const std::string& id) {
  if (id.empty()) reader.fail("id", "is empty", "give the device a name");
  const auto allowed = [](unsigned char letter) {
    return (letter < 0x80 && std::isalnum(letter) != 0) || letter == '.' || letter == '_' ||
           letter == '-';
  };
  if (std::all_of(id.begin(), id.end(), allowed)) return;
  reader.fail("id", fmt::format("\"{}\" holds other characters than an id may", id.substr(0, 60)),
              "use letters, digits, '.', '_' and '-'; the name may hold anything");
}

std::int64_t read_year(ObjectReader& reader) {
  const double year = reader.number("launch_year", {1940.0, 2100.0});
  if (year != std::floor(year)) {
    reader.fail("launch_year", "must be a whole year", "give e.g. 2024");
  }
  return static_cast<std::int64_t>(year);
}

Device read_device(ObjectReader& reader, Device device, const std::string& file) {
  const std::string fallback = device.id.empty() ? "" : "the user's device file";
  const std::string parent = device.name;
  device.id = reader.text("id");
  check_id(reader, device.id);
  device.name = reader.text_or(
      "name", parent.empty() ? device.id : fmt::format("{} (extended: {})", parent, device.id));
  device.vendor = reader.text_or("vendor", device.vendor);
  device.architecture = reader.text_or("architecture", device.architecture);
  device.aliases = reader.texts("aliases");
  if (reader.has("launch_year")) device.launch_year = read_year(reader);
  device.confidence = reader.text_or("confidence", device.confidence);
  const std::string source = fallback.empty() && !reader.has("source")
                                 ? reader.text("source")
                                 : read_source(reader, fallback);
  device.notes = reader.text_or("notes", device.notes);
  read_into(device.memory, reader, "memory_bytes", bytes_range, source);
  read_into(device.memory_bandwidth, reader, "memory_bandwidth_bytes_per_second",
            bytes_per_second_range, source);
  read_into(device.thermal_design_power, reader, "thermal_design_power_watts", watts_range, source);
  read_whole(device.multiprocessors, reader, "multiprocessors", multiprocessors_range, source);
  read_whole(device.fp32_cores_per_multiprocessor, reader, "fp32_cores_per_multiprocessor",
             cores_range, source);
  read_into(device.l2_cache, reader, "l2_cache_bytes", bytes_range, source);
  read_into(device.interconnect_bandwidth, reader, "interconnect_bandwidth_bytes_per_second",
            bytes_per_second_range, source);
  device.interconnect_type = reader.text_or("interconnect_type", device.interconnect_type);
  read_peaks(reader, device, source);
  if (device.peak_flops_per_second.empty()) {
    reader.fail("peak_flops_per_second", "no peak rate is given",
                "add a table such as peak_flops_per_second = { fp32 = 19.5e12 }",
                ErrorKind::schema);
  }
  reader.refuse_unknown_keys();
  device.file = file;
  device.sha256 = sha256(canonical_facts(device));
  return device;
}

std::vector<std::string> ids_of(const std::vector<Device>& devices) {
  std::vector<std::string> ids;
  for (const Device& device : devices) ids.push_back(device.id);
  return ids;
}

const Device* find_id(const std::vector<Device>& devices, std::string_view id) {
  const auto found = std::find_if(devices.begin(), devices.end(),
                                  [&](const Device& device) { return device.id == id; });
  return found == devices.end() ? nullptr : &*found;
}

// "NVIDIA A100 80GB PCIe" and "a100-80gb-pcie" fold to the same name.
std::string fold_device_name(std::string_view name) {
  std::string folded = fold_name(name);
  for (const std::string_view word :
       {"nvidia", "amd", "intel", "google", "geforce", "tesla", "instinct"}) {
    if (folded.starts_with(word) && folded.size() > word.size()) folded.erase(0, word.size());
  }
  return folded;
}

bool answers_to(const Device& device, const std::string& folded) {
  if (folded.empty()) return false;
  return fold_device_name(device.id) == folded || fold_device_name(device.name) == folded ||
         std::any_of(device.aliases.begin(), device.aliases.end(),
                     [&](const std::string& alias) { return fold_device_name(alias) == folded; });
}

// An alias that another device answers to would never be heard.
void check_aliases(ObjectReader& reader, const std::vector<Device>& devices, const Device& device) {
  for (const std::string& alias : device.aliases) {
    const std::string folded = fold_device_name(alias);
    const auto found = std::find_if(devices.begin(), devices.end(),
                                    [&](const Device& other) { return answers_to(other, folded); });
    if (found == devices.end()) continue;
    reader.fail("aliases", fmt::format("\"{}\" already means {}", alias.substr(0, 60), found->id),
                "choose another alias, or leave it out");
  }
}

Result<void> add_devices(std::vector<Device>& devices, const Value& document,
                         const std::string& file) {
  ObjectReader reader(document, file);
  reader.number("schema_version", {1, 1});
  for (ObjectReader& entry : reader.children("device")) {
    Device base;
    if (entry.has("extends")) {
      const std::string parent = entry.text("extends");
      const Device* found = find_id(devices, parent);
      if (found == nullptr) {
        const std::string hint = did_you_mean(parent, ids_of(devices));
        entry.fail(
            "extends", fmt::format("unknown device \"{}\"", parent),
            fmt::format("{}{}`joulecast devices` lists the ids", hint, hint.empty() ? "" : " "),
            ErrorKind::not_found);
      } else {
        base = *found;
      }
    }
    Device device = read_device(entry, std::move(base), file);
    if (!entry.error() && find_id(devices, device.id) != nullptr) {
      entry.fail("id", fmt::format("the id \"{}\" is taken", device.id),
                 "choose another id, and name the old one in `extends` to build on it");
    }
    if (!entry.error()) check_aliases(entry, devices, device);
    if (entry.error()) return std::unexpected(*entry.error());
    devices.push_back(std::move(device));
  }
  reader.refuse_unknown_keys();
  if (reader.length("device").value_or(0) == 0) {
    reader.fail("device", "the file has no device", "add a table [[device]], or leave the file out",
                ErrorKind::schema);
  }
  if (reader.error()) return std::unexpected(*reader.error());
  return {};
}

}  // namespace

Result<Device> DeviceCatalogue::find(std::string_view name) const {
  if (const Device* exact = find_id(devices_, name)) return *exact;
  const std::string folded = fold_device_name(name);
  std::vector<std::string> names;
  for (const Device& device : devices_) {
    if (answers_to(device, folded)) return device;
    names.push_back(device.id);
  }
  const std::string hint = did_you_mean(name, names);
  return std::unexpected(
      Error{ErrorKind::not_found, fmt::format("unknown GPU \"{}\"", name.substr(0, 80)),
            Location{.file = {}, .path = "--gpu"},
            fmt::format("{}{}`joulecast devices` lists all; --device-file adds your own", hint,
                        hint.empty() ? "" : " ")});
}

// Read once: laws of other devices need them as well.
static const std::vector<Device>& shipped_devices() {
  static const std::vector<Device> shipped = [] {
    std::vector<Device> devices;
    const auto document = parse_toml(embedded_file("devices/devices.toml"), "shipped");
    assert(document && "the shipped device table is valid TOML");
    [[maybe_unused]] const auto added = add_devices(devices, *document, "shipped");
    assert(added && "and follows its schema");
    return devices;
  }();
  return shipped;
}

// The text of one device of the shipped table, which states the id in the line after the header.
// Nothing where there is none.
static std::string_view shipped_entry(std::string_view table, std::string_view id) {
  const std::string start = fmt::format("\n[[device]]\nid = \"{}\"\n", id);
  const std::size_t begin = table.find(start);
  if (begin == std::string_view::npos) return {};
  const std::size_t end = table.find("\n[[device]]\n", begin + 1);
  return table.substr(begin, end == std::string_view::npos ? end : end - begin);
}

std::optional<Device> find_shipped_device(std::string_view id) {
  const std::string_view entry = shipped_entry(embedded_file("devices/devices.toml"), id);
  if (entry.empty()) return std::nullopt;
  const auto document = parse_toml(fmt::format("schema_version = 1\n{}", entry), "shipped");
  assert(document && "a part of the shipped device table is valid TOML");
  std::vector<Device> devices;
  [[maybe_unused]] const auto added = add_devices(devices, *document, "shipped");
  assert(added && devices.size() == 1 && "and follows its schema");
  return std::move(devices.front());
}

Result<Device> find_device(std::string_view name,
                           const std::vector<std::filesystem::path>& user_files) {
  if (user_files.empty()) {
    if (auto device = find_shipped_device(name)) return std::move(*device);
  }
  const auto catalogue = load_devices(user_files);
  if (!catalogue) return std::unexpected(catalogue.error());
  return catalogue->find(name);
}

Result<DeviceCatalogue> load_devices(const std::vector<std::filesystem::path>& user_files) {
  std::vector<Device> devices = shipped_devices();
  for (const std::filesystem::path& path : user_files) {
    auto text = read_text_file(path);
    if (!text) return std::unexpected(text.error());
    auto document = parse_toml(*text, path.string());
    if (!document) return std::unexpected(document.error());
    if (auto added = add_devices(devices, *document, path.string()); !added) {
      return std::unexpected(added.error());
    }
  }
  return DeviceCatalogue(std::move(devices));
}

Result<Figure<FlopsPerSecond>> find_peak(const Device& device, Precision precision) {
  const auto found = device.peak_flops_per_second.find(precision);
  if (found != device.peak_flops_per_second.end()) return found->second;
  std::vector<std::string_view> known;
  for (const Precision other : training_precisions) {
    if (device.peak_flops_per_second.contains(other)) known.push_back(to_string(other));
  }
  return std::unexpected(Error{ErrorKind::unsupported,
                               fmt::format("{} has no {} rate", device.id, to_string(precision)),
                               Location{.file = {}, .path = "--precision"},
                               fmt::format("choose one that it has: {}", fmt::join(known, ", "))});
}

}  // namespace joulecast

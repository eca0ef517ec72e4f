// SPDX-License-Identifier: Apache-2.0
// Reports of `joulecast measure` in JSON: each marked segment is one or more training steps, of a
// model and a setup that only the person who ran it knows.
#include "measurements/collector.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr Range any_instant{0.0, 1e12};

struct Gpu {
  std::string name{};
  bool shared = false;  // divided into instances, so that its energy is not this command's
  std::optional<Watts> power_limit{};
};

// A segment as all of its GPUs saw it.
struct Segment {
  std::string name{};
  double begin = 0.0;
  double end = 0.0;
  std::map<std::string, std::optional<double>> joules{};  // by GPU
};

class MeterReportReader {
 public:
  MeterReportReader(const Value& value, Collector& collector)
      : collector_(collector), report_(value, collector.file().string()) {}

  Result<void> read() {
    if (auto checked = check_request(); !checked) return checked;
    if (report_.text("kind") != "measurement") {
      report_.fail("kind", "is not a report of `joulecast measure`",
                   "give what `joulecast measure --output run.json` wrote");
    }
    read_gpus();
    read_segments();
    if (report_.error()) return std::unexpected(*report_.error());
    if (auto checked = check_gpus(); !checked) return checked;
    if (auto checked = check_segments(); !checked) return checked;
    const auto device = collector_.reported_device(
        gpus_.begin()->second.name, Location{.file = report_.file(), .path = "devices.name"});
    if (!device) return std::unexpected(device.error());
    for (const Segment& segment : segments_) {
      collector_.count_row();
      if (auto added = add(segment, **device); !added) return added;
    }
    return {};
  }

 private:
  static std::unexpected<Error> refuse(std::string flag, std::string message, std::string remedy) {
    return std::unexpected(Error{ErrorKind::usage, std::move(message),
                                 Location{.file = {}, .path = std::move(flag)}, std::move(remedy)});
  }

  Result<void> check_request() const {
    const ImportRequest& request = collector_.request();
    const auto missing = [](const char* flag, const char* example) {
      return refuse(flag, "is missing: a report of `measure` does not know what was trained",
                    fmt::format("add e.g. {} {}", flag, example));
    };
    if (!request.step || request.step->model.empty()) return missing("--model", "config.json");
    if (request.step->batch_size == 0) return missing("--batch-size", "16");
    if (!request.precision) return missing("--precision", "bf16");
    return {};
  }

  void read_gpus() {
    for (ObjectReader& device : report_.children("devices")) {
      const std::string id = device.text("device");
      const std::string kind = device.text("kind");
      Gpu gpu{.name = device.text("name"), .shared = device.boolean_or("multi_instance", false)};
      if (const auto limit = device.optional_number("power_limit_watts", any_power)) {
        gpu.power_limit = Watts{*limit};
      }
      if (kind == "gpu") gpus_[id] = std::move(gpu);
      report_.adopt(device.error());
    }
  }

  void read_segments() {
    const std::string& wanted = collector_.request().segments;
    for (ObjectReader& row : report_.children("segments")) {
      Segment segment{.name = row.text("name"),
                      .begin = row.number("begin_seconds", any_instant),
                      .end = row.number("end_seconds", any_instant)};
      const std::string device = row.text("device");
      const auto joules = row.optional_number("energy_joules", any_energy);
      report_.adopt(row.error());
      if (report_.error()) return;
      ++all_segments_;
      if (!segment.name.starts_with(wanted) || !gpus_.contains(device)) continue;
      // The rows of one segment follow each other, one per device.
      if (segments_.empty() || segments_.back().begin != segment.begin ||
          segments_.back().name != segment.name) {
        segments_.push_back(std::move(segment));
      }
      segments_.back().joules[device] = joules;
    }
  }

  [[nodiscard]] Result<void> check_gpus() const {
    const auto count = static_cast<std::int64_t>(gpus_.size());
    if (count == 0) {
      return std::unexpected(Error{ErrorKind::unsupported, "no GPU was measured",
                                   Location{.file = report_.file(), .path = "devices"},
                                   "measure on a machine with a GPU; steps of a processor have no "
                                   "prediction to be compared with"});
    }
    const std::int64_t stated = collector_.request().step->num_gpus;
    if (count == stated) return {};
    return refuse("--num-gpus",
                  fmt::format("is {}, but {} has {} of them", stated, report_.file(), count),
                  "measure those of the training alone, with `joulecast measure --devices`, and "
                  "state their number");
  }

  [[nodiscard]] Result<void> check_segments() const {
    const std::string& wanted = collector_.request().segments;
    if (segments_.empty()) {
      return std::unexpected(Error{
          ErrorKind::value,
          all_segments_ == 0 ? "has no marked segment"
                             : fmt::format("has no segment whose name begins with \"{}\"", wanted),
          Location{.file = report_.file(), .path = "segments"},
          "mark the steps from inside the program: docs/metering.md shows how"});
    }
    std::vector<const Segment*> ordered;
    for (const Segment& segment : segments_) ordered.push_back(&segment);
    std::ranges::sort(ordered, {}, &Segment::begin);
    for (std::size_t i = 1; i < ordered.size(); ++i) {
      if (ordered[i]->begin >= ordered[i - 1]->end) continue;
      return refuse("--segments",
                    fmt::format("the segments \"{}\" and \"{}\" of {} overlap, and would count "
                                "twice",
                                ordered[i - 1]->name, ordered[i]->name, report_.file()),
                    "choose those that are steps, e.g. --segments step");
    }
    return {};
  }

  Result<void> add(const Segment& segment, const Device& device) {
    const ImportRequest& request = collector_.request();
    const auto steps = static_cast<double>(request.step->steps);
    Measurement measurement = collector_.start(device, "step");
    measurement.phase = MeasuredPhase::step;
    measurement.precision = *request.precision;
    measurement.shape = *request.step;
    const double seconds = (segment.end - segment.begin) / steps;
    if (seconds <= 0.0) {
      return std::unexpected(
          Error{ErrorKind::value, fmt::format("the segment \"{}\" takes no time", segment.name),
                Location{.file = report_.file(), .path = "segments"},
                "write the marks with the time of the clock: docs/metering.md shows how"});
    }
    measurement.duration = Seconds{seconds};
    if (const auto joules = sum_of(segment)) {
      measurement.energy = Joules{*joules / steps};
      measurement.energy_kind = EnergyKind::board;
    }
    measurement.power_limit = gpus_.begin()->second.power_limit;
    return collector_.add(std::move(measurement),
                          Location{.file = report_.file(), .path = "segments"});
  }

  // Nothing where one of the GPUs has none, or one that is not this command's alone.
  [[nodiscard]] std::optional<double> sum_of(const Segment& segment) const {
    double sum = 0.0;
    for (const auto& [id, gpu] : gpus_) {
      const auto found = segment.joules.find(id);
      if (gpu.shared || found == segment.joules.end() || !found->second) return std::nullopt;
      sum += *found->second;
    }
    return sum > 0.0 ? std::optional(sum) : std::nullopt;
  }

  Collector& collector_;
  ObjectReader report_;
  std::map<std::string, Gpu> gpus_{};
  std::vector<Segment> segments_{};
  std::int64_t all_segments_ = 0;
};

}  // namespace

Result<void> import_meter_report(std::string_view text, Collector& collector) {
  const auto value = parse_json(text, collector.file().string());
  if (!value) return std::unexpected(value.error());
  return MeterReportReader(*value, collector).read();
}

}  // namespace joulecast

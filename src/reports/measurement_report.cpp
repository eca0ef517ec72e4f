// SPDX-License-Identifier: Apache-2.0
// What a command took, as the meter saw it.
#include "reports/common.hpp"

#include <joulecast/meter.hpp>

#include <algorithm>
#include <cmath>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joulecast {
namespace {

constexpr std::size_t most_summaries_for_people = 40;

Datum mean_of(const std::optional<Spread>& spread) {
  return spread ? Datum(spread->mean) : Datum(std::monostate{});
}
Datum lowest_of(const std::optional<Spread>& spread) {
  return spread ? Datum(spread->lowest) : Datum(std::monostate{});
}
Datum highest_of(const std::optional<Spread>& spread) {
  return spread ? Datum(spread->highest) : Datum(std::monostate{});
}

// The sum over the sensors of a kind, or nothing where one of them is unknown, has ended early, or
// is a GPU that others share: such a sum would be a wrong figure.
std::optional<Joules> total_of(const MeterRecord& record, SensorKind kind) {
  std::optional<Joules> total;
  for (const SensorRecord& sensor : record.sensors) {
    if (sensor.facts.kind != kind) continue;
    if (!sensor.energy || sensor.lost_at || sensor.facts.multi_instance) return std::nullopt;
    total = total.value_or(Joules{0.0}) + *sensor.energy;
  }
  return total;
}

const SensorRecord* find_idle(const MeasuredCommand& command, const std::string& id) {
  if (!command.idle) return nullptr;
  const auto& sensors = command.idle->sensors;
  const auto found = std::ranges::find_if(
      sensors, [&](const SensorRecord& sensor) { return sensor.facts.id == id; });
  return found == sensors.end() ? nullptr : &*found;
}

// Energy beyond what the device takes while nothing runs on it.
std::optional<Joules> above_idle(const SensorRecord& sensor, const SensorRecord* idle) {
  if (idle == nullptr || !idle->mean_power || !sensor.energy) return std::nullopt;
  return *sensor.energy - *idle->mean_power * sensor.covered;
}

// People are told of the kinds that were measured, and what could not be added up.
Field energy_of(const MeterRecord& record, SensorKind kind, const char* title) {
  const bool measured = std::ranges::any_of(
      record.sensors, [&](const SensorRecord& sensor) { return sensor.facts.kind == kind; });
  return {fmt::format("{}_energy_joules", to_string(kind)), measured ? title : "", Unit::joules,
          datum(total_of(record, kind))};
}

Fields summarize(const MeterRecord& record, const MeasuredCommand& command) {
  const auto nanoseconds = static_cast<std::int64_t>(std::llround(record.begin.value() * 1e9));
  const Seconds processor = command.user_time + command.system_time;
  const std::string ended = command.signal     ? fmt::format("ended by signal {}", *command.signal)
                            : command.finished ? ""
                                               : "still running";
  const bool counted = command.exit_code.has_value();
  return {
      .key = "measurement",
      .title = "",
      .fields = {
          {"command", "command", Unit::none, fmt::format("{}", fmt::join(command.command, " "))},
          {"finished", "", Unit::none, command.finished},
          {"exit_code", counted ? "exit code" : "", Unit::none, datum(command.exit_code)},
          {"signal", "", Unit::none, datum(command.signal)},
          {"end_text", ended.empty() ? "" : "end", Unit::none, ended},
          {"begin_monotonic_nanoseconds", "", Unit::none, nanoseconds},
          {"duration_seconds", "time", Unit::seconds, record.duration.value()},
          {"processor_seconds", "processor time, children included", Unit::seconds,
           processor.value()},
          {"user_seconds", "", Unit::seconds, command.user_time.value()},
          {"system_seconds", "", Unit::seconds, command.system_time.value()},
          {"peak_memory_bytes", "largest process in memory", Unit::bytes,
           command.peak_memory.value()},
          energy_of(record, SensorKind::gpu, "energy of the GPUs"),
          energy_of(record, SensorKind::cpu, "energy of the processors"),
          energy_of(record, SensorKind::memory, "energy of the memory"),
          {"idle_duration_seconds", command.idle ? "idle time measured before" : "", Unit::seconds,
           command.idle ? Datum(command.idle->duration.value()) : Datum(std::monostate{})},
          {"meter_processor_seconds", "processor time of the meter", Unit::seconds,
           command.meter_time.value()},
          {"meter_core_fraction", "  of one core", Unit::fraction,
           record.duration.value() > 0.0
               ? Datum(command.meter_time.value() / record.duration.value())
               : Datum(std::monostate{})}}};
}

Table list_devices(const MeterRecord& record, const MeasuredCommand& command) {
  Table table{.key = "devices",
              .title = "Devices",
              .columns = {{"device", "device", Unit::none},
                          {"kind", "", Unit::none},
                          {"index", "", Unit::none},
                          {"vendor", "", Unit::none},
                          {"name", "name", Unit::none},
                          {"uuid", "", Unit::none},
                          {"driver", "", Unit::none},
                          {"multi_instance", "", Unit::none},
                          {"power_limit_watts", "", Unit::watts},
                          {"energy_joules", "energy", Unit::joules},
                          {"energy_source", "by", Unit::none},
                          {"energy_by_counter_joules", "", Unit::joules},
                          {"energy_by_integration_joules", "", Unit::joules},
                          {"energy_above_idle_joules", "", Unit::joules},
                          {"covered_seconds", "", Unit::seconds},
                          {"mean_power_watts", "mean", Unit::watts},
                          {"peak_power_watts", "peak", Unit::watts},
                          {"idle_power_watts", "idle", Unit::watts},
                          {"power_source", "", Unit::none},
                          {"clock_mean_hertz", "clock", Unit::hertz},
                          {"clock_lowest_hertz", "", Unit::hertz},
                          {"clock_highest_hertz", "", Unit::hertz},
                          {"memory_clock_mean_hertz", "", Unit::hertz},
                          {"temperature_mean_celsius", "", Unit::celsius},
                          {"temperature_highest_celsius", "hottest", Unit::celsius},
                          {"readings", "readings", Unit::count},
                          {"mean_interval_seconds", "every", Unit::seconds},
                          {"gaps", "gaps", Unit::count},
                          {"gap_seconds", "", Unit::seconds},
                          {"longest_gap_seconds", "", Unit::seconds},
                          {"counter_resets", "", Unit::count},
                          {"lost_at_seconds", "", Unit::seconds},
                          {"reading_processor_seconds", "", Unit::seconds}}};
  for (const SensorRecord& sensor : record.sensors) {
    const SensorFacts& facts = sensor.facts;
    const SensorRecord* idle = find_idle(command, facts.id);
    const auto above = above_idle(sensor, idle);
    table.rows.push_back({facts.id,
                          std::string(to_string(facts.kind)),
                          facts.index,
                          facts.vendor,
                          facts.name,
                          facts.uuid,
                          facts.driver,
                          facts.multi_instance,
                          datum(facts.power_limit),
                          datum(sensor.energy),
                          std::string(to_string(sensor.energy_source)),
                          datum(sensor.energy_by_counter),
                          datum(sensor.energy_by_integration),
                          datum(above),
                          sensor.covered.value(),
                          datum(sensor.mean_power),
                          datum(sensor.peak_power),
                          idle == nullptr ? Datum(std::monostate{}) : datum(idle->mean_power),
                          std::string(to_string(facts.power_source)),
                          mean_of(sensor.clock_hertz),
                          lowest_of(sensor.clock_hertz),
                          highest_of(sensor.clock_hertz),
                          mean_of(sensor.memory_clock_hertz),
                          mean_of(sensor.temperature_celsius),
                          highest_of(sensor.temperature_celsius),
                          sensor.readings,
                          datum(sensor.mean_interval),
                          sensor.gaps,
                          sensor.gap_time.value(),
                          sensor.longest_gap.value(),
                          sensor.counter_resets,
                          datum(sensor.lost_at),
                          sensor.reading_cpu_time.value()});
  }
  return table;
}

Table list_throttling(const MeterRecord& record) {
  Table table{.key = "throttling",
              .title = "What held the clocks below their highest",
              .columns = {{"device", "device", Unit::none},
                          {"reason", "reason", Unit::none},
                          {"duration_seconds", "for", Unit::seconds},
                          {"fraction", "of the time", Unit::fraction}}};
  for (const SensorRecord& sensor : record.sensors) {
    for (const ThrottleTime& time : sensor.throttling) {
      const bool timed = record.duration.value() > 0.0;
      table.rows.push_back(
          {sensor.facts.id, std::string(to_string(time.reason)), time.duration.value(),
           timed ? Datum(time.duration / record.duration) : Datum(std::monostate{})});
    }
  }
  return table;
}

Datum per_count(const std::optional<Joules>& energy, std::int64_t count) {
  if (!energy || count == 0) return std::monostate{};
  return energy->value() / static_cast<double>(count);
}

Datum mean_power(const std::optional<Joules>& energy, Seconds duration) {
  if (!energy || duration.value() <= 0.0) return std::monostate{};
  return (*energy / duration).value();
}

Table list_summaries(const MeterRecord& record) {
  Table table{.key = "segments_by_name",
              .title = "Segments, by name",
              .columns = {{"name", "segment", Unit::none},
                          {"count", "count", Unit::count},
                          {"duration_seconds", "time", Unit::seconds},
                          {"mean_duration_seconds", "each", Unit::seconds},
                          {"device", "device", Unit::none},
                          {"energy_joules", "energy", Unit::joules},
                          {"mean_energy_joules", "each", Unit::joules},
                          {"mean_power_watts", "mean", Unit::watts}}};
  for (const SegmentSummary& summary : record.summaries) {
    const double mean = summary.duration.value() / static_cast<double>(summary.count);
    if (summary.energies.empty()) {
      table.rows.push_back({summary.name, summary.count, summary.duration.value(), mean,
                            std::monostate{}, std::monostate{}, std::monostate{},
                            std::monostate{}});
    }
    for (const SegmentEnergy& part : summary.energies) {
      table.rows.push_back({summary.name, summary.count, summary.duration.value(), mean,
                            part.sensor, datum(part.energy), per_count(part.energy, summary.count),
                            mean_power(part.energy, summary.duration)});
    }
  }
  return table;
}

// A row for each segment and device, the whole run first.
Table list_segments(const MeterRecord& record) {
  Table table{.key = "segments",
              .title = "",
              .columns = {{"name", "segment", Unit::none},
                          {"begin_seconds", "begin", Unit::seconds},
                          {"end_seconds", "end", Unit::seconds},
                          {"device", "device", Unit::none},
                          {"energy_joules", "energy", Unit::joules},
                          {"energy_by_counter_joules", "", Unit::joules},
                          {"energy_by_integration_joules", "", Unit::joules}},
              .for_people = false};
  for (const Segment& segment : record.segments) {
    if (segment.energies.empty()) {
      table.rows.push_back({segment.name, segment.begin.value(), segment.end.value(),
                            std::monostate{}, std::monostate{}, std::monostate{},
                            std::monostate{}});
    }
    for (const SegmentEnergy& part : segment.energies) {
      table.rows.push_back({segment.name, segment.begin.value(), segment.end.value(), part.sensor,
                            datum(part.energy), datum(part.energy_by_counter),
                            datum(part.energy_by_integration)});
    }
  }
  return table;
}

Table with_whole_run(Table segments, const MeterRecord& record) {
  std::vector<std::vector<Datum>> rows;
  for (const SensorRecord& sensor : record.sensors) {
    rows.push_back({std::string("(run)"), 0.0, record.duration.value(), sensor.facts.id,
                    datum(sensor.energy), datum(sensor.energy_by_counter),
                    datum(sensor.energy_by_integration)});
  }
  if (rows.empty()) {
    rows.push_back({std::string("(run)"), 0.0, record.duration.value(), std::monostate{},
                    std::monostate{}, std::monostate{}, std::monostate{}});
  }
  segments.rows.insert(segments.rows.begin(), rows.begin(), rows.end());
  return segments;
}

// What the figures are of, so that nobody takes them for the power at the wall.
std::string state_scope(const MeterRecord& record) {
  const auto any = [&](SensorKind kind) {
    return std::ranges::any_of(record.sensors, [&](const SensorRecord& sensor) {
      return sensor.facts.kind == kind && sensor.energy.has_value();
    });
  };
  std::string scope;
  if (any(SensorKind::gpu)) {
    scope += "Energy of a GPU is that of its board, whatever ran on it. ";
  }
  if (any(SensorKind::cpu)) {
    scope += "Energy of a processor is that of the whole package, whatever ran on it. ";
  }
  if (scope.empty()) return scope;
  return scope + "Fans, disks, network and the losses of the power supply are in neither.";
}

}  // namespace

Report report_measurement(const MeterRecord& record, const MeasuredCommand& command) {
  Report report{.kind = "measurement", .title = "Measured"};
  Table segments = list_segments(record);
  report.csv = with_whole_run(segments, record);
  report.sections.emplace_back(summarize(record, command));
  report.sections.emplace_back(list_devices(record, command));
  report.sections.emplace_back(list_throttling(record));
  Table summaries = list_summaries(record);
  Table for_people = summaries;
  summaries.for_people = false;
  for_people.for_machines = false;
  const bool cut = for_people.rows.size() > most_summaries_for_people;
  if (cut) for_people.rows.resize(most_summaries_for_people);
  report.sections.emplace_back(std::move(summaries));
  report.sections.emplace_back(std::move(for_people));
  if (cut) {
    report.sections.emplace_back(
        Paragraph{.key = "", .text = "More segments are in the output of --format json or csv."});
  }
  report.sections.emplace_back(std::move(segments));
  if (std::string scope = state_scope(record); !scope.empty()) {
    report.sections.emplace_back(Paragraph{.key = "", .text = std::move(scope)});
  }
  report.sections.emplace_back(list_warnings_table(record.warnings));
  return report;
}

Report report_watch(const MeterRecord& record) {
  Report report{.kind = "watch", .title = "Watched"};
  report.sections.emplace_back(
      Fields{.key = "watch",
             .title = "",
             .fields = {{"duration_seconds", "time", Unit::seconds, record.duration.value()},
                        energy_of(record, SensorKind::gpu, "energy of the GPUs"),
                        energy_of(record, SensorKind::cpu, "energy of the processors")}});
  report.sections.emplace_back(list_devices(record, MeasuredCommand{}));
  report.sections.emplace_back(list_throttling(record));
  report.sections.emplace_back(list_warnings_table(record.warnings));
  return report;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// What the devices take now, a line at a time.
#include "child.hpp"
#include "meter_inputs.hpp"
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <algorithm>
#include <map>
#include <mutex>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

constexpr Seconds usual_interval{1.0};

// The last figures of each sensor; clocks and temperature are not in every reading.
class Latest {
 public:
  void take(const SensorFacts& facts, const SensorReading& reading) {
    const std::lock_guard lock(mutex_);
    SensorReading& last = readings_[facts.id];
    last.at = reading.at;
    const auto renew = [](auto& kept, const auto& fresh) {
      if (fresh) kept = fresh;
    };
    renew(last.power, reading.power);
    renew(last.clock_hertz, reading.clock_hertz);
    renew(last.temperature_celsius, reading.temperature_celsius);
    renew(last.throttle_reasons, reading.throttle_reasons);
  }

  [[nodiscard]] SensorReading of(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = readings_.find(id);
    return found == readings_.end() ? SensorReading{} : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, SensorReading> readings_;
};

// Energy since the line before, over its time; the sensor's own reading where energy is unknown.
std::optional<Watts> power_since(const SensorRecord& before, const SensorRecord& now,
                                 const SensorReading& last) {
  if (before.energy && now.energy && now.covered > before.covered) {
    return (*now.energy - *before.energy) / (now.covered - before.covered);
  }
  return last.power;
}

std::string for_people(const SensorRecord& sensor, const SensorReading& last,
                       const std::optional<Watts>& power) {
  std::string text = fmt::format(" | {}", sensor.facts.id);
  if (sensor.lost_at) return text + " lost";
  text += power ? fmt::format(" {}", show(power->value(), Unit::watts)) : std::string(" no power");
  if (last.temperature_celsius) {
    text += fmt::format(" {}", show(*last.temperature_celsius, Unit::celsius));
  }
  if (last.clock_hertz) text += fmt::format(" {}", show(*last.clock_hertz, Unit::hertz));
  if (sensor.energy) text += fmt::format(" {}", show(sensor.energy->value(), Unit::joules));
  const std::string reasons = list_reasons(last, " ");
  return reasons.empty() ? text : text + " " + reasons;
}

std::string for_machines(const MeterRecord& record, const SensorRecord& sensor,
                         const SensorReading& last, const std::optional<Watts>& power) {
  return fmt::format("{},{},{},{},{},{}\n", record.duration.value(), sensor.facts.id,
                     power ? csv_cell(power->value()) : "",
                     sensor.energy ? csv_cell(sensor.energy->value()) : "",
                     csv_cell(last.clock_hertz), csv_cell(last.temperature_celsius));
}

// A live line must not be longer than the terminal, or it would not be overwritten.
std::string fitting_terminal(std::string line) {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  if (known && line.size() >= size.ws_col) line.resize(size.ws_col - 1U);
  return line;
}

class Watch {
 public:
  Watch(std::vector<std::shared_ptr<Sensor>> sensors, Format format)
      : format_(format), live_(isatty(STDOUT_FILENO) == 1), meter_(std::move(sensors), options()) {}

  int run(const HeldSignals& signals, Seconds interval, std::optional<Seconds> duration);

 private:
  MeterOptions options() {
    MeterOptions options;
    options.on_reading = [this](const SensorFacts& facts, const SensorReading& reading) {
      latest_.take(facts, reading);
    };
    return options;
  }
  int print_line();

  Format format_;
  bool live_;
  Latest latest_;
  std::vector<SensorRecord> before_;
  Meter meter_;  // the last one: its threads end before what they use
};

int Watch::print_line() {
  const MeterRecord record = meter_.snapshot();
  std::string line = fmt::format("{:.1f} s", record.duration.value());
  std::string rows;
  for (std::size_t i = 0; i < record.sensors.size(); ++i) {
    const SensorRecord& sensor = record.sensors[i];
    const SensorReading last = latest_.of(sensor.facts.id);
    const auto power = power_since(before_.empty() ? SensorRecord{} : before_[i], sensor, last);
    line += for_people(sensor, last, power);
    rows += for_machines(record, sensor, last, power);
  }
  before_ = record.sensors;
  if (format_ == Format::csv) return print(rows);
  return print(live_ ? fmt::format("\r\x1b[K{}", fitting_terminal(std::move(line))) : line + "\n");
}

int Watch::run(const HeldSignals& signals, Seconds interval, std::optional<Seconds> duration) {
  if (format_ == Format::csv) {
    print("seconds,device,power_watts,energy_joules,clock_hertz,temperature_celsius\n");
  }
  for (Seconds passed{0.0}; !duration || passed < *duration;) {
    const Seconds step = duration ? std::min(interval, *duration - passed) : interval;
    const auto signal = signals.next(step);
    if (signal && signal->si_signo != SIGCHLD) break;
    passed += step;
    if (const int code = print_line(); code != exit_done) return code;
  }
  const MeterRecord record = meter_.stop();
  if (format_ == Format::csv) {
    print_warnings(record.warnings);
    return exit_done;
  }
  if (live_) print("\n");
  return print_report(report_watch(record), Format::text);
}

Result<int> watch(const Arguments& arguments, const Settings& settings,
                  const HeldSignals& signals) {
  const auto format = read_format(arguments);
  if (!format) return std::unexpected(format.error());
  if (*format != Format::text && *format != Format::csv) {
    return std::unexpected(Error{ErrorKind::usage, "a live line has no such form",
                                 Location{.file = {}, .path = "--format"},
                                 "choose text or csv; `joulecast measure` writes the others"});
  }
  const auto interval = read_seconds(settings, "interval", 0.05);
  if (!interval) return std::unexpected(interval.error());
  const auto duration = read_seconds(settings, "duration", 0.05);
  if (!duration) return std::unexpected(duration.error());
  auto opened = read_sensors(settings);
  if (!opened) return std::unexpected(opened.error());
  print_warnings(opened->warnings);
  if (opened->sensors.empty()) {
    return std::unexpected(Error{ErrorKind::hardware_absent, "there is nothing to watch",
                                 Location{}, "see the warnings above"});
  }
  Watch session(std::move(opened->sensors), *format);
  return session.run(signals, interval->value_or(usual_interval), *duration);
}

}  // namespace

int run_watch(const Arguments& arguments, const Configuration& configuration) {
  const HeldSignals signals;
  const Settings settings(arguments, configuration);
  const auto code = watch(arguments, settings, signals);
  return code ? *code : print_error(settings.locate(code.error()));
}

}  // namespace joulecast::cli

// SPDX-License-Identifier: Apache-2.0
// A command under the meter.
#include "child.hpp"
#include "meter_inputs.hpp"
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <cstdio>

#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

constexpr int exit_not_startable = 126;  // as shells have it
constexpr int exit_no_such_command = 127;
constexpr Seconds poll_interval{0.1};
// So that little is lost when a batch system kills the meter itself.
constexpr Seconds save_interval{60.0};

Seconds seconds_of(const timeval& time) {
  return Seconds{static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec)};
}

rusage usage_of(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return usage;
}

Seconds own_time() {
  const rusage usage = usage_of(RUSAGE_SELF);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

struct MeterInputs {
  Destination destination{};
  OpenedSensors opened{};
  std::optional<Seconds> interval{};
  std::optional<Seconds> baseline{};
  std::shared_ptr<ReadingsFile> readings{};
  std::unique_ptr<MarksFile> marks{};
};

Result<MeterInputs> read_meter_inputs(const Arguments& arguments, const Settings& settings) {
  MeterInputs inputs;
  auto destination = read_destination(arguments);
  if (!destination) return std::unexpected(destination.error());
  inputs.destination = std::move(*destination);
  const auto interval = read_seconds(settings, "interval", 0.001);
  if (!interval) return std::unexpected(interval.error());
  inputs.interval = *interval;
  const auto baseline = read_seconds(settings, "baseline", 0.1);
  if (!baseline) return std::unexpected(baseline.error());
  inputs.baseline = *baseline;
  auto opened = read_sensors(settings);
  if (!opened) return std::unexpected(opened.error());
  inputs.opened = std::move(*opened);
  if (const auto path = arguments.value("readings")) {
    auto readings = ReadingsFile::create(*path);
    if (!readings) return std::unexpected(readings.error());
    inputs.readings = std::move(*readings);
  }
  auto marks = MarksFile::create();
  if (!marks) return std::unexpected(marks.error());
  inputs.marks = std::move(*marks);
  return inputs;
}

// One run: the meter, the command, and the report in between and at the end.
class MeasuredRun {
 public:
  MeasuredRun(const std::vector<std::string>& command, MeterInputs inputs,
              const HeldSignals& signals)
      : signals_(signals), inputs_(std::move(inputs)), meter_(inputs_.opened.sensors, options()) {
    about_.command = command;
  }

  int run();

 private:
  [[nodiscard]] MeterOptions options() const;
  // False where a signal ended the wait.
  bool wait_idle(Seconds duration);
  void follow(Child& child);
  void count_time();
  [[nodiscard]] Report report(MeterRecord record) const;
  Result<void> save(MeterRecord record) const;
  int finish(Child& child, MeterRecord record);

  const HeldSignals& signals_;
  MeterInputs inputs_;
  Meter meter_;
  MeasuredCommand about_;
  Seconds own_begin_{};
  ChildEnd end_{};
};

MeterOptions MeasuredRun::options() const {
  MeterOptions options;
  options.interval = inputs_.interval;
  if (inputs_.readings) {
    options.on_reading = [readings = inputs_.readings](const SensorFacts& facts,
                                                       const SensorReading& reading) {
      readings->write(facts, reading);
    };
  }
  return options;
}

bool MeasuredRun::wait_idle(Seconds duration) {
  const Seconds end = monotonic_now() + duration;
  for (Seconds left = duration; left > Seconds{0.0}; left = end - monotonic_now()) {
    const auto signal = signals_.next(left);
    if (!signal || signal->si_signo == SIGCHLD) continue;
    end_.signal = signal->si_signo;
    return false;
  }
  return true;
}

void MeasuredRun::count_time() {
  const rusage usage = usage_of(RUSAGE_CHILDREN);
  about_.user_time = seconds_of(usage.ru_utime);
  about_.system_time = seconds_of(usage.ru_stime);
  about_.peak_memory = Bytes{static_cast<double>(usage.ru_maxrss) * 1024.0};
  about_.meter_time = own_time() - own_begin_;
}

Report MeasuredRun::report(MeterRecord record) const {
  record.warnings.insert(record.warnings.begin(), inputs_.opened.warnings.begin(),
                         inputs_.opened.warnings.end());
  return report_measurement(record, about_);
}

Result<void> MeasuredRun::save(MeterRecord record) const {
  return save_report(*inputs_.destination.file, report(std::move(record)),
                     inputs_.destination.format);
}

void MeasuredRun::follow(Child& child) {
  Seconds save_at = monotonic_now() + save_interval;
  for (;;) {
    if (const auto signal = signals_.next(poll_interval)) child.hand_on(*signal);
    meter_.feed_marks(inputs_.marks->read_on());
    if (const auto end = child.collect()) {
      end_ = *end;
      return;
    }
    if (!inputs_.destination.file || monotonic_now() < save_at) continue;
    count_time();
    if (const auto saved = save(meter_.snapshot()); !saved) print_error(saved.error());
    save_at = monotonic_now() + save_interval;
  }
}

int MeasuredRun::finish(Child& child, MeterRecord record) {
  if (child.left_processes()) {
    record.warnings.push_back({WarningCode::processes_left, "command",
                               "left processes behind that still run; their time and energy from "
                               "now on are not in the figures"});
  }
  about_.finished = true;
  if (end_.exit_code) about_.exit_code = *end_.exit_code;
  if (end_.signal) about_.signal = *end_.signal;
  count_time();
  int trouble = exit_done;
  if (inputs_.readings && inputs_.readings->error()) {
    trouble = print_error(*inputs_.readings->error());
  }
  if (inputs_.destination.file) {
    const std::vector<Warning> warnings = record.warnings;
    if (const auto saved = save(std::move(record)); !saved) trouble = print_error(saved.error());
    print_warnings(inputs_.opened.warnings);
    print_warnings(warnings);
  } else {
    print_report_to_stderr(report(std::move(record)), inputs_.destination.format);
  }
  return end_.code() != 0 ? end_.code() : trouble;
}

int MeasuredRun::run() {
  if (inputs_.baseline) {
    if (!wait_idle(*inputs_.baseline)) return end_.code();
    about_.idle = meter_.restart();
  }
  own_begin_ = own_time();
  about_.finished = false;
  // Found out now, not after hours, if the report cannot be written.
  if (inputs_.destination.file) {
    if (const auto saved = save(meter_.snapshot()); !saved) return print_error(saved.error());
  }
  auto child =
      Child::start(about_.command,
                   {fmt::format("JOULECAST_MARKS={}", inputs_.marks->path().string())}, signals_);
  if (!child) {
    print_error(child.error());
    return child.error().kind == ErrorKind::not_found ? exit_no_such_command : exit_not_startable;
  }
  follow(*child);
  meter_.feed_marks(inputs_.marks->read_on());
  return finish(*child, meter_.stop());
}

}  // namespace

int run_measure(const Arguments& arguments, const Configuration& configuration) {
  // Before the first thread: threads take over what is held.
  const HeldSignals signals;
  const Settings settings(arguments, configuration);
  auto inputs = read_meter_inputs(arguments, settings);
  if (!inputs) return print_error(settings.locate(inputs.error()));
  return MeasuredRun(arguments.words, std::move(*inputs), signals).run();
}

}  // namespace joulecast::cli

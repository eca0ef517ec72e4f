// SPDX-License-Identifier: Apache-2.0
// A thread for each sensor, so that a driver that hangs holds up neither the others nor the end.
#include "metering/clocks.hpp"
#include "metering/segments.hpp"
#include "metering/sensor_history.hpp"

#include <joulecast/meter.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr Seconds usual_interval{0.1};
constexpr Seconds longest_interval{5.0};
// Of one core, for all sensors together. Waking up costs time beside the reading, so that the
// readings themselves get less than the 1 % that is promised.
constexpr double core_share = 0.006;
// Clocks and temperature change slowly and cost as much to read as energy does.
constexpr int everything_each = 5;
// Drivers refuse now and then; one that refuses so often is gone.
constexpr int most_refusals = 5;
constexpr double disagreement = 0.05;
constexpr Seconds shortest_comparison{10.0};  // the counter advances in steps of up to 0.1 s

std::chrono::duration<double> duration(Seconds seconds) {
  return std::chrono::duration<double>(seconds.value());
}

}  // namespace

struct Meter::State {
  struct Channel {
    std::shared_ptr<Sensor> sensor;
    SensorHistory history;
    std::optional<Seconds> reading_since{};  // while a call is under way
    std::optional<Seconds> typical_cost{};   // of a reading, in time of the processor
    std::uint64_t served = 0;                // the last round that it answered
    int refusals = 0;
    bool hung = false;
    bool finished = false;
    std::thread thread{};
  };

  MeterOptions options{};
  mutable std::mutex mutex{};
  std::mutex callback_mutex{};
  std::condition_variable wake{};     // threads wait here for the next reading
  std::condition_variable changed{};  // the owner waits here for the threads
  std::uint64_t round = 1;            // raised to have all sensors read at once
  bool stopping = false;
  std::optional<MeterRecord> final_record{};  // once stopped
  Seconds begin{};
  std::vector<Channel> channels{};
  Segments segments{};

  [[nodiscard]] std::vector<const SensorHistory*> histories() const;
  [[nodiscard]] Seconds interval(const Channel& channel) const;
  void take(Channel& channel, const Result<SensorReading>& reading, Seconds interval);
  void wait_for_round(std::unique_lock<std::mutex>& lock);
  void begin_record();
  [[nodiscard]] MeterRecord record(Seconds end) const;
  static void run(const std::shared_ptr<State>& state, std::size_t index);
};

std::vector<const SensorHistory*> Meter::State::histories() const {
  std::vector<const SensorHistory*> all;
  for (const Channel& channel : channels) all.push_back(&channel.history);
  return all;
}

// As stated, else as often as a hundredth of a core allows.
Seconds Meter::State::interval(const Channel& channel) const {
  if (options.interval) return *options.interval;
  const double share = core_share / static_cast<double>(channels.size());
  const Seconds affordable = channel.typical_cost.value_or(Seconds{0.0}) / share;
  return std::clamp(affordable, usual_interval, longest_interval);
}

void Meter::State::take(Channel& channel, const Result<SensorReading>& reading, Seconds interval) {
  if (reading) {
    channel.refusals = 0;
    channel.hung = false;
    channel.history.add(*reading, interval);
    return;
  }
  const bool gone = reading.error().kind == ErrorKind::hardware_absent;
  if (!gone && ++channel.refusals < most_refusals) return;
  channel.history.lose(monotonic_now(), reading.error().message);
}

void Meter::State::run(const std::shared_ptr<State>& state, std::size_t index) {
  std::unique_lock lock(state->mutex);
  Channel& channel = state->channels[index];
  Seconds interval = usual_interval;
  for (int count = 0;; ++count) {
    const std::uint64_t round = state->round;
    const bool last = state->stopping;
    channel.reading_since = monotonic_now();
    lock.unlock();
    const Seconds cpu_begin = thread_processor_time();
    const auto reading = channel.sensor->read(last || count % everything_each == 0);
    const Seconds cost = thread_processor_time() - cpu_begin;
    if (reading && state->options.on_reading) {
      const std::lock_guard guard(state->callback_mutex);
      state->options.on_reading(channel.sensor->facts(), *reading);
    }
    lock.lock();
    channel.reading_since.reset();
    if (state->final_record) break;  // nobody waited for this one
    state->take(channel, reading, interval);
    channel.history.spend(cost);
    channel.typical_cost = channel.typical_cost ? 0.8 * *channel.typical_cost + 0.2 * cost : cost;
    channel.served = round;
    state->changed.notify_all();
    if (last || channel.history.lost()) break;
    interval = state->interval(channel);
    state->wake.wait_for(lock, duration(interval),
                         [&] { return state->stopping || state->round != round; });
  }
  channel.finished = true;
  state->changed.notify_all();
}

void Meter::State::wait_for_round(std::unique_lock<std::mutex>& lock) {
  const auto answered = [&] {
    return std::ranges::all_of(channels, [&](const Channel& channel) {
      return channel.finished || channel.served >= round;
    });
  };
  wake.notify_all();
  changed.wait_for(lock, duration(options.call_timeout), answered);
  for (Channel& channel : channels) {
    channel.hung = !channel.finished && channel.served < round;
  }
}

void Meter::State::begin_record() {
  begin = monotonic_now();
  for (Channel& channel : channels) channel.history.restart(begin);
  segments.restart(begin);
}

namespace {

std::optional<Warning> judge_energies(const SensorRecord& sensor) {
  if (!sensor.energy_by_counter || !sensor.energy_by_integration) return std::nullopt;
  if (sensor.covered < shortest_comparison) return std::nullopt;
  const double counter = sensor.energy_by_counter->value();
  const double integral = sensor.energy_by_integration->value();
  const double largest = std::max(counter, integral);
  if (std::abs(counter - integral) <= disagreement * largest) return std::nullopt;
  return Warning{WarningCode::energies_disagree, sensor.facts.id,
                 fmt::format("{:.1f} J by the counter, {:.1f} J by integrating {} power; the "
                             "counter's is given",
                             counter, integral, to_string(sensor.facts.power_source))};
}

std::optional<Warning> judge_clocks(const SensorRecord& sensor) {
  std::string reasons;
  for (const ThrottleTime& time : sensor.throttling) {
    const bool matters = time.reason == ThrottleReason::hardware_slowdown ||
                         time.reason == ThrottleReason::software_thermal ||
                         time.reason == ThrottleReason::hardware_thermal ||
                         time.reason == ThrottleReason::power_brake;
    if (!matters) continue;
    reasons += fmt::format("{}{} for {:.1f} s", reasons.empty() ? "" : ", ", to_string(time.reason),
                           time.duration.value());
  }
  if (reasons.empty()) return std::nullopt;
  return Warning{WarningCode::clocks_limited, sensor.facts.id,
                 fmt::format("was slowed down: {}; times on a cooler device are shorter", reasons)};
}

void judge(std::vector<Warning>& warnings, const SensorRecord& sensor) {
  const std::string& id = sensor.facts.id;
  if (sensor.lost_at) {
    warnings.push_back({WarningCode::sensor_lost, id,
                        fmt::format("{}; it was read for {:.1f} s, and its energy ends there",
                                    sensor.lost_because, sensor.lost_at->value())});
  }
  if (!sensor.facts.energy_counter && sensor.facts.power_source == PowerSource::none) {
    warnings.push_back({WarningCode::energy_not_measured, id,
                        "has neither an energy counter nor a power reading"});
  } else if (!sensor.energy && !sensor.lost_at) {
    warnings.push_back(
        {WarningCode::energy_not_measured, id, "was not read twice, so no energy is known"});
  }
  if (sensor.gaps > 0) {
    warnings.push_back(
        {WarningCode::sampling_gap, id,
         fmt::format("{} gaps of {:.1f} s in all, the longest {:.1f} s; {}", sensor.gaps,
                     sensor.gap_time.value(), sensor.longest_gap.value(),
                     sensor.energy_source == EnergySource::counter
                         ? "the counter went on over them"
                         : "the energy there is a straight line between the readings around")});
  }
  if (sensor.counter_resets > 0) {
    warnings.push_back(
        {WarningCode::counter_reset, id,
         fmt::format("the energy counter began anew {} times; the energy of those "
                     "intervals is {}",
                     sensor.counter_resets,
                     sensor.energy_by_integration ? "integrated from power" : "left out")});
  }
  if (auto warning = judge_energies(sensor)) warnings.push_back(std::move(*warning));
  if (auto warning = judge_clocks(sensor)) warnings.push_back(std::move(*warning));
  if (sensor.facts.multi_instance) {
    warnings.push_back({WarningCode::device_shared, id,
                        "is divided into instances (MIG); the figures are of the whole GPU, other "
                        "programs on it included"});
  }
}

}  // namespace

MeterRecord Meter::State::record(Seconds end) const {
  MeterRecord record{.begin = begin, .duration = end - begin};
  for (const Channel& channel : channels) {
    record.sensors.push_back(channel.history.record(end));
    const SensorRecord& sensor = record.sensors.back();
    if (channel.hung) {
      record.warnings.push_back(
          {WarningCode::sensor_hung, sensor.facts.id,
           fmt::format(
               "the driver has not answered for {:.0f} s; the energy ends at its last "
               "answer",
               (monotonic_now() - channel.reading_since.value_or(monotonic_now())).value())});
    }
    judge(record.warnings, sensor);
  }
  segments.write_to(record);
  return record;
}

Meter::Meter(std::vector<std::shared_ptr<Sensor>> sensors, const MeterOptions& options)
    : state_(std::make_shared<State>()) {
  state_->options = options;
  for (auto& sensor : sensors) {
    SensorHistory history(sensor->facts());
    state_->channels.push_back({.sensor = std::move(sensor), .history = std::move(history)});
  }
  std::unique_lock lock(state_->mutex);
  for (std::size_t i = 0; i < state_->channels.size(); ++i) {
    state_->channels[i].thread = std::thread(State::run, state_, i);
  }
  state_->wait_for_round(lock);
  state_->begin_record();
}

Meter::Meter(Meter&&) noexcept = default;
Meter& Meter::operator=(Meter&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Meter::~Meter() {
  if (state_) stop();
}

MeterRecord Meter::restart() {
  std::unique_lock lock(state_->mutex);
  const Seconds end = monotonic_now();
  ++state_->round;
  state_->wait_for_round(lock);
  state_->segments.close(end, state_->histories());
  MeterRecord record = state_->record(end);
  state_->begin_record();
  return record;
}

void Meter::feed_marks(std::string_view bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->segments.feed(bytes, monotonic_now());
  state_->segments.resolve(state_->histories());
}

MeterRecord Meter::snapshot() const {
  const std::lock_guard lock(state_->mutex);
  return state_->record(monotonic_now());
}

MeterRecord Meter::stop() {
  std::unique_lock lock(state_->mutex);
  if (state_->final_record) return *state_->final_record;
  const Seconds end = monotonic_now();
  state_->stopping = true;
  ++state_->round;
  state_->wait_for_round(lock);
  state_->segments.close(end, state_->histories());
  state_->final_record = state_->record(end);
  std::vector<std::thread> finished;
  for (State::Channel& channel : state_->channels) {
    if (channel.hung) {
      channel.thread.detach();  // it holds the state, and ends when the driver answers
    } else {
      finished.push_back(std::move(channel.thread));
    }
  }
  MeterRecord record = *state_->final_record;
  lock.unlock();
  for (std::thread& thread : finished) thread.join();
  return record;
}

}  // namespace joulecast

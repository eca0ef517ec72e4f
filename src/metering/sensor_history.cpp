// SPDX-License-Identifier: Apache-2.0
// Energy by counter: E = sum of (c_i - c_(i-1)), where a counter that went back has reached its
// range or was reset. Energy by integration: the trapezoidal rule over the readings of power,
// E = sum of (P_i + P_(i-1)) / 2 * (t_i - t_(i-1)).
#include "metering/sensor_history.hpp"

#include <algorithm>
#include <utility>

namespace joulecast {
namespace {

// Marks are read ten times a second; two minutes leave room for a machine that is held up.
constexpr double kept_seconds = 120.0;
// No accelerator and no processor draws more, by a factor of several.
constexpr double highest_watts = 20e3;

}  // namespace

std::optional<Joules> energy_between(const std::optional<double>& end,
                                     const std::optional<double>& begin) {
  if (!end || !begin) return std::nullopt;
  return Joules{*end - *begin};
}

void Cumulative::add(double at_seconds, double amount) {
  const double before = knots_.empty() ? 0.0 : knots_.back().total;
  knots_.push_back({at_seconds, before + amount});
  while (knots_.size() > 2 && knots_[1].at_seconds < at_seconds - kept_seconds) knots_.pop_front();
}

std::optional<double> Cumulative::at(double seconds) const {
  const auto after =
      std::lower_bound(knots_.begin(), knots_.end(), seconds,
                       [](const Knot& knot, double moment) { return knot.at_seconds < moment; });
  if (after == knots_.end()) return std::nullopt;
  if (after->at_seconds == seconds) return after->total;
  if (after == knots_.begin()) return std::nullopt;
  const Knot& before = *std::prev(after);
  const double share = (seconds - before.at_seconds) / (after->at_seconds - before.at_seconds);
  return before.total + share * (after->total - before.total);
}

void SensorHistory::Sum::add(const std::optional<double>& value) {
  if (!value) return;
  lowest = count == 0 ? *value : std::min(lowest, *value);
  highest = count == 0 ? *value : std::max(highest, *value);
  total += *value;
  ++count;
}

std::optional<Spread> SensorHistory::Sum::spread() const {
  if (count == 0) return std::nullopt;
  return Spread{.mean = total / static_cast<double>(count), .lowest = lowest, .highest = highest};
}

SensorHistory::SensorHistory(SensorFacts facts) { record_.facts = std::move(facts); }

double SensorHistory::integral_between(double begin, double end) const {
  return energy_between(integral_.at(end), integral_.at(begin)).value_or(Joules{0.0}).value();
}

void SensorHistory::add_counter(const SensorReading& reading) {
  if (!reading.energy_counter) return;
  const double now = reading.energy_counter->value();
  const double at = reading.at.value();
  if (!last_counter_) {
    counter_.add(at, 0.0);
    last_counter_ = now;
    return;
  }
  const double since = counter_.last_at();
  double amount = now - *last_counter_;
  if (amount < 0.0) {
    // Back by a whole range is plausible where the power that follows from it is.
    const double wrapped =
        record_.facts.counter_range ? amount + record_.facts.counter_range->value() : -1.0;
    if (wrapped >= 0.0 && wrapped <= highest_watts * (at - since)) {
      amount = wrapped;
    } else {
      // What the counter counted before it was reset is not known to it any more.
      ++record_.counter_resets;
      amount = integral_between(since, at);
    }
  }
  counter_.add(at, amount);
  last_counter_ = now;
  if (record_.facts.power_source == PowerSource::counter && at > since) {
    const Watts power{amount / (at - since)};
    record_.peak_power = std::max(record_.peak_power.value_or(power), power);
  }
}

void SensorHistory::add_power(const SensorReading& reading) {
  if (!reading.power) return;
  const double now = reading.power->value();
  const double at = reading.at.value();
  const double amount = last_power_ ? 0.5 * (now + *last_power_) * (at - integral_.last_at()) : 0.0;
  integral_.add(at, amount);
  last_power_ = now;
  record_.peak_power = std::max(record_.peak_power.value_or(*reading.power), *reading.power);
}

void SensorHistory::add_state(const SensorReading& reading) {
  clock_.add(reading.clock_hertz);
  memory_clock_.add(reading.memory_clock_hertz);
  temperature_.add(reading.temperature_celsius);
  if (!reading.throttle_reasons) return;
  // The time since the last look goes to what is seen now.
  const Seconds stretch = state_at_ ? reading.at - *state_at_ : Seconds{0.0};
  for (const ThrottleReason reason : throttle_reasons_in(*reading.throttle_reasons)) {
    throttled_[reason] += stretch;
  }
  state_at_ = reading.at;
}

void SensorHistory::add(const SensorReading& reading, Seconds expected_interval) {
  if (lost() || (last_at_ && reading.at <= *last_at_)) return;
  if (last_at_ && record_.readings > 0) {
    const Seconds stretch = reading.at - *last_at_;
    if (stretch > std::max(Seconds{1.0}, 3.0 * expected_interval)) {
      ++record_.gaps;
      record_.gap_time += stretch;
      record_.longest_gap = std::max(record_.longest_gap, stretch);
    }
  }
  // The integral goes first: it fills in for a counter that was reset.
  add_power(reading);
  add_counter(reading);
  add_state(reading);
  if (!first_at_) first_at_ = reading.at;
  last_at_ = reading.at;
  ++record_.readings;
  set_origin(counter_origin_, counter_);
  set_origin(integral_origin_, integral_);
}

void SensorHistory::set_origin(Origin& origin, const Cumulative& sum) const {
  if (origin.total || sum.empty()) return;
  const double begin = begin_.value();
  const bool late = sum.first_at() > begin;
  origin.total = late ? 0.0 : sum.at(begin);
  origin.at_seconds = late ? sum.first_at() : begin;
}

std::optional<Joules> SensorHistory::since(const Origin& origin, const Cumulative& sum,
                                           Seconds end) const {
  if (!origin.total || sum.last_at() <= origin.at_seconds) return std::nullopt;
  return energy_between(sum.at(std::min(end.value(), sum.last_at())), origin.total);
}

void SensorHistory::lose(Seconds at, std::string because) {
  if (lost()) return;
  record_.lost_at = at;
  record_.lost_because = std::move(because);
}

void SensorHistory::restart(Seconds begin) {
  begin_ = begin;
  SensorRecord fresh;
  fresh.facts = std::move(record_.facts);
  fresh.lost_at = record_.lost_at;
  fresh.lost_because = std::move(record_.lost_because);
  fresh.readings = last_at_ ? 1 : 0;
  record_ = std::move(fresh);
  first_at_ = last_at_;
  counter_origin_ = {};
  integral_origin_ = {};
  set_origin(counter_origin_, counter_);
  set_origin(integral_origin_, integral_);
  clock_ = memory_clock_ = temperature_ = Sum{};
  throttled_.clear();
}

std::optional<EnergyPoint> SensorHistory::at(Seconds moment) const {
  const double seconds = moment.value();
  const bool early = (!counter_.empty() && counter_.last_at() < seconds) ||
                     (!integral_.empty() && integral_.last_at() < seconds) || !last_at_;
  if (early && !lost()) return std::nullopt;
  return EnergyPoint{counter_.at(seconds), integral_.at(seconds)};
}

SensorRecord SensorHistory::record(Seconds end) const {
  SensorRecord record = record_;
  record.clock_hertz = clock_.spread();
  record.memory_clock_hertz = memory_clock_.spread();
  record.temperature_celsius = temperature_.spread();
  for (const auto& [reason, duration] : throttled_) record.throttling.push_back({reason, duration});
  if (record.lost_at) record.lost_at = std::max(Seconds{0.0}, *record.lost_at - begin_);
  if (!last_at_ || record.readings < 2) return record;
  record.mean_interval = (*last_at_ - *first_at_) / static_cast<double>(record.readings - 1);

  record.energy_by_counter = since(counter_origin_, counter_, end);
  record.energy_by_integration = since(integral_origin_, integral_, end);
  record.energy =
      record.energy_by_counter ? record.energy_by_counter : record.energy_by_integration;
  if (record.energy) {
    record.energy_source =
        record.energy_by_counter ? EnergySource::counter : EnergySource::integration;
    const Cumulative& sum = record.energy_by_counter ? counter_ : integral_;
    const Origin& origin = record.energy_by_counter ? counter_origin_ : integral_origin_;
    record.covered = Seconds{std::min(end.value(), sum.last_at())} - Seconds{origin.at_seconds};
    record.mean_power = *record.energy / record.covered;
  }
  return record;
}

}  // namespace joulecast

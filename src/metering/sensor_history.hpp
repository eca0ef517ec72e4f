// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the readings of one sensor add up to. Readings come in the order of time; only those of the
// last minutes are kept, for marks that arrive late.

#include <joulecast/meter.hpp>

#include <deque>
#include <map>
#include <optional>
#include <string>

namespace joulecast {

// Energies since the first reading, at one moment.
struct EnergyPoint {
  std::optional<double> counter_joules{};
  std::optional<double> integral_joules{};
};

// Of two totals; absent where one of them is not known.
std::optional<Joules> energy_between(const std::optional<double>& end,
                                     const std::optional<double>& begin);

// A quantity that only grows, known at moments. Between them it is taken to grow evenly.
class Cumulative {
 public:
  void add(double at_seconds, double amount);
  // Absent outside of what is kept.
  [[nodiscard]] std::optional<double> at(double seconds) const;
  [[nodiscard]] bool empty() const { return knots_.empty(); }
  [[nodiscard]] double first_at() const { return knots_.front().at_seconds; }
  [[nodiscard]] double last_at() const { return knots_.back().at_seconds; }
  [[nodiscard]] double last() const { return knots_.back().total; }

 private:
  struct Knot {
    double at_seconds;
    double total;
  };
  std::deque<Knot> knots_;
};

class SensorHistory {
 public:
  explicit SensorHistory(SensorFacts facts);

  // `expected_interval` is what was intended between this reading and the one before.
  void add(const SensorReading& reading, Seconds expected_interval);
  // Nothing comes after this.
  void lose(Seconds at, std::string because);
  // Forgets all figures but the last reading; energies count from `begin`, which is not before it.
  void restart(Seconds begin);
  void spend(Seconds cpu_time) { record_.reading_cpu_time += cpu_time; }

  // Energies at a moment, or nothing yet where no reading has come after it.
  [[nodiscard]] std::optional<EnergyPoint> at(Seconds moment) const;
  // From `begin` of the last restart to the last reading, or to `end` where that is earlier.
  [[nodiscard]] SensorRecord record(Seconds end) const;
  [[nodiscard]] bool lost() const { return record_.lost_at.has_value(); }
  [[nodiscard]] const SensorFacts& facts() const { return record_.facts; }

 private:
  void add_counter(const SensorReading& reading);
  void add_power(const SensorReading& reading);
  void add_state(const SensorReading& reading);
  [[nodiscard]] double integral_between(double begin, double end) const;

  struct Sum {
    std::int64_t count = 0;
    double total = 0.0;
    double lowest = 0.0;
    double highest = 0.0;

    void add(const std::optional<double>& value);
    [[nodiscard]] std::optional<Spread> spread() const;
  };

  SensorRecord record_;  // the figures that are sums already
  Seconds begin_{};
  std::optional<Seconds> first_at_;
  std::optional<Seconds> last_at_;
  std::optional<Seconds> state_at_;  // of the last reading of everything
  std::optional<double> last_counter_;
  std::optional<double> last_power_;
  Cumulative counter_;
  Cumulative integral_;
  // The totals from which energies count: at `begin_`, or at the first reading where it came later.
  struct Origin {
    std::optional<double> total{};
    double at_seconds = 0.0;
  };
  void set_origin(Origin& origin, const Cumulative& sum) const;
  [[nodiscard]] std::optional<Joules> since(const Origin& origin, const Cumulative& sum,
                                            Seconds end) const;
  Origin counter_origin_;
  Origin integral_origin_;
  Sum clock_, memory_clock_, temperature_;
  std::map<ThrottleReason, Seconds> throttled_;  // reasons that were seen
};

}  // namespace joulecast

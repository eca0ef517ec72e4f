// SPDX-License-Identifier: Apache-2.0
#pragma once

// Segments of a run, from the marks that the program writes about itself.

#include "metering/sensor_history.hpp"

#include <joulecast/meter.hpp>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

class Segments {
 public:
  // Forgets all and counts times from `begin`. Marks before it are refused.
  void restart(Seconds begin);
  // Whole lines are read, the beginning of one waits for its end. A mark without a time is one
  // of `now`.
  void feed(std::string_view bytes, Seconds now);
  // Looks up the energies of marks that readings have come after.
  void resolve(std::span<const SensorHistory* const> sensors);
  // Closes what is open at `end`. Energies that no reading has come after stay absent.
  void close(Seconds end, std::span<const SensorHistory* const> sensors);

  // Into `record`: segments, their sums, and warnings about marks.
  void write_to(MeterRecord& record) const;

 private:
  struct Edge {
    Seconds at{};
    std::vector<std::optional<EnergyPoint>> points{};  // one for each sensor, once known
  };
  struct Pending {
    std::string name{};
    Edge begin{};
    Edge end{};
  };

  void read_line(std::string_view line, Seconds now);
  void begin_segment(const std::string& name, Seconds at);
  void end_segment(const std::string& name, Seconds at);
  void refuse(std::string_view line, std::string_view why);
  void finish(const Pending& segment, std::span<const SensorHistory* const> sensors);
  static bool look_up(Edge& edge, std::span<const SensorHistory* const> sensors);

  Seconds begin_{};
  std::string unfinished_line_;
  bool line_too_long_ = false;
  std::map<std::string, Edge, std::less<>> open_;
  std::vector<Pending> ended_;  // energies not known yet
  std::vector<Segment> finished_;
  std::map<std::string, SegmentSummary, std::less<>> summaries_;
  std::int64_t left_out_ = 0;    // of `finished_`
  std::int64_t not_summed_ = 0;  // of `summaries_` too
  std::vector<Warning> refused_;
  std::int64_t refused_count_ = 0;
  std::vector<std::string> closed_at_end_;
};

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "metering/segments.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr std::size_t most_segments = 10'000;  // kept one by one
constexpr std::size_t most_names = 10'000;     // kept as sums
constexpr std::size_t most_open = 1'000;
constexpr std::size_t longest_line = 400;  // a name and a time
constexpr std::size_t warnings_in_full = 5;
// Clocks of one machine are one clock; a mark further ahead was not taken from it.
constexpr Seconds furthest_ahead{1.0};

std::string_view next_word(std::string_view& line) {
  constexpr std::string_view blanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view word = line.substr(0, std::min(line.find_first_of(blanks), line.size()));
  line.remove_prefix(word.size());
  return word;
}

// "@12345" nanoseconds of CLOCK_MONOTONIC.
std::optional<Seconds> read_time(std::string_view word) {
  std::int64_t nanoseconds = 0;
  if (!word.starts_with('@')) return std::nullopt;
  word.remove_prefix(1);
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), nanoseconds);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == word.data() + word.size();
  if (!whole || word.empty() || nanoseconds < 0) return std::nullopt;
  return Seconds{static_cast<double>(nanoseconds) * 1e-9};
}

void add(std::optional<Joules>& sum, const std::optional<Joules>& part, bool first) {
  if (!part || (!first && !sum)) {
    sum.reset();  // a sum without one of its parts would be too small
    return;
  }
  sum = first ? *part : *sum + *part;
}

void add(SegmentSummary& summary, const Segment& segment) {
  const bool first = summary.count == 0;
  if (first) summary.energies.resize(segment.energies.size());
  for (std::size_t i = 0; i < segment.energies.size(); ++i) {
    const SegmentEnergy& part = segment.energies[i];
    SegmentEnergy& sum = summary.energies[i];
    sum.sensor = part.sensor;
    add(sum.energy, part.energy, first);
    add(sum.energy_by_counter, part.energy_by_counter, first);
    add(sum.energy_by_integration, part.energy_by_integration, first);
  }
  ++summary.count;
  summary.duration += segment.end - segment.begin;
}

}  // namespace

void Segments::restart(Seconds begin) {
  *this = Segments{};
  begin_ = begin;
}

void Segments::refuse(std::string_view line, std::string_view why) {
  ++refused_count_;
  if (refused_.size() >= warnings_in_full) return;
  refused_.push_back({WarningCode::mark_ignored, std::string(line.substr(0, 80)),
                      fmt::format("{}; a mark is \"begin NAME\" or \"end NAME\", with \"@\" and "
                                  "time.monotonic_ns() behind it if the time is to be exact",
                                  why)});
}

void Segments::begin_segment(const std::string& name, Seconds at) {
  if (open_.contains(name)) {
    return refuse("begin " + name, "the segment has begun already");
  }
  if (open_.size() >= most_open) return refuse("begin " + name, "1,000 segments are open");
  open_.emplace(name, Edge{.at = at});
}

void Segments::end_segment(const std::string& name, Seconds at) {
  const auto found = open_.find(name);
  if (found == open_.end()) return refuse("end " + name, "no segment of this name has begun");
  if (at < found->second.at) return refuse("end " + name, "the end lies before the begin");
  ended_.push_back({name, std::move(found->second), Edge{.at = at}});
  open_.erase(found);
}

void Segments::read_line(std::string_view line, Seconds now) {
  std::string_view rest = line;
  const std::string_view word = next_word(rest);
  if (word.empty()) return;
  const std::string name(next_word(rest));
  const std::string_view time_word = next_word(rest);
  const auto time = time_word.empty() ? std::optional(now) : read_time(time_word);
  if (word != "begin" && word != "end") return refuse(line, "not a mark");
  if (name.empty() || name.starts_with('@')) return refuse(line, "the mark has no name");
  if (!time) return refuse(line, "the time cannot be read");
  if (!next_word(rest).empty()) return refuse(line, "there is text behind the mark");
  if (*time < begin_) return refuse(line, "its time is before the measurement began");
  if (*time > now + furthest_ahead) {
    return refuse(line, "its time is not one of CLOCK_MONOTONIC, for it has not come yet");
  }
  if (word == "begin") return begin_segment(name, *time);
  end_segment(name, *time);
}

void Segments::feed(std::string_view bytes, Seconds now) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    unfinished_line_ += bytes.substr(0, std::min(end, bytes.size()));
    if (unfinished_line_.size() > longest_line) {
      line_too_long_ = true;
      unfinished_line_.resize(longest_line);
    }
    if (end == std::string_view::npos) return;
    const std::string line = std::exchange(unfinished_line_, {});
    if (std::exchange(line_too_long_, false)) {
      refuse(line, "the line is too long");
    } else {
      read_line(line, now);
    }
    bytes.remove_prefix(end + 1);
  }
}

bool Segments::look_up(Edge& edge, std::span<const SensorHistory* const> sensors) {
  edge.points.resize(sensors.size());
  bool complete = true;
  for (std::size_t i = 0; i < sensors.size(); ++i) {
    if (!edge.points[i]) edge.points[i] = sensors[i]->at(edge.at);
    complete = complete && edge.points[i].has_value();
  }
  return complete;
}

void Segments::finish(const Pending& pending, std::span<const SensorHistory* const> sensors) {
  Segment segment{
      .name = pending.name, .begin = pending.begin.at - begin_, .end = pending.end.at - begin_};
  for (std::size_t i = 0; i < sensors.size(); ++i) {
    const EnergyPoint begin = pending.begin.points[i].value_or(EnergyPoint{});
    const EnergyPoint end = pending.end.points[i].value_or(EnergyPoint{});
    SegmentEnergy energy{.sensor = sensors[i]->facts().id};
    energy.energy_by_counter = energy_between(end.counter_joules, begin.counter_joules);
    energy.energy_by_integration = energy_between(end.integral_joules, begin.integral_joules);
    energy.energy =
        energy.energy_by_counter ? energy.energy_by_counter : energy.energy_by_integration;
    segment.energies.push_back(std::move(energy));
  }
  const bool known = summaries_.contains(segment.name);
  if (known || summaries_.size() < most_names) {
    SegmentSummary& summary = summaries_[segment.name];
    summary.name = segment.name;
    add(summary, segment);
  } else {
    ++not_summed_;
  }
  if (finished_.size() < most_segments) {
    finished_.push_back(std::move(segment));
  } else {
    ++left_out_;
  }
}

void Segments::resolve(std::span<const SensorHistory* const> sensors) {
  for (auto& [name, edge] : open_) look_up(edge, sensors);
  // In the order of their ends: those behind one that waits wait as well.
  std::size_t done = 0;
  for (; done < ended_.size(); ++done) {
    Pending& pending = ended_[done];
    const bool begun = look_up(pending.begin, sensors);
    if (!look_up(pending.end, sensors) || !begun) break;
    finish(pending, sensors);
  }
  ended_.erase(ended_.begin(), ended_.begin() + static_cast<std::ptrdiff_t>(done));
}

void Segments::close(Seconds end, std::span<const SensorHistory* const> sensors) {
  if (!unfinished_line_.empty()) feed("\n", end);
  for (auto& [name, edge] : open_) {
    closed_at_end_.push_back(name);
    ended_.push_back({name, std::move(edge), Edge{.at = end}});
  }
  open_.clear();
  resolve(sensors);
  for (Pending& pending : ended_) {
    look_up(pending.begin, sensors);
    look_up(pending.end, sensors);
    finish(pending, sensors);
  }
  ended_.clear();
}

void Segments::write_to(MeterRecord& record) const {
  record.segments = finished_;
  for (const auto& [name, summary] : summaries_) record.summaries.push_back(summary);
  record.warnings.insert(record.warnings.end(), refused_.begin(), refused_.end());
  const auto shown = static_cast<std::int64_t>(refused_.size());
  if (refused_count_ > shown) {
    record.warnings.push_back(
        {WarningCode::mark_ignored, "marks",
         fmt::format("{} more marks could not be understood", refused_count_ - shown)});
  }
  if (!closed_at_end_.empty()) {
    record.warnings.push_back(
        {WarningCode::segment_not_ended, closed_at_end_.front(),
         closed_at_end_.size() == 1
             ? std::string("had no end mark; it is taken to end with the program")
             : fmt::format("and {} other segments had no end mark; they are taken to end with the "
                           "program",
                           closed_at_end_.size() - 1)});
  }
  if (left_out_ > 0) {
    record.warnings.push_back(
        {WarningCode::segments_left_out, "segments",
         fmt::format("{} segments beyond the first {} are not listed one by one; {} of them are in "
                     "the sums by name",
                     left_out_, most_segments, left_out_ - not_summed_)});
  }
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include <joulecast/validation.hpp>

#include "validation/groups.hpp"
#include "validation/metrics.hpp"
#include "validation/regimes.hpp"
#include "validation/steps.hpp"

#include <expected>
#include <map>
#include <tuple>
#include <utility>

namespace joulecast {
namespace {

// By device, operation and precision.
using SubjectKey = std::tuple<std::string, std::string, MeasuredPrecision>;

struct SubjectRows {
  Device device;
  std::vector<const Measurement*> rows;
};

Result<std::map<SubjectKey, SubjectRows>> sort_rows(std::span<const Measurement> measurements,
                                                    const DeviceCatalogue& devices) {
  std::map<std::string_view, Device> named;
  std::map<SubjectKey, SubjectRows> subjects;
  for (const Measurement& row : measurements) {
    auto device = named.find(row.device);
    if (device == named.end()) {
      auto found = devices.find(row.device);
      if (!found) {
        found.error().where = {.file = row.source, .path = "device"};
        return std::unexpected(found.error());
      }
      device = named.emplace(row.device, std::move(*found)).first;
    }
    SubjectRows& subject = subjects[SubjectKey(device->second.id, row.operation, row.precision)];
    if (subject.rows.empty()) subject.device = device->second;
    subject.rows.push_back(&row);
  }
  return subjects;
}

// Predicts the rows of one subject, and counts what has no prediction.
class Judge {
 public:
  Judge(const SubjectKey& key, const SubjectRows& subject, const LawSet& laws,
        const ValidationOptions& options, std::size_t place)
      : key_(key), subject_(subject), options_(options), place_(place) {
    const auto& [device, operation, precision] = key;
    law_ = laws.find(LawKey{device, precision, {operation}});
    if (auto facts = facts_of(subject.device, precision)) facts_ = std::move(*facts);
    std::vector<double> sizes;
    for (const Measurement* row : subject.rows) sizes.push_back(size_of(least_work(*row)));
    fifths_ = find_fifths(sizes);
  }

  [[nodiscard]] ValidationSubject describe_subject() const {
    const auto& [device, operation, precision] = key_;
    ValidationSubject subject{.device = device,
                              .precision = precision,
                              .operation = operation,
                              .measurements = static_cast<std::int64_t>(subject_.rows.size()),
                              .facts = facts_};
    if (law_ == nullptr) return subject;
    subject.laws = {refer_to(*law_)};
    return subject;
  }

  void judge_rows(Validation& validation) {
    for (const Measurement* row : subject_.rows) {
      auto judged = judge_duration(*row);
      if (!judged) ++gaps_[{ValidatedQuantity::duration, judged.error()}];
      const auto power = judge_power(*row, judged);
      if (!power) ++gaps_[{ValidatedQuantity::power, power.error()}];
      if (judged) validation.rows.push_back(*judged);
    }
    for (const auto& [what, rows] : gaps_) {
      const auto& [device, operation, precision] = key_;
      validation.gaps.push_back({device, precision, operation, what.first, what.second, rows, {}});
    }
  }

 private:
  template <class T>
  using Judged = std::expected<T, NotCompared>;

  [[nodiscard]] Judged<ValidationRow> judge_duration(const Measurement& row) const {
    if (law_ == nullptr) return std::unexpected(NotCompared::no_law);
    if (row.phase != MeasuredPhase::forward) return std::unexpected(NotCompared::other_phase);
    if (!is_plausible(row.duration.value())) return std::unexpected(NotCompared::implausible);
    if (!facts_) return std::unexpected(NotCompared::no_answer);
    const auto predicted = predict_measured(*law_, row, *facts_);
    if (!predicted) return std::unexpected(NotCompared::no_answer);
    const MeasuredWork work = least_work(row);
    const double size = size_of(work);
    ValidationRow judged;
    judged.row = &row;
    judged.subject = place_;
    judged.work = work;
    judged.predicted_duration = *predicted;
    judged.duration_interval =
        interval_for(*law_, *predicted, work.flops.value() / work.bytes.value());
    judged.in_sample = options_.in_sample(*law_, row);
    judged.doubted_duration = row.marks.doubts_duration();
    judged.regimes = {true, is_training_shape(row.shape), is_skinny_shape(row.shape),
                      size >= fifths_.large, size <= fifths_.small};
    return judged;
  }

  // Adds power to a row whose duration is predicted; nothing to do where none was measured.
  Judged<void> judge_power(const Measurement& row, Judged<ValidationRow>& judged) const {
    if (!row.power && !row.energy) return {};
    if (row.energy_kind != EnergyKind::board) {
      return std::unexpected(NotCompared::other_energy_kind);
    }
    if (!judged) return std::unexpected(judged.error());
    const Watts measured = row.power ? *row.power : *row.energy / row.duration;
    const Joules energy = row.energy ? *row.energy : *row.power * row.duration;
    if (!is_plausible(measured.value()) || !is_plausible(energy.value())) {
      return std::unexpected(NotCompared::implausible);
    }
    const auto predicted = options_.power
                               ? options_.power(row, subject_.device, judged->predicted_duration)
                               : std::nullopt;
    if (!predicted || !is_plausible(predicted->power.value()) ||
        !is_plausible((predicted->power * judged->predicted_duration).value())) {
      return std::unexpected(NotCompared::no_power_law);
    }
    judged->measured_power = measured;
    judged->predicted_power = predicted->power;
    judged->power_interval = predicted->interval;
    // A power that is an energy over a doubted time is doubted as well.
    judged->doubted_power = row.marks.doubts_power() || (!row.power && row.marks.doubts_duration());
    return {};
  }

  const SubjectKey& key_;
  const SubjectRows& subject_;
  const ValidationOptions& options_;
  std::size_t place_;
  const Law* law_ = nullptr;
  std::optional<DeviceFacts> facts_;
  FifthBounds fifths_;
  std::map<std::pair<ValidatedQuantity, NotCompared>, std::int64_t> gaps_;
};

}  // namespace

Result<Validation> validate_laws(std::span<const Measurement> measurements, const LawSet& laws,
                                 const DeviceCatalogue& devices, const ValidationOptions& options) {
  const auto subjects = sort_rows(measurements, devices);
  if (!subjects) return std::unexpected(subjects.error());
  Validation validation{.measurements = static_cast<std::int64_t>(measurements.size())};
  for (const auto& [key, subject] : *subjects) {
    if (subject.rows.front()->record() == MeasuredRecord::step) {
      const auto judged =
          judge_steps({subject.device, std::get<MeasuredPrecision>(key), subject.rows}, laws,
                      options, validation);
      if (!judged) return std::unexpected(judged.error());
      continue;
    }
    Judge judge(key, subject, laws, options, validation.subjects.size());
    validation.subjects.push_back(judge.describe_subject());
    judge.judge_rows(validation);
  }
  validation.groups = make_groups(validation.subjects, validation.rows);
  return validation;
}

std::string_view to_string(ValidationSet set) {
  switch (set) {
    case ValidationSet::out_of_sample: return "out_of_sample";
    case ValidationSet::out_of_sample_unmarked: return "out_of_sample_unmarked";
    case ValidationSet::in_sample: return "in_sample";
    case ValidationSet::in_sample_unmarked: return "in_sample_unmarked";
  }
  return "unknown";
}

std::string_view to_string(Regime regime) {
  switch (regime) {
    case Regime::all: return "all";
    case Regime::training: return "training";
    case Regime::skinny: return "skinny";
    case Regime::large: return "large";
    case Regime::small: return "small";
  }
  return "unknown";
}

std::string_view to_string(ValidatedQuantity quantity) {
  switch (quantity) {
    case ValidatedQuantity::duration: return "duration";
    case ValidatedQuantity::power: return "power";
    case ValidatedQuantity::energy: return "energy";
  }
  return "unknown";
}

std::string_view to_string(NotCompared reason) {
  switch (reason) {
    case NotCompared::no_law: return "no_law";
    case NotCompared::refused: return "refused";
    case NotCompared::other_phase: return "other_phase";
    case NotCompared::no_answer: return "no_answer";
    case NotCompared::implausible: return "implausible";
    case NotCompared::no_power_law: return "no_power_law";
    case NotCompared::other_energy_kind: return "other_energy_kind";
  }
  return "unknown";
}

}  // namespace joulecast

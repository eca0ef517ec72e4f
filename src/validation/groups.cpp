// SPDX-License-Identifier: Apache-2.0
#include "validation/groups.hpp"

#include "validation/metrics.hpp"

#include <span>

namespace joulecast {
namespace {

bool is_in(ValidationSet set, const ValidationRow& row, bool doubted) {
  switch (set) {
    case ValidationSet::out_of_sample: return !row.in_sample;
    case ValidationSet::out_of_sample_unmarked: return !row.in_sample && !doubted;
    case ValidationSet::in_sample: return row.in_sample;
    case ValidationSet::in_sample_unmarked: return row.in_sample && !doubted;
  }
  return false;
}

// An energy is doubted where either of its factors is.
bool is_doubted(const ValidationRow& row, ValidatedQuantity quantity) {
  switch (quantity) {
    case ValidatedQuantity::duration: return row.doubted_duration;
    case ValidatedQuantity::power: return row.doubted_power;
    case ValidatedQuantity::energy: return row.doubted_duration || row.doubted_power;
  }
  return false;
}

std::optional<IntervalFactors> multiply(const std::optional<IntervalFactors>& a,
                                        const std::optional<IntervalFactors>& b) {
  if (!a || !b) return std::nullopt;
  return IntervalFactors{a->lower * b->lower, a->upper * b->upper};
}

std::optional<PredictedValue> value_of(const ValidationRow& row, ValidatedQuantity quantity) {
  if (quantity == ValidatedQuantity::duration) {
    return PredictedValue{row.row->duration.value(), row.predicted_duration.value(),
                          row.duration_interval};
  }
  if (!row.measured_power || !row.predicted_power) return std::nullopt;
  if (quantity == ValidatedQuantity::power) {
    return PredictedValue{row.measured_power->value(), row.predicted_power->value(),
                          row.power_interval};
  }
  const Joules measured = row.row->energy.value_or(*row.measured_power * row.row->duration);
  return PredictedValue{measured.value(), (*row.predicted_power * row.predicted_duration).value(),
                        row.energy_interval ? row.energy_interval
                                            : multiply(row.duration_interval, row.power_interval)};
}

void add_groups(const ValidationSubject& subject, std::span<const ValidationRow> rows,
                ValidationSet set, ValidatedQuantity quantity,
                std::vector<ValidationGroup>& groups) {
  std::array<std::vector<PredictedValue>, all_regimes.size()> values;
  for (const ValidationRow& row : rows) {
    const auto value = value_of(row, quantity);
    if (!value || !is_in(set, row, is_doubted(row, quantity))) continue;
    for (std::size_t i = 0; i < all_regimes.size(); ++i) {
      if (row.regimes[i]) values[i].push_back(*value);
    }
  }
  for (std::size_t i = 0; i < all_regimes.size(); ++i) {
    if (values[i].empty()) continue;
    groups.push_back({.set = set,
                      .device = subject.device,
                      .precision = subject.precision,
                      .operation = subject.operation,
                      .regime = all_regimes[i],
                      .quantity = quantity,
                      .metrics = compute_metrics(values[i])});
  }
}

}  // namespace

std::vector<ValidationGroup> make_groups(const std::vector<ValidationSubject>& subjects,
                                         const std::vector<ValidationRow>& rows) {
  std::vector<ValidationGroup> groups;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    while (end < rows.size() && rows[end].subject == rows[begin].subject) ++end;
    const std::span<const ValidationRow> own(&rows[begin], end - begin);
    for (const ValidationSet set : all_validation_sets) {
      for (const ValidatedQuantity quantity : all_validated_quantities) {
        add_groups(subjects[rows[begin].subject], own, set, quantity, groups);
      }
    }
    begin = end;
  }
  return groups;
}

}  // namespace joulecast

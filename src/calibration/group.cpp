// SPDX-License-Identifier: Apache-2.0
#include "calibration/group.hpp"

#include "fitting/shape_hash.hpp"
#include "validation/regimes.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

namespace joulecast {
namespace {

int fold_of(std::string_view key) {
  return static_cast<int>(hash_of_shape(key, duration_basis) % fold_count);
}

// Training is what the laws are for; windows and short sequences have other kernels and count less.
double weight_of(const MeasuredShape& shape) {
  const bool training = is_training_shape(shape);
  if (const auto* attention = std::get_if<AttentionShape>(&shape)) {
    if (training) return 1.0;
    return attention->window > 0 ? 0.1 : 0.2;
  }
  return training ? 1.5 : 1.0;
}

FitRow make_row(const Measurement& row) {
  const MeasuredWork work = least_work(row);
  return {.row = &row,
          .sample = {.operation = row.operation,
                     .shape = row.shape,
                     .precision = row.precision,
                     .flops = work.flops.value(),
                     .bytes = work.bytes.value(),
                     .seconds = row.duration.value(),
                     .weight = weight_of(row.shape)},
          .hash = short_hash(row),
          .fold = fold_of(shape_key(row.shape))};
}

// Two boards under one name, or two settings of one, show in shapes whose repeats disagree.
void warn_of_disagreement(const std::map<std::string, std::pair<double, double>>& spans,
                          FitGroup& group) {
  constexpr double far_apart = 1.3;
  constexpr double too_many = 0.1;
  std::int64_t repeated = 0;
  std::int64_t apart = 0;
  for (const auto& [key, span] : spans) {
    if (span.first == span.second) continue;
    ++repeated;
    if (span.second > far_apart * span.first) ++apart;
  }
  if (repeated < 10 || static_cast<double>(apart) < too_many * static_cast<double>(repeated))
    return;
  group.warnings.push_back(
      {WarningCode::rows_disagree,
       fmt::format("{}/{}/{}", group.id.device, to_string(group.id.precision), group.id.operation),
       fmt::format("{} of {} repeated shapes differ by over {} times: more than one device or "
                   "setting under one name?",
                   apart, repeated, far_apart)});
}

// Nothing where a law can be fitted, else the reason why not.
std::string fill_group(std::span<const Measurement* const> rows, const DeviceCatalogue& devices,
                       FitGroup& group) {
  const auto device = devices.find(group.id.device);
  if (!device) return "the device is not in the catalogue";
  const auto facts = facts_of(*device, group.id.precision);
  if (!facts) return facts.error().message;
  group.facts = *facts;
  std::map<std::string, std::pair<double, double>> spans;  // by shape: least and most seconds
  for (const Measurement* row : rows) {
    if (row->marks.doubts_duration()) {
      ++group.doubted;
      continue;
    }
    const double seconds = row->duration.value();
    auto [place, added] = spans.try_emplace(describe(row->shape), seconds, seconds);
    place->second = {std::min(place->second.first, seconds),
                     std::max(place->second.second, seconds)};
    group.rows.push_back(make_row(*row));
  }
  group.shapes = static_cast<std::int64_t>(spans.size());
  if (group.shapes < least_shapes) {
    return fmt::format("{} distinct shapes, at least {} are needed", group.shapes, least_shapes);
  }
  const auto seconds_of = [](const FitRow& row) { return row.sample.seconds; };
  const auto [least, most] = std::ranges::minmax(group.rows, {}, seconds_of);
  if (least.sample.seconds == most.sample.seconds) return "all durations are alike";
  std::ranges::sort(group.rows, [](const FitRow& a, const FitRow& b) {
    return a.hash != b.hash ? a.hash < b.hash : hash_of(*a.row) < hash_of(*b.row);
  });
  warn_of_disagreement(spans, group);
  return {};
}

}  // namespace

std::vector<FitGroup> make_groups(std::span<const Measurement> measurements,
                                  const DeviceCatalogue& devices, std::vector<FitGap>& gaps) {
  std::map<LawId, std::vector<const Measurement*>> rows;
  std::map<LawId, std::int64_t> others;
  for (const Measurement& row : measurements) {
    const LawId id{row.device, row.precision, row.operation};
    if (row.record() == MeasuredRecord::operation && row.phase == MeasuredPhase::forward) {
      rows[id].push_back(&row);
    } else {
      ++others[id];
    }
  }
  std::vector<FitGroup> groups;
  for (const auto& [id, list] : rows) {
    FitGroup group{.id = id};
    const std::string reason = fill_group(list, devices, group);
    if (reason.empty()) {
      groups.push_back(std::move(group));
    } else {
      gaps.push_back(
          {id.device, id.precision, id.operation, static_cast<std::int64_t>(list.size()), reason});
    }
  }
  for (const auto& [id, count] : others) {
    gaps.push_back({id.device, id.precision, id.operation, count,
                    "laws are fitted to forward executions of operations"});
  }
  return groups;
}

std::vector<LawSample> all_samples(const FitGroup& group) {
  std::vector<LawSample> samples;
  samples.reserve(group.rows.size());
  for (const FitRow& row : group.rows) samples.push_back(row.sample);
  return samples;
}

std::vector<LawSample> samples_outside(const FitGroup& group, int fold) {
  std::vector<LawSample> samples;
  for (const FitRow& row : group.rows) {
    if (row.fold != fold) samples.push_back(row.sample);
  }
  return samples;
}

}  // namespace joulecast

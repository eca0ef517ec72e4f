// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows of one device, precision and operation, ready to be fitted.

#include "fitting/family_fit.hpp"

#include <joulecast/fit.hpp>

#include <span>
#include <vector>

namespace joulecast {

inline constexpr int fold_count = 5;
// Fewer shapes cannot tell a law from another, let alone judge one out of fold.
inline constexpr std::int64_t least_shapes = 8;

struct FitRow {
  const Measurement* row = nullptr;
  LawSample sample{};
  std::uint32_t hash = 0;
  int fold = 0;  // of its shape
};

struct FitGroup {
  LawId id{};
  DeviceFacts facts{};
  std::vector<FitRow> rows{};  // by hash: the order of the table does not matter
  std::int64_t doubted = 0;
  std::int64_t shapes = 0;
  std::vector<Warning> warnings{};
};

// Groups that a law can be fitted to; the others become gaps.
std::vector<FitGroup> make_groups(std::span<const Measurement> measurements,
                                  const DeviceCatalogue& devices, std::vector<FitGap>& gaps);

// All samples, or those in or out of a fold.
std::vector<LawSample> all_samples(const FitGroup& group);
std::vector<LawSample> samples_outside(const FitGroup& group, int fold);

}  // namespace joulecast

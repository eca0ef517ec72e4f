// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which laws do the authors' efficiency tables give, and which printed law is each closest to?

#include <joulecast/reproduction.hpp>

#include "fitting/saturation_fit.hpp"
#include "reproduction/author_tables.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// The printed law and what the rows of that GPU and operation give; no fit where there are none.
struct LawRefit {
  const PublishedLaw* published = nullptr;
  std::vector<HefSample> samples;
  std::optional<SaturationFit> fit;
};

// One per law of Table 1 and Table 2, in their order. Points into `numbers`.
Result<std::vector<LawRefit>> refit_laws(const PublishedNumbers& numbers,
                                         const AuthorTables& tables);

// Root mean square distance of two laws over the sizes measured, as a fraction.
double measure_distance(const SaturationLaw& a, const SaturationLaw& b,
                        const std::vector<HefSample>& samples);

// The operation, among those of Table 1 for the same GPU, whose printed law is nearest to a refit.
std::string find_nearest_operation(const PublishedNumbers& numbers, const LawRefit& refit);

// Tables 1 and 2, and Table 1 again with its projection laws exchanged. Without refits, quoted.
std::vector<ReproductionSection> compare_laws(const PublishedNumbers& numbers,
                                              const std::vector<LawRefit>& refits);

// R2 of all Table 1 refits together, over both GPUs; nothing where one is missing.
std::optional<double> compute_joint_r_squared(const std::vector<LawRefit>& refits);

}  // namespace joulecast

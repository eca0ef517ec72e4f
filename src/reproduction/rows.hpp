// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a published number and ours become one row of the reproduction.

#include <joulecast/reproduction.hpp>

#include <span>
#include <string>

namespace joulecast {

struct RowLabel {
  std::string item;
  std::string unit;
};

// Agrees within half a unit of the last printed digit.
ReproductionRow make_recomputed(RowLabel label, const PrintedNumber& published, double ours);

// The same for a table cell that may be listed as a misprint. A listed cell agrees if the table
// prints what the list says and the corrected number is ours.
ReproductionRow make_recomputed_cell(RowLabel label, const PrintedNumber& published, double ours,
                                     std::string_view table,
                                     std::span<const PublishedMisprint> misprints);

ReproductionRow make_refit(RowLabel label, const PrintedNumber& published, double ours,
                           std::string note);
ReproductionRow make_quoted(RowLabel label, std::string published, std::string reason);

// The claim of that name. Asserts that it exists: the claims are ours to ship.
const PublishedClaim& find_claim(const PublishedNumbers& numbers, std::string_view claim);

}  // namespace joulecast

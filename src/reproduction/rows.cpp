// SPDX-License-Identifier: Apache-2.0
#include "reproduction/rows.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace joulecast {
namespace {

// Half a unit of the last printed digit; the slack covers the rounding of decimals to binary.
double tolerance_of(const PrintedNumber& number) { return 0.5 * number.last_place * (1.0 + 1e-9); }

}  // namespace

ReproductionRow make_recomputed(RowLabel label, const PrintedNumber& published, double ours) {
  ReproductionRow row;
  row.item = std::move(label.item);
  row.unit = std::move(label.unit);
  row.published = published.text;
  row.ours = ours;
  row.difference = ours - published.value;
  row.tolerance = tolerance_of(published);
  row.status = ReproductionStatus::recomputed;
  row.agrees = std::abs(*row.difference) <= *row.tolerance;
  return row;
}

ReproductionRow make_recomputed_cell(RowLabel label, const PrintedNumber& published, double ours,
                                     std::string_view table,
                                     std::span<const PublishedMisprint> misprints) {
  const auto misprint = std::ranges::find_if(misprints, [&](const PublishedMisprint& entry) {
    return entry.table == table && entry.item == label.item;
  });
  ReproductionRow row = make_recomputed(std::move(label), published, ours);
  if (misprint == misprints.end()) return row;
  const PrintedNumber& corrected = misprint->corrected;
  row.misprint = true;
  row.agrees =
      published == misprint->printed && std::abs(ours - corrected.value) <= tolerance_of(corrected);
  row.note = fmt::format("misprint for {}: {}", corrected.text, misprint->reason);
  return row;
}

ReproductionRow make_refit(RowLabel label, const PrintedNumber& published, double ours,
                           std::string note) {
  ReproductionRow row;
  row.item = std::move(label.item);
  row.unit = std::move(label.unit);
  row.published = published.text;
  row.ours = ours;
  row.difference = ours - published.value;
  row.status = ReproductionStatus::refit;
  row.note = std::move(note);
  return row;
}

ReproductionRow make_quoted(RowLabel label, std::string published, std::string reason) {
  ReproductionRow row;
  row.item = std::move(label.item);
  row.unit = std::move(label.unit);
  row.published = std::move(published);
  row.note = std::move(reason);
  return row;
}

const PublishedClaim& find_claim(const PublishedNumbers& numbers, std::string_view claim) {
  const auto found = std::ranges::find(numbers.claims, claim, &PublishedClaim::claim);
  assert(found != numbers.claims.end() && "the published numbers lack a claim");
  return *found;
}

bool Reproduction::agrees() const {
  return std::ranges::all_of(sections, [](const ReproductionSection& section) {
    return std::ranges::all_of(section.rows, &ReproductionRow::agrees);
  });
}

std::string_view to_string(ReproductionStatus status) {
  switch (status) {
    case ReproductionStatus::recomputed: return "recomputed";
    case ReproductionStatus::refit: return "refit";
    case ReproductionStatus::quoted: return "quoted";
  }
  return "unknown";
}

std::string_view to_string(EvidenceSource source) {
  switch (source) {
    case EvidenceSource::from_data: return "from_data";
    case EvidenceSource::from_formulas: return "from_formulas";
    case EvidenceSource::quoted: return "quoted";
  }
  return "unknown";
}

}  // namespace joulecast

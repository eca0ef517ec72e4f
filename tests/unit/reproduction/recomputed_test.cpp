// SPDX-License-Identifier: Apache-2.0
#include "reproduction/recomputed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

namespace joulecast {
namespace {

bool agrees(const PublishedNumbers& numbers) {
  auto sections = recompute_published(numbers);
  if (!sections) return false;
  return Reproduction{std::move(*sections), {}, {}}.agrees();
}

// Every printed number that a recomputed row compares with, reachable for a change.
std::vector<PrintedNumber*> list_compared_numbers(PublishedNumbers& numbers) {
  std::vector<PrintedNumber*> list;
  for (auto& row : numbers.example) {
    list.insert(list.end(), {&row.teraflop_per_layer, &row.efficiency_percent,
                             &row.duration_paper_microseconds});
  }
  for (auto* grid : {&numbers.heads_grid, &numbers.width_grid}) {
    for (auto& row : grid->cells) {
      for (auto& cell : row) list.push_back(&cell);
    }
  }
  return list;
}

std::vector<PrintedNumber*> list_used_coefficients(PublishedNumbers& numbers) {
  std::vector<PrintedNumber*> list;
  for (auto& law : numbers.laws) {
    if (law.table != "Table 1" || law.device_id != "a100-80gb-pcie") continue;
    list.insert(list.end(), {&law.eta_max_percent, &law.saturation_rate, &law.saturation_exponent});
  }
  for (auto& coefficient : numbers.coefficients) {
    if (coefficient.table == "Table 8") list.push_back(&coefficient.coefficient);
  }
  for (auto& device : numbers.devices) {
    if (device.device_id == "a100-80gb-pcie") list.push_back(&device.peak_teraflop_per_second);
  }
  return list;
}

const std::vector<std::string> recomputed_claims{
    "energy_a_rounded", "energy_a",          "energy_b_rounded", "energy_b",
    "times_a",          "energy_a_own_laws", "energy_b_own_laws"};

TEST(Recomputed, EveryNumberAgrees) { EXPECT_TRUE(agrees(load_published_numbers())); }

// 8 rows of Table 5 with 3 numbers, 12 x 8 and 31 x 20 cells, 7 energies, one claim in words.
TEST(Recomputed, CoversTheTablesInFull) {
  const auto sections = recompute_published(load_published_numbers()).value();
  std::map<std::string, std::size_t> rows;
  for (const auto& section : sections) rows[section.name] = section.rows.size();
  EXPECT_EQ(rows, (std::map<std::string, std::size_t>{{"Table 5", 24},
                                                      {"Worked example", 7},
                                                      {"Table 9", 96},
                                                      {"Table 10", 620},
                                                      {"What dominates", 1}}));
  PublishedNumbers numbers = load_published_numbers();
  EXPECT_EQ(list_compared_numbers(numbers).size() + recomputed_claims.size() + 1,
            24U + 7U + 96U + 620U + 1U);
}

TEST(Recomputed, NamesTheMisprintsAndNoOthers) {
  const auto sections = recompute_published(load_published_numbers()).value();
  std::vector<std::string> misprints;
  for (const auto& section : sections) {
    for (const auto& row : section.rows) {
      if (row.misprint) misprints.push_back(row.item + " " + row.published);
    }
  }
  EXPECT_THAT(
      misprints,
      testing::UnorderedElementsAre(
          "A attention_scores TFLOP per layer 0.00674",
          "A attention_values TFLOP per layer 0.00674", "B qkv_projection TFLOP per layer 0.0724",
          "B attention_scores TFLOP per layer 0.0100", "B attention_values TFLOP per layer 0.0100",
          "B attention_output_projection TFLOP per layer 0.0240",
          "A attention_values duration 26.43", "B qkv_projection duration 108.90",
          "A attention_scores duration 33.28", "52 layers hidden size 1088 375.66"));
}

TEST(Recomputed, ChangingAnyPublishedNumberByItsLastDigitFails) {
  PublishedNumbers numbers = load_published_numbers();
  for (PrintedNumber* number : list_compared_numbers(numbers)) {
    const PrintedNumber original = *number;
    for (const int units : {-1, 1}) {
      *number = shift_last_place(original, units);
      EXPECT_FALSE(agrees(numbers)) << original.text << " as " << number->text;
    }
    *number = original;
  }
  EXPECT_TRUE(agrees(numbers));
}

TEST(Recomputed, ChangingAnyClaimedNumberByItsLastDigitFails) {
  PublishedNumbers numbers = load_published_numbers();
  for (auto& claim : numbers.claims) {
    if (std::ranges::find(recomputed_claims, claim.claim) == recomputed_claims.end()) continue;
    const std::string original = claim.published;
    for (const int units : {-1, 1}) {
      claim.published = shift_last_place(parse_printed(original).value(), units).text;
      EXPECT_FALSE(agrees(numbers)) << claim.claim << " as " << claim.published;
    }
    claim.published = original;
  }
}

TEST(Recomputed, ChangingAListedMisprintFails) {
  PublishedNumbers numbers = load_published_numbers();
  for (auto& misprint : numbers.misprints) {
    for (PrintedNumber* number : {&misprint.printed, &misprint.corrected}) {
      const PrintedNumber original = *number;
      for (const int units : {-1, 1}) {
        *number = shift_last_place(original, units);
        EXPECT_FALSE(agrees(numbers)) << misprint.item << " " << number->text;
      }
      *number = original;
    }
  }
}

// Each law parameter moves hundreds of cells of Table 10 by more than half a digit. The constant
// is the hardest: 0.0001 J is a fiftieth of the tolerance, and 6 to 8 cells are that close to it.
TEST(Recomputed, ChangingAnyCoefficientByItsLastDigitFails) {
  PublishedNumbers numbers = load_published_numbers();
  const auto coefficients = list_used_coefficients(numbers);
  EXPECT_EQ(coefficients.size(), 12U + 5U + 1U);
  for (PrintedNumber* number : coefficients) {
    const PrintedNumber original = *number;
    for (const int units : {-1, 1}) {
      *number = shift_last_place(original, units);
      EXPECT_FALSE(agrees(numbers)) << original.text << " as " << number->text;
    }
    *number = original;
  }
}

TEST(Recomputed, DropsToAnErrorWhereAnEnergyFallsBelowZero) {
  PublishedNumbers numbers = load_published_numbers();
  for (auto& coefficient : numbers.coefficients) {
    if (coefficient.table == "Table 8" && coefficient.term == "constant") {
      coefficient.coefficient = parse_printed("-99").value();
    }
  }
  EXPECT_FALSE(recompute_published(numbers).has_value());
}

// Model sizes of 64 and 128 have products smaller than any that was measured.
TEST(Recomputed, CountsCellsBeyondTheMeasuredSizes) {
  const PublishedNumbers numbers = load_published_numbers();
  EXPECT_EQ(count_extrapolated_cells(numbers, numbers.heads_grid).value(), 0U);
  EXPECT_EQ(count_extrapolated_cells(numbers, numbers.width_grid).value(), 2U * 31U);
}

}  // namespace
}  // namespace joulecast

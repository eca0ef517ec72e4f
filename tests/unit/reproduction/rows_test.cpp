// SPDX-License-Identifier: Apache-2.0
#include "reproduction/rows.hpp"

#include <array>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

PrintedNumber printed(const char* text) { return parse_printed(text).value(); }

TEST(ReproductionRows, AgreeWithinHalfAUnitOfTheLastPrintedDigit) {
  EXPECT_TRUE(make_recomputed({"e", "J"}, printed("36.06"), 36.0649).agrees);
  EXPECT_TRUE(make_recomputed({"e", "J"}, printed("36.06"), 36.055).agrees);
  EXPECT_FALSE(make_recomputed({"e", "J"}, printed("36.06"), 36.0651).agrees);
  const auto row = make_recomputed({"e", "J"}, printed("36"), 36.4);
  EXPECT_EQ(row.published, "36");
  EXPECT_NEAR(*row.difference, 0.4, 1e-12);
  EXPECT_NEAR(*row.tolerance, 0.5, 1e-6);
}

TEST(ReproductionRows, AMisprintMustBeAsListedAndItsCorrectionOurs) {
  const std::array list{PublishedMisprint{"T", "cell", printed("1.20"), printed("1.25"), "why"}};
  const auto row = [&](const char* text, double ours) {
    return make_recomputed_cell({"cell", ""}, printed(text), ours, "T", list);
  };
  EXPECT_TRUE(row("1.20", 1.251).agrees);
  EXPECT_TRUE(row("1.20", 1.251).misprint);
  EXPECT_EQ(row("1.20", 1.251).note, "misprint for 1.25: why");
  EXPECT_FALSE(row("1.20", 1.20).agrees);
  EXPECT_FALSE(row("1.25", 1.251).agrees);
  EXPECT_FALSE(make_recomputed_cell({"other", ""}, printed("1.2"), 1.2, "T", list).misprint);
}

TEST(ReproductionRows, OnlyRecomputedRowsDecide) {
  Reproduction result;
  result.sections = {{"T", "", {make_refit({"x", ""}, printed("1.0"), 7.0, "")}},
                     {"Q", "", {make_quoted({"y", ""}, "2.0", "not released")}}};
  EXPECT_TRUE(result.agrees());
  result.sections[0].rows.push_back(make_recomputed({"z", ""}, printed("1.0"), 1.2));
  EXPECT_FALSE(result.agrees());
  EXPECT_EQ(to_string(ReproductionStatus::refit), "refit");
  EXPECT_EQ(to_string(EvidenceSource::from_data), "from_data");
}

}  // namespace
}  // namespace joulecast

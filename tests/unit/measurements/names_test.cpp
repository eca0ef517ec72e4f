// SPDX-License-Identifier: Apache-2.0
#include "measurements/names.hpp"

#include <gtest/gtest.h>

#include <set>

namespace joulecast {
namespace {

TEST(MeasurementNames, EveryWordIsFoundAgain) {
  for (const MeasuredPrecision precision : all_measured_precisions) {
    EXPECT_EQ(measured_precision_from(to_string(precision)), precision);
  }
  for (const Mark mark : all_marks) EXPECT_EQ(mark_from(to_string(mark)), mark);
  EXPECT_EQ(energy_kind_from("post_step_sample"), EnergyKind::post_step_sample);
  EXPECT_EQ(measured_phase_from("backward_weight"), MeasuredPhase::backward_weight);
}

TEST(MeasurementNames, OtherWordsAreNotFound) {
  for (const char* word : {"", "unknown", "BF16", "bf16 "}) {
    EXPECT_FALSE(measured_precision_from(word).has_value()) << word;
    EXPECT_FALSE(mark_from(word).has_value()) << word;
    EXPECT_FALSE(energy_kind_from(word).has_value()) << word;
    EXPECT_FALSE(measured_phase_from(word).has_value()) << word;
    EXPECT_EQ(find_measured_operation(word), nullptr) << word;
  }
}

TEST(MeasurementNames, OperationsHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const std::string_view name : measured_operations()) {
    EXPECT_TRUE(names.insert(name).second) << name;
    ASSERT_NE(find_measured_operation(name), nullptr) << name;
    EXPECT_EQ(find_measured_operation(name)->name, name);
  }
}

TEST(MeasurementNames, BlockScaledFormatsShareTheRateOfTheirWidth) {
  EXPECT_EQ(peak_precision(MeasuredPrecision::fp8_block), Precision::fp8);
  EXPECT_EQ(peak_precision(MeasuredPrecision::nvfp4), Precision::fp4);
  EXPECT_EQ(peak_precision(MeasuredPrecision::tf32), Precision::tf32);
}

TEST(MarkSet, HoldsEachMarkByItself) {
  for (const Mark mark : all_marks) {
    MarkSet set;
    EXPECT_TRUE(set.empty());
    set.add(mark);
    set.add(mark);
    for (const Mark other : all_marks) EXPECT_EQ(set.has(other), other == mark);
    EXPECT_EQ(describe(set), to_string(mark));
    EXPECT_NE(set.doubts_duration(), set.doubts_power());
    EXPECT_EQ(set.doubts_duration(), doubts_duration(mark));
  }
}

TEST(MarkSet, ListsItsMarksInTheOrderOfTheirDeclaration) {
  MarkSet set;
  set.add(Mark::power_label_low);
  set.add(Mark::faster_than_peak);
  EXPECT_EQ(describe(set), "faster_than_peak;power_label_low");
  EXPECT_TRUE(set.doubts_duration());
  EXPECT_TRUE(set.doubts_power());
}

}  // namespace
}  // namespace joulecast

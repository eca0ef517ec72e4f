// SPDX-License-Identifier: Apache-2.0
#include "family_question.hpp"

#include <gtest/gtest.h>

namespace joulecast {
namespace {

double seconds_of(std::string_view family_name, std::map<std::string_view, double> values,
                  const ElementShape& shape, double bytes, const DeviceFacts& facts) {
  const LawFamily& family = *find_family(family_name);
  const auto parameters = lowest_but(family, std::move(values));
  const MeasuredShape question = shape;
  const std::string_view operation = family_name == "row_softmax" ? "softmax" : "layer_norm";
  return family.seconds(parameters,
                        {operation, question, MeasuredPrecision::fp32, 0.0, bytes, facts});
}

// Of 3 MB at 1 MB/s, 1 MB is in L2 and comes 8 times as fast: 2 + 1/8 s.
TEST(ElementwiseFamily, FindsPartOfTheBytesInTheCache) {
  DeviceFacts facts = slow_device("Ampere");
  facts.bandwidth_bytes_per_second = 1e6;
  EXPECT_NEAR(seconds_of("elementwise",
                         {{"bandwidth_share", 1.0}, {"cache_share", 1.0}, {"cache_speed", 8.0}},
                         {1000, 1000}, 3e6, facts),
              2.125, 1e-5);
}

// A row of 768 takes a warp as long as one of 1024: 2^30 rows x 1 us on one multiprocessor.
TEST(ElementwiseFamily, HoldsShortRowsInPowersOfTwo) {
  const std::int64_t rows = 1 << 30;
  const double expected = 1073.741824;
  for (const std::int64_t width : {513, 768, 1024}) {
    EXPECT_NEAR(seconds_of("row_softmax", {{"warp_row_seconds", 1e-6}, {"overlap_exponent", 12.0}},
                           {rows * width, width}, 1.0, slow_device("Ampere")),
                expected, 1e-5)
        << width;
  }
}

// 1025 numbers are three steps of 512: 2^30 rows x (1 + 3 * 0.5) us.
TEST(ElementwiseFamily, StepsThroughLongRows) {
  const std::int64_t rows = 1 << 30;
  const std::map<std::string_view, double> values = {{"block_row_seconds", 1e-6},
                                                     {"block_step_seconds", 5e-7}};
  EXPECT_NEAR(seconds_of("row_norm", values, {rows * 1025, 1025}, 1.0, slow_device("Ampere")),
              1073.741824 * 2.5, 1e-3);
}

// Rows of 4096 are read twice where read_again is 1, those of 1024 once; log2 in between: 2048 1.5
// times.
TEST(ElementwiseFamily, ReadsLongRowsAgain) {
  DeviceFacts facts = slow_device("Ampere");
  facts.bandwidth_bytes_per_second = 1e6;
  const std::map<std::string_view, double> values = {
      {"block_bandwidth_share", 1.0}, {"read_again", 1.0}, {"overlap_exponent", 12.0}};
  const auto seconds = [&](std::int64_t width) {
    return seconds_of("row_norm", values, {width, width}, 1e6, facts);
  };
  EXPECT_NEAR(seconds(1024), 1.0, 1e-5);
  EXPECT_NEAR(seconds(2048), 1.5, 1e-5);
  EXPECT_NEAR(seconds(4096), 2.0, 1e-5);
  EXPECT_NEAR(seconds(16384), 2.0, 1e-5);
}

}  // namespace
}  // namespace joulecast

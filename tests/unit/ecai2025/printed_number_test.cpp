// SPDX-License-Identifier: Apache-2.0
#include <joulecast/ecai2025.hpp>

#include <gtest/gtest.h>

namespace joulecast {
namespace {

TEST(PrintedNumber, KnowsItsLastPlace) {
  EXPECT_EQ(parse_printed("0.80")->last_place, 0.01);
  EXPECT_EQ(parse_printed("156")->last_place, 1.0);
  EXPECT_EQ(parse_printed("17544.28")->last_place, 0.01);
  EXPECT_EQ(parse_printed("-7.66e4")->last_place, 100.0);
  EXPECT_EQ(parse_printed("-7.66e4")->value, -76600.0);
}

TEST(PrintedNumber, IsAPlainDecimalOrNothing) {
  for (const char* text : {"", "x", "1 ", "nan", "inf", "more than twice", "1,5"}) {
    EXPECT_FALSE(parse_printed(text).has_value()) << text;
  }
}

TEST(PrintedNumber, ShiftsInItsOwnNotation) {
  EXPECT_EQ(shift_last_place(*parse_printed("0.80"), 1).text, "0.81");
  EXPECT_EQ(shift_last_place(*parse_printed("9.99"), 1).text, "10.00");
  EXPECT_EQ(shift_last_place(*parse_printed("-0.1378"), -1).text, "-0.1379");
  EXPECT_EQ(shift_last_place(*parse_printed("-7.66e4"), 1).text, "-7.65e4");
  EXPECT_EQ(shift_last_place(*parse_printed("36"), 1).text, "37");
}

}  // namespace
}  // namespace joulecast

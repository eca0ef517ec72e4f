// SPDX-License-Identifier: Apache-2.0
#include <joulecast/regression.hpp>

#include "../documents/temporary_directory.hpp"

#include <array>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Regression> regress(const std::string& text, const RegressionOptions& options) {
  const TemporaryDirectory directory;
  return fit_regression(directory.write("table.csv", text), options);
}

// NIST StRD, dataset Wampler1 (R. H. Wampler, JASA 65 (1970) 549): y = 1 + x + ... + x^5 at
// x = 0 ... 20. All six certified coefficients are 1, the residuals 0.
// https://www.itl.nist.gov/div898/strd/lls/data/Wampler1.shtml
TEST(Regression, ReachesTheCertifiedDigitsOfWampler) {
  std::string text = "x,x2,x3,x4,x5,y_joules\n";
  for (std::int64_t x = 0; x <= 20; ++x) {
    const std::int64_t x2 = x * x;
    const std::int64_t x3 = x2 * x;
    text += fmt::format("{},{},{},{},{},{}\n", x, x2, x3, x2 * x2, x2 * x3,
                        1 + x + x2 + x3 + x2 * x2 + x2 * x3);
  }
  const auto fit =
      regress(text, {.target = "y_joules", .features = {"x", "x2", "x3", "x4", "x5"}}).value();
  ASSERT_EQ(fit.terms.size(), 6U);
  for (const RegressionTerm& term : fit.terms) {
    EXPECT_NEAR(term.coefficient, 1.0, 1e-7) << term.name;
    // Without residuals every resample gives the same.
    EXPECT_NEAR(*term.lower, 1.0, 1e-5) << term.name;
    EXPECT_NEAR(*term.upper, 1.0, 1e-5) << term.name;
    EXPECT_TRUE(term.identified);
  }
  EXPECT_NEAR(fit.fitted.r_squared, 1.0, 1e-14);
  EXPECT_NEAR(fit.held_out->r_squared, 1.0, 1e-9);
  EXPECT_TRUE(fit.warnings.empty());
}

// e = 3 + 2 t: the unit of the slope is that of the target per that of the column.
constexpr const char* straight =
    "t_seconds,layers,e_joules\n1,4,5\n2,1,7\n3,9,9\n4,2,11\n5,5,13\n6,3,15\n7,7,17\n8,6,19\n";

TEST(Regression, NamesTheUnitsOfCoefficients) {
  const auto fit =
      regress(straight, {.target = "e_joules", .features = {"t_seconds", "layers"}}).value();
  EXPECT_EQ(fit.unit, "joules");
  EXPECT_EQ(fit.terms[0].unit, "joules");
  EXPECT_EQ(fit.terms[1].unit, "joules per second");
  EXPECT_EQ(fit.terms[2].unit, "joules per unit of layers");
  EXPECT_NEAR(fit.terms[0].coefficient, 3.0, 1e-12);
  EXPECT_NEAR(fit.terms[1].coefficient, 2.0, 1e-13);
  EXPECT_NEAR(fit.terms[2].coefficient, 0.0, 1e-13);
}

// e = 10 - t: with nothing negative the slope is 0, and the constant the mean, 10 - 4.5.
TEST(Regression, KeepsTheConstantAndSlopesFromTurningNegative) {
  const std::string text = "t_seconds,e_joules\n1,9\n2,8\n3,7\n4,6\n5,5\n6,4\n7,3\n8,2\n";
  const auto fit = regress(text, {.method = RegressionMethod::non_negative,
                                  .target = "e_joules",
                                  .features = {"t_seconds"}})
                       .value();
  EXPECT_NEAR(fit.terms[0].coefficient, 5.5, 1e-12);
  EXPECT_EQ(fit.terms[1].coefficient, 0.0);
  EXPECT_EQ(*fit.terms[1].upper, 0.0);
  EXPECT_NEAR(fit.fitted.r_squared, 0.0, 1e-12);
  // Of 8 distances from the mean: (3.5 + 2.5 + 1.5 + 0.5) / 4.
  EXPECT_NEAR(fit.fitted.mean_absolute_error, 2.0, 1e-12);
}

TEST(Regression, NamesColumnsThatAreOneAndCopiesOfRows) {
  const std::string text =
      "a_seconds,b_seconds,always,e_joules\n1,1000,7,2\n2,2000,7,4\n4,4000,7,7\n4,4000,7,7\n"
      "5,5000,7,11\n6,6000,7,11\n7,7000,7,15\n";
  const auto fit =
      regress(text, {.target = "e_joules", .features = {"a_seconds", "b_seconds", "always"}})
          .value();
  EXPECT_EQ(fit.rows, 7);
  EXPECT_EQ(fit.distinct_rows, 6);
  EXPECT_EQ(fit.rank, 1);
  ASSERT_EQ(fit.same_columns.size(), 1U);
  EXPECT_THAT(fit.same_columns[0].names, ElementsAre("a_seconds", "b_seconds"));
  EXPECT_NEAR(fit.same_columns[0].factors[1], 1000.0, 1e-9);
  EXPECT_TRUE(fit.terms[0].identified);
  for (std::size_t i = 1; i < fit.terms.size(); ++i) EXPECT_FALSE(fit.terms[i].identified);
  std::vector<WarningCode> codes;
  for (const Warning& warning : fit.warnings) codes.push_back(warning.code);
  EXPECT_THAT(codes, ElementsAre(WarningCode::columns_dependent, WarningCode::columns_dependent,
                                 WarningCode::rows_copied));
}

// Rows alike in the feature stay on one side: a column that numbers the groups predicts none of
// those held out.
TEST(Regression, HoldsOutRowsThatAreAlikeTogether) {
  std::string text = "group,e_joules\n";
  for (int i = 0; i < 40; ++i) text += fmt::format("{},{}\n", i / 4, i / 4 % 2 == 0 ? 1 : 2);
  const auto fit = regress(text, {.target = "e_joules", .features = {"group"}}).value();
  EXPECT_LT(fit.held_out->r_squared, 0.0);
}

TEST(Regression, SaysWhatIsWrongWithItsInput) {
  struct Case {
    std::string text;
    RegressionOptions options;
    std::string expected;
  };
  const RegressionOptions usual{.target = "e_joules", .features = {"t_seconds"}};
  const std::array cases{
      Case{straight, {.target = "layers", .features = {"t_seconds"}}, "does not end in a unit"},
      Case{straight, {.target = "e_joules"}, "names no column"},
      Case{straight, {.target = "e_joules", .features = {"e_joules"}}, "named twice"},
      Case{straight, {.target = "e_joules", .features = {"t"}}, "no column \"t\""},
      Case{"t_seconds,e_joules\n1,nan\n", usual, "table.csv:2:3: e_joules: expected a finite"},
      Case{"t_seconds,e_joules\n1,2\n", usual, "1 distinct rows cannot fix 2 coefficients"},
      Case{"t_seconds,e_joules\n", usual, "0 distinct rows"},
      Case{"t_seconds,e_joules\n1,2\n2,2\n3,2\n", usual, "all values of the target are alike"},
      Case{"t_seconds,e_joules\n1,2\n1", usual, "the row has 1 fields"},
  };
  for (const Case& one : cases) {
    const auto fit = regress(one.text, one.options);
    ASSERT_FALSE(fit.has_value()) << one.expected;
    EXPECT_THAT(describe(fit.error()), HasSubstr(one.expected));
  }
  const auto fit = regress(straight, {.method = RegressionMethod::ridge,
                                      .target = "e_joules",
                                      .features = {"t_seconds"},
                                      .penalty = 0.0});
  EXPECT_THAT(describe(fit.error()), HasSubstr("penalty must be positive"));
}

}  // namespace
}  // namespace joulecast

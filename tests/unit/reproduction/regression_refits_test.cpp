// SPDX-License-Identifier: Apache-2.0
#include "reproduction/regression_refits.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

// Energies made by E = 5 + 2 q + 3 s + 3 o + 4 f with o = s in another unit.
AuthorTables make_tables() {
  AuthorTables tables;
  for (int i = 0; i < 50; ++i) {
    TransformerStepRow row;
    const double q = 10.0 + 7.0 * std::sin(1.0 * i);
    const double s = 5.0 + 3.0 * std::cos(2.0 * i);
    const double f = 8.0 + 4.0 * std::sin(3.0 * i + 1.0);
    row.operations = {{{1, 1, q}, {1, 1, s}, {1, 1, s * 1e-6}, {1, 1, f}}};
    row.energy_joules = 5.0 + 2.0 * q + 6.0 * s + 4.0 * f;
    tables.transformer_steps.push_back(row);
    RnnStepRow rnn{i, "Activations", 0.0, {q, s, f, q * s}};
    rnn.counter_kwh = (100.0 - 7.0 * q + 4.0 * s + 2.0 * f + 3.0 * q * s) / 3.6e6;
    tables.rnn_steps.push_back(rnn);
  }
  return tables;
}

// A penalty of 5 against 50 rows shrinks by up to a tenth; the twins stay equal.
TEST(RegressionRefits, GiveTheStepRegressionWithEqualTwins) {
  const auto refits = refit_regressions(make_tables()).value();
  EXPECT_NEAR(refits.step.coefficients[0], 2.0, 0.25);
  EXPECT_NEAR(refits.step.coefficients[1], refits.step.coefficients[2], 1e-9);
  EXPECT_NEAR(refits.step.coefficients[1], 3.0, 0.35);
  EXPECT_THAT(refits.step.not_identified,
              testing::ElementsAre("attention_scores", "attention_values"));
}

TEST(RegressionRefits, GiveTheRnnRegressionWithTheMeanAsConstant) {
  const AuthorTables tables = make_tables();
  const auto refits = refit_regressions(tables).value();
  double mean = 0.0;
  for (const auto& row : tables.rnn_steps) mean += row.counter_kwh * 3.6e6 / 50.0;
  EXPECT_NEAR(refits.rnn.intercept, mean, 1e-9);
  EXPECT_THAT(refits.rnn.coefficients,
              testing::Pointwise(testing::DoubleNear(1e-9), {-7.0, 4.0, 2.0, 3.0}));
}

TEST(RegressionRefits, SayThatItIsADifferentRegression) {
  const auto refits = refit_regressions(make_tables()).value();
  const auto sections = compare_regressions(load_published_numbers(), &refits);
  ASSERT_EQ(sections.size(), 4U);
  EXPECT_THAT(sections[0].rows[0].note, HasSubstr("a different regression"));
  EXPECT_EQ(sections[0].rows[1].status, ReproductionStatus::quoted);  // its interval
  EXPECT_EQ(sections[1].name, "Table 4");
  EXPECT_EQ(sections[1].rows[1].item, "gate_activations");
  EXPECT_NEAR(*sections[1].rows[1].ours, -7.0, 1e-9);
  EXPECT_EQ(sections[2].name, "Table 4 notebook");
  EXPECT_EQ(sections[2].rows.size(), 8U);
}

// The energies follow the features exactly, so each split predicts its test rows; one that a tenth
// of the energies contradicts does not.
TEST(RegressionRefits, JudgeTheRnnRegressionOnRowsThatItHasNotSeen) {
  AuthorTables tables = make_tables();
  const SplitErrors exact = refit_regressions(tables).value().rnn_splits.value();
  EXPECT_NEAR(exact.r_squared_train, 1.0, 1e-12);
  EXPECT_NEAR(exact.r_squared_test, 1.0, 1e-12);
  EXPECT_NEAR(exact.mean_absolute_error_test, 0.0, 1e-9);
  for (std::size_t row = 0; row < tables.rnn_steps.size(); row += 10) {
    tables.rnn_steps[row].counter_kwh *= 3.0;
  }
  const SplitErrors disturbed = refit_regressions(tables).value().rnn_splits.value();
  EXPECT_LT(disturbed.r_squared_test, disturbed.r_squared_train);
  EXPECT_GT(disturbed.mean_absolute_error_test, 1.0);
  // One row in a test part has no spread to explain.
  tables.rnn_steps.resize(8);
  EXPECT_FALSE(refit_regressions(tables).value().rnn_splits.has_value());
}

}  // namespace
}  // namespace joulecast

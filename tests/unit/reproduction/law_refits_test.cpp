// SPDX-License-Identifier: Apache-2.0
#include "reproduction/law_refits.hpp"

#include "reproduction/published_procedure.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

void add_rows(std::vector<EfficiencyRow>& rows, const char* operation, const SaturationLaw& law,
              double lowest, double factor) {
  for (int i = 0; i < 40; ++i) {
    const double flops = lowest * std::pow(factor, i);
    const double eta = evaluate_hef(law, Flops{flops});
    rows.push_back(
        {"NVIDIA A100 80GB PCIe", operation, flops, eta * 100.0, flops / (156e12 * eta), 156e12});
  }
}

// Rows made from the printed laws with the two projections exchanged, as the authors' rows are.
AuthorTables make_exchanged_tables(const PublishedNumbers& numbers) {
  const auto law = [&](const char* operation) {
    return published_law(numbers, "a100-80gb-pcie", operation).value();
  };
  AuthorTables tables;
  add_rows(tables.transformer_efficiency, "QKV Projections", law("attention_output_projection"),
           2e9, 1.16);
  add_rows(tables.transformer_efficiency, "Final Projection", law("qkv_projection"), 8e8, 1.16);
  add_rows(tables.rnn_efficiency, "Activations", law("gate_activations"), 2e4, 1.28);
  // Above the limit of the published fit, and wrong: it must be left out.
  tables.rnn_efficiency.push_back({"NVIDIA A100 80GB PCIe", "Activations", 2e12, 50.0, 1.0, 1.0});
  return tables;
}

const LawRefit& find(const std::vector<LawRefit>& refits, std::string_view operation) {
  return *std::ranges::find_if(refits, [&](const LawRefit& refit) {
    return refit.published->device_id == "a100-80gb-pcie" &&
           refit.published->operation == operation;
  });
}

TEST(LawRefits, IdentifyExchangedProjectionLaws) {
  const PublishedNumbers numbers = load_published_numbers();
  const auto refits = refit_laws(numbers, make_exchanged_tables(numbers)).value();
  EXPECT_EQ(find_nearest_operation(numbers, find(refits, "qkv_projection")),
            "attention_output_projection");
  EXPECT_EQ(find_nearest_operation(numbers, find(refits, "attention_output_projection")),
            "qkv_projection");
  const auto sections = compare_laws(numbers, refits);
  ASSERT_EQ(sections.size(), 3U);
  EXPECT_EQ(sections[1].name, "Table 1, projections exchanged");
  for (const auto& row : sections[1].rows) EXPECT_NEAR(*row.difference, 0.0, 1e-4) << row.item;
}

TEST(LawRefits, QuoteALawWithoutRowsAndSayWhy) {
  const PublishedNumbers numbers = load_published_numbers();
  const auto refits = refit_laws(numbers, make_exchanged_tables(numbers)).value();
  const auto sections = compare_laws(numbers, refits);
  for (const auto& row : sections[0].rows) {
    const bool fitted = row.item.starts_with("a100") && row.item.contains("projection");
    EXPECT_EQ(row.status, fitted ? ReproductionStatus::refit : ReproductionStatus::quoted)
        << row.item;
    if (!fitted) {
      EXPECT_THAT(row.note, HasSubstr("no rows of this operation"));
    }
  }
  EXPECT_FALSE(compute_joint_r_squared(refits).has_value());
  EXPECT_THAT(compare_laws(numbers, {})[0].rows[0].note, HasSubstr("needs dataForTransformerHEF"));
}

TEST(LawRefits, FitRecurrentLawsBelowTheirLimitOnly) {
  const PublishedNumbers numbers = load_published_numbers();
  const auto refits = refit_laws(numbers, make_exchanged_tables(numbers)).value();
  EXPECT_EQ(find(refits, "gate_activations").samples.size(), 40U);
  const auto sections = compare_laws(numbers, refits);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& row = sections.back().rows[i];
    EXPECT_NEAR(*row.difference, 0.0, 1e-4 * std::abs(*row.ours)) << row.item;
  }
}

TEST(LawRefits, SurviveOneRowAndSayThatNothingIsIdentified) {
  const PublishedNumbers numbers = load_published_numbers();
  AuthorTables tables;
  tables.transformer_efficiency = {
      {"NVIDIA A100 80GB PCIe", "QKV Projections", 1e10, 20.0, 1.0, 156e12}};
  tables.rnn_efficiency = {{"NVIDIA A100 80GB PCIe", "Activations", 1e5, 0.01, 1.0, 156e12}};
  const auto sections = compare_laws(numbers, refit_laws(numbers, tables).value());
  EXPECT_THAT(sections[0].rows[6].note, HasSubstr("eta_max is not identified"));
  EXPECT_THAT(sections.back().rows[0].note, HasSubstr("did not converge"));
}

TEST(PublishedProcedure, FindsTheLawOfExactSamples) {
  std::vector<PercentSample> samples;
  for (int i = 0; i < 30; ++i) {
    const double c = 1e-7 * std::pow(1.4, i);
    samples.push_back({c, 0.0965 * (1.0 - std::exp(-17544.28 * std::pow(c, 0.94)))});
  }
  const auto result = fit_as_published(samples);
  EXPECT_TRUE(result.converged);
  EXPECT_NEAR(result.law.eta_max_percent, 0.0965, 1e-8);
  EXPECT_NEAR(result.law.saturation_rate, 17544.28, 1.0);
  EXPECT_NEAR(result.law.saturation_exponent, 0.94, 1e-5);
}

}  // namespace
}  // namespace joulecast

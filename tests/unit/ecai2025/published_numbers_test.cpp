// SPDX-License-Identifier: Apache-2.0
#include <joulecast/ecai2025.hpp>

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <tuple>

namespace joulecast {
namespace {

// A second transcription of what no computation can check: the law and regression tables. A digit
// changed in data/published/ecai2025 fails here.
TEST(PublishedNumbers, HoldTables1And2AsPrinted) {
  using Row = std::tuple<const char*, const char*, const char*, const char*, const char*>;
  const std::array rows{
      Row{"a100-80gb-pcie", "attention_values", "66.83", "8.65", "0.80"},
      Row{"a100-80gb-pcie", "attention_scores", "56.47", "8.09", "0.80"},
      Row{"a100-80gb-pcie", "qkv_projection", "69.38", "10.37", "0.78"},
      Row{"a100-80gb-pcie", "attention_output_projection", "70.43", "6.24", "0.77"},
      Row{"rtx-2080-ti", "attention_values", "78.55", "21.77", "0.56"},
      Row{"rtx-2080-ti", "attention_scores", "71.42", "14.25", "0.52"},
      Row{"rtx-2080-ti", "qkv_projection", "81.45", "18.94", "0.52"},
      Row{"rtx-2080-ti", "attention_output_projection", "81.93", "9.21", "0.40"},
      Row{"a100-80gb-pcie", "gate_activations", "0.0965", "17544.28", "0.94"},
      Row{"a100-80gb-pcie", "cell_update", "0.0554", "12823.88", "0.88"},
      Row{"a100-80gb-pcie", "hidden_update", "0.0977", "10286.70", "0.89"},
      Row{"a100-80gb-pcie", "input_gates", "41.03", "21.57", "0.86"},
      Row{"a100-80gb-pcie", "hidden_gates", "80.04", "10.08", "0.79"}};
  const PublishedNumbers numbers = load_published_numbers();
  EXPECT_EQ(numbers.laws.size(), rows.size());
  for (const auto& [device, operation, eta_max, rate, exponent] : rows) {
    const PublishedLaw* law = find_published_law(numbers, device, operation);
    ASSERT_NE(law, nullptr) << device << operation;
    EXPECT_EQ(law->eta_max_percent.text, eta_max);
    EXPECT_EQ(law->saturation_rate.text, rate);
    EXPECT_EQ(law->saturation_exponent.text, exponent);
    EXPECT_LT(law->fitted_minimum, law->fitted_maximum);
  }
}

TEST(PublishedNumbers, HoldTheRegressionsAsPrinted) {
  using Row = std::tuple<const char*, const char*, const char*, const char*, const char*>;
  const std::array rows{Row{"Table 3", "constant", "3.6318", "3.4088", "3.8858"},
                        Row{"Table 3", "qkv_projection", "-0.1377", "-0.1455", "-0.1297"},
                        Row{"Table 3", "attention_scores", "0.3041", "0.3016", "0.3065"},
                        Row{"Table 3", "attention_values", "0.3041", "0.3016", "0.3065"},
                        Row{"Table 3", "attention_output_projection", "0.5637", "0.5396", "0.5880"},
                        Row{"Table 8", "constant", "3.6292", "", ""},
                        Row{"Table 8", "qkv_projection", "-0.1378", "", ""},
                        Row{"Table 8", "attention_scores", "0.3041", "", ""},
                        Row{"Table 8", "attention_values", "0.3041", "", ""},
                        Row{"Table 8", "attention_output_projection", "0.5641", "", ""},
                        Row{"Table 4", "constant", "3367.3304", "", ""},
                        Row{"Table 4", "gate_activations", "-7.66e4", "", ""},
                        Row{"Table 4", "cell_update", "4.52e4", "", ""},
                        Row{"Table 4", "input_gates", "169.0733", "", ""},
                        Row{"Table 4", "hidden_update", "2.95e4", "", ""},
                        Row{"Table 4 notebook", "constant", "3368.3", "", ""},
                        Row{"Table 4 notebook", "gate_activations", "-7.59e4", "", ""},
                        Row{"Table 4 notebook", "cell_update", "4.43e4", "", ""},
                        Row{"Table 4 notebook", "input_gates", "167.5", "", ""},
                        Row{"Table 4 notebook", "hidden_update", "2.99e4", "", ""}};
  const auto coefficients = load_published_numbers().coefficients;
  ASSERT_EQ(coefficients.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [table, term, value, lower, upper] = rows[i];
    EXPECT_EQ(coefficients[i].table, table);
    EXPECT_EQ(coefficients[i].term, term);
    EXPECT_EQ(coefficients[i].coefficient.text, value);
    EXPECT_EQ(coefficients[i].lower_95.value_or(PrintedNumber{}).text, lower);
    EXPECT_EQ(coefficients[i].upper_95.value_or(PrintedNumber{}).text, upper);
  }
}

TEST(PublishedNumbers, HoldTables9And10InFull) {
  const PublishedNumbers numbers = load_published_numbers();
  EXPECT_EQ(numbers.heads_grid.row_values.size(), 12U);
  EXPECT_EQ(numbers.heads_grid.column_values.size(), 8U);
  EXPECT_EQ(numbers.heads_grid.cells.front().front().text, "14.44");
  EXPECT_EQ(numbers.heads_grid.cells.back().back().text, "133.37");
  EXPECT_EQ(numbers.width_grid.row_values.size(), 31U);
  EXPECT_EQ(numbers.width_grid.column_values.back(), 1280);
  EXPECT_EQ(numbers.width_grid.cells.back().back().text, "474.59");
  for (const auto& row : numbers.width_grid.cells) EXPECT_EQ(row.size(), 20U);
}

TEST(PublishedNumbers, GiveFractionsAndPeaksInSi) {
  const PublishedNumbers numbers = load_published_numbers();
  EXPECT_EQ(published_law(numbers, "a100-80gb-pcie", "qkv_projection"),
            (SaturationLaw{0.6938, 10.37, 0.78, 1e12}));
  EXPECT_FALSE(published_law(numbers, "rtx-2080-ti", "hidden_gates").has_value());
  EXPECT_FALSE(published_law(numbers, "h100", "qkv_projection").has_value());
  EXPECT_EQ(published_peak(numbers, "rtx-2080-ti"), FlopsPerSecond{13.45e12});
  EXPECT_FALSE(published_peak(numbers, "h100").has_value());
}

}  // namespace
}  // namespace joulecast

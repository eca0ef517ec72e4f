// SPDX-License-Identifier: Apache-2.0
// Points 1, 2, 3 and 5: the table behind the step-energy regression.
#include "reproduction/audit.hpp"
#include "reproduction/rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

namespace joulecast {
namespace {

constexpr double removal_limit = 0.25;  // relative miss above which the authors dropped a row
constexpr double test_share = 0.33;     // of their random split

// How far the regression is from each row, relative to the row.
std::vector<double> measure_misses(const LinearFit& fit,
                                   const std::vector<TransformerStepRow>& rows) {
  const auto features = make_step_features(rows);
  std::vector<double> misses;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double energy = rows[i].energy_joules;
    misses.push_back(std::abs(fit.predict(features, i) - energy) / energy);
  }
  return misses;
}

// A test row has a twin in training unless all its other copies landed in the test part too.
double expected_twin_share(const std::map<std::string_view, int>& copies, std::size_t rows) {
  double expected = 0.0;
  for (const auto& [fields, count] : copies) {
    expected += count * (1.0 - std::pow(test_share, count - 1));
  }
  return expected / static_cast<double>(rows);
}

struct RatioRange {
  double smallest = 0.0;
  double largest = 0.0;
};

// What equation (3) gives with a fraction, in true microseconds, over what the table holds.
RatioRange measure_slip(const std::vector<TransformerStepRow>& rows) {
  std::vector<double> ratios;
  for (const auto& row : rows) {
    const StepOperation& qkv = row.operations[0];
    const double seconds = row.layers * qkv.teraflop_per_layer /
                           (row.peak_teraflop_per_second * qkv.hef_percent / 100.0);
    ratios.push_back(seconds * 1e6 / qkv.duration);
  }
  const auto [low, high] = std::ranges::minmax_element(ratios);
  return {*low, *high};
}

// One law through all four operations of one GPU, and the largest distance from it.
Result<SaturationFit> fit_all_operations(const std::vector<TransformerStepRow>& rows,
                                         std::string_view gpu, double& largest_distance) {
  std::vector<HefSample> samples;
  for (const auto& row : rows) {
    if (row.gpu != gpu) continue;
    for (const auto& operation : row.operations) {
      samples.push_back({operation.teraflop_per_layer * 1e12, operation.hef_percent / 100.0});
    }
  }
  auto fit = fit_saturation_law(samples, {});
  for (std::size_t i = 0; fit && i < samples.size(); ++i) {
    const double eta = evaluate_hef(fit->law, Flops{samples[i].flops});
    largest_distance = std::max(largest_distance, std::abs(eta - samples[i].hef));
  }
  return fit;
}

}  // namespace

AuditPoint audit_row_removal(const PublishedNumbers& numbers, const AuditInputs* inputs) {
  AuditPoint point{1,
                   "R2 0.958 holds only after removing every row that the model itself misses by "
                   "more than 25 %, test rows included",
                   "the full table is not released; the rows that are were cut in the same way",
                   {}};
  const auto quote = [&](std::string quantity, double value, std::string unit) {
    point.evidence.push_back({std::move(quantity), value, std::move(unit), EvidenceSource::quoted});
  };
  quote("rows kept of 97,851", 33770, "rows");
  for (const auto* name : {"r_squared_all_rows", "mean_absolute_error_all_rows"}) {
    const PublishedClaim& claim = find_claim(numbers, name);
    quote(claim.statement, parse_printed(claim.published).value().value, claim.unit);
  }
  if (inputs == nullptr) return point;
  const auto misses = measure_misses(inputs->regressions.step, inputs->tables.transformer_steps);
  const auto beyond = std::ranges::count_if(misses, [](double m) { return m > removal_limit; });
  point.method += "; a ridge regression on the rows given is compared with each of them";
  point.evidence.push_back({"rows given that a regression on them misses by more than 25 %",
                            static_cast<double>(beyond), "rows", EvidenceSource::from_data});
  point.evidence.push_back({"largest relative miss of any row given", std::ranges::max(misses), "",
                            EvidenceSource::from_data});
  return point;
}

AuditPoint audit_copies(const AuditInputs* inputs) {
  AuditPoint point{2,
                   "the released rows are mostly exact copies, so a random split tests on rows it "
                   "has trained on",
                   "",
                   {}};
  if (inputs == nullptr) {
    point.method = "needs SubsetDataForTransformer_energyModel.csv; figures of the full release";
    point.evidence = {{"rows", 1576, "rows", EvidenceSource::quoted},
                      {"distinct rows", 643, "rows", EvidenceSource::quoted},
                      {"test rows with a twin in training", 0.78, "", EvidenceSource::quoted}};
    return point;
  }
  const auto& rows = inputs->tables.transformer_steps;
  std::map<std::string_view, int> copies;
  for (const auto& row : rows) ++copies[row.all_but_index];
  point.method =
      "rows equal in every column but the row number are copies; a row with n copies has a twin "
      "in training with probability 1 - 0.33^(n - 1)";
  point.evidence = {
      {"rows", static_cast<double>(rows.size()), "rows", EvidenceSource::from_data},
      {"distinct rows", static_cast<double>(copies.size()), "rows", EvidenceSource::from_data},
      {"test rows with a twin in training", expected_twin_share(copies, rows.size()), "",
       EvidenceSource::from_data}};
  return point;
}

AuditPoint audit_percent_slip(const AuditInputs* inputs) {
  AuditPoint point{3,
                   "efficiency in percent is used as a fraction, so the paper's microseconds are "
                   "100 times too short and its coefficients 100 times too large",
                   "",
                   {}};
  if (inputs == nullptr) {
    point.method = "needs SubsetDataForTransformer_energyModel.csv";
    point.evidence = {{"true over tabled duration", 100.0, "", EvidenceSource::quoted}};
    return point;
  }
  const RatioRange slip = measure_slip(inputs->tables.transformer_steps);
  point.method = "layers * FLOPs / (peak * efficiency as a fraction), QKV projections, every row";
  point.evidence = {
      {"smallest ratio of true to tabled duration", slip.smallest, "", EvidenceSource::from_data},
      {"largest ratio of true to tabled duration", slip.largest, "", EvidenceSource::from_data}};
  return point;
}

Result<AuditPoint> audit_single_law(const AuditInputs* inputs) {
  AuditPoint point{5,
                   "scores and attention output are one column in two units, and one law per GPU "
                   "stands for all four operations",
                   "",
                   {}};
  if (inputs == nullptr) {
    point.method = "needs SubsetDataForTransformer_energyModel.csv";
    point.evidence = {{"a100 eta_max", 0.6843, "", EvidenceSource::quoted},
                      {"a100 saturation rate", 8.142, "", EvidenceSource::quoted},
                      {"a100 saturation exponent", 0.7542, "", EvidenceSource::quoted},
                      {"rtx-2080-ti eta_max", 0.8135, "", EvidenceSource::quoted},
                      {"rtx-2080-ti saturation rate", 14.284, "", EvidenceSource::quoted},
                      {"rtx-2080-ti saturation exponent", 0.4726, "", EvidenceSource::quoted}};
    return point;
  }
  const auto& rows = inputs->tables.transformer_steps;
  point.method =
      "columns that are proportional to 1e-12; one law fitted to the efficiencies of all four "
      "operations of a GPU";
  std::vector<Feature> columns = make_step_features(rows);
  for (double& value : columns[2].values) value /= 1e6;  // back to the column's own unit
  for (const auto& group : find_proportional_columns(columns, 1e-12)) {
    for (std::size_t i = 1; i < group.names.size(); ++i) {
      point.evidence.push_back({group.names[i] + " duration over " + group.names[0] + " duration",
                                group.factors[i], "", EvidenceSource::from_data});
    }
  }
  for (const auto& [gpu, device] : {std::pair{"a100", "a100"}, std::pair{"grid", "rtx-2080-ti"}}) {
    if (std::ranges::find(rows, gpu, &TransformerStepRow::gpu) == rows.end()) continue;
    double distance = 0.0;
    const auto fit = fit_all_operations(rows, gpu, distance);
    if (!fit) return std::unexpected(fit.error());
    const std::string name = device;
    for (const auto& [what, value] :
         {std::pair{" eta_max", fit->law.eta_max},
          std::pair{" saturation rate", fit->law.saturation_rate},
          std::pair{" saturation exponent", fit->law.saturation_exponent},
          std::pair{" largest distance of any operation from the one law", distance}}) {
      point.evidence.push_back({name + what, value, "", EvidenceSource::from_data});
    }
  }
  return point;
}

}  // namespace joulecast

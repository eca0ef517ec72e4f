// SPDX-License-Identifier: Apache-2.0
// Points 4 and 9: the efficiency laws.
#include "reproduction/audit.hpp"
#include "reproduction/statistics.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <fmt/format.h>

namespace joulecast {
namespace {

Result<double> predict_example(const PublishedNumbers& numbers, std::string_view setup,
                               ProjectionLaws projections) {
  const auto found = std::ranges::find(numbers.setups, setup, &PublishedSetup::name);
  assert(found != numbers.setups.end());
  const auto step = predict_paper_step(numbers, "a100-80gb-pcie", found->model,
                                       StepEnergyCoefficients::table_8, projections);
  if (!step) return std::unexpected(step.error());
  return step->energy.value();
}

void add_distances(const PublishedNumbers& numbers, const LawRefit& refit, AuditPoint& point) {
  constexpr std::array projections{"qkv_projection", "attention_output_projection"};
  for (const auto* printed : projections) {
    const auto* law = find_published_law(numbers, refit.published->device_id, printed);
    if (law == nullptr) continue;
    point.evidence.push_back(
        {fmt::format("{} rows of {}: distance from the law printed for {}",
                     refit.published->device_id, refit.published->operation, printed),
         measure_distance(to_law(*law), refit.fit->law, refit.samples), "",
         EvidenceSource::from_data});
  }
}

struct SmallProducts {
  double measured_seconds = 0.0;  // median over the smallest tenth by FLOPs
  double seconds_at_peak = 0.0;
  double shortest_seconds = 0.0;  // of all
};

SmallProducts measure_small_products(const std::vector<EfficiencyRow>& table, std::string_view gpu,
                                     std::string_view operation) {
  std::vector<EfficiencyRow> rows;
  for (const auto& row : table) {
    if (row.gpu == gpu && row.operation == operation) rows.push_back(row);
  }
  if (rows.empty()) return {};
  const double shortest =
      std::ranges::min_element(rows, {}, &EfficiencyRow::elapsed_seconds)->elapsed_seconds;
  std::ranges::stable_sort(rows, {}, &EfficiencyRow::flops);
  rows.resize(std::max<std::size_t>(1, rows.size() / 10));
  std::vector<double> measured;
  std::vector<double> at_peak;
  for (const auto& row : rows) {
    measured.push_back(row.elapsed_seconds);
    at_peak.push_back(row.flops / row.peak_flops_per_second);
  }
  return {compute_median(measured), compute_median(at_peak), shortest};
}

}  // namespace

Result<AuditPoint> audit_exchange(const PublishedNumbers& numbers, const AuditInputs* inputs) {
  AuditPoint point{4,
                   "the worked example uses the laws of QKV and final projection exchanged; under "
                   "its own law each model needs less",
                   "the chain with both assignments",
                   {}};
  for (const auto* setup : {"A", "B"}) {
    for (const auto& [name, projections] :
         {std::pair{"as in the paper", ProjectionLaws::as_table_1},
          std::pair{"laws exchanged", ProjectionLaws::exchanged}}) {
      const auto energy = predict_example(numbers, setup, projections);
      if (!energy) return std::unexpected(energy.error());
      point.evidence.push_back(
          {fmt::format("model {}, {}", setup, name), *energy, "J", EvidenceSource::from_formulas});
    }
  }
  if (inputs == nullptr) return point;
  point.method +=
      "; refits to the rows given, their root mean square distance from the printed laws over "
      "the sizes measured";
  for (const LawRefit& refit : inputs->laws) {
    const std::string& operation = refit.published->operation;
    if (!refit.fit) continue;
    if (operation == "qkv_projection" || operation == "attention_output_projection") {
      add_distances(numbers, refit, point);
    }
  }
  return point;
}

AuditPoint audit_launch_overhead(const AuditInputs* inputs) {
  AuditPoint point{
      9,
      "FLOPs alone do not fix efficiency: k and alpha mostly encode the time to "
      "launch an operation",
      "the misses on public matrix-product sweeps are quoted: their data is not the "
      "authors'",
      {{"smallest miss of the law on public BF16 sweeps", 0.31, "", EvidenceSource::quoted},
       {"largest miss of the law on public BF16 sweeps", 0.42, "", EvidenceSource::quoted},
       {"smallest miss of a three-parameter roofline with launch time", 0.12, "",
        EvidenceSource::quoted},
       {"largest miss of a three-parameter roofline with launch time", 0.19, "",
        EvidenceSource::quoted}}};
  if (inputs == nullptr) return point;
  point.method += "; of each operation on the A100, the tenth of the rows with fewest FLOPs";
  for (const auto* operation :
       {"QKV Projections", "Attention Scores", "Attention Output", "Final Projection"}) {
    const auto small = measure_small_products(inputs->tables.transformer_efficiency,
                                              "NVIDIA A100 80GB PCIe", operation);
    if (small.measured_seconds == 0.0) continue;
    const std::string name = operation;
    point.evidence.push_back({name + ", median duration of the smallest tenth",
                              small.measured_seconds, "s", EvidenceSource::from_data});
    point.evidence.push_back(
        {name + ", the same at peak speed", small.seconds_at_peak, "s", EvidenceSource::from_data});
    point.evidence.push_back(
        {name + ", shortest of all", small.shortest_seconds, "s", EvidenceSource::from_data});
  }
  return point;
}

}  // namespace joulecast

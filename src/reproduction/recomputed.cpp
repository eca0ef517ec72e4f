// SPDX-License-Identifier: Apache-2.0
#include "reproduction/recomputed.hpp"

#include "reproduction/rows.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr std::string_view device = "a100-80gb-pcie";

const PaperTransformer& find_setup(const PublishedNumbers& numbers, std::string_view name) {
  const auto found = std::ranges::find(numbers.setups, name, &PublishedSetup::name);
  assert(found != numbers.setups.end() && "the published numbers lack a setup");
  return found->model;
}

// The worked example and both grids rest on the coefficients of Table 8.
Result<PaperStep> predict(const PublishedNumbers& numbers, const PaperTransformer& model,
                          ProjectionLaws projections = ProjectionLaws::as_table_1) {
  return predict_paper_step(numbers, device, model, StepEnergyCoefficients::table_8, projections);
}

Result<ReproductionSection> recompute_example_table(const PublishedNumbers& numbers) {
  ReproductionSection section{"Table 5", "operations of the worked example", {}};
  for (const PublishedExampleRow& published : numbers.example) {
    const auto step = predict(numbers, find_setup(numbers, published.setup));
    if (!step) return std::unexpected(step.error());
    const auto ours =
        std::ranges::find(step->operations, published.operation, &PaperOperation::operation);
    assert(ours != step->operations.end());
    const std::string item = fmt::format("{} {}", published.setup, published.operation);
    const auto add = [&](std::string_view what, std::string_view unit, const PrintedNumber& printed,
                         double value) {
      section.rows.push_back(make_recomputed_cell({item + std::string{what}, std::string{unit}},
                                                  printed, value, section.name, numbers.misprints));
    };
    add(" TFLOP per layer", "TFLOP", published.teraflop_per_layer,
        ours->flops_per_layer.value() / 1e12);
    add(" efficiency", "percent", published.efficiency_percent, ours->hef * 100.0);
    add(" duration", "paper microseconds", published.duration_paper_microseconds,
        ours->paper_microseconds);
  }
  return section;
}

struct ExampleEnergies {
  double a = 0.0;
  double b = 0.0;
};

Result<ExampleEnergies> predict_example(const PublishedNumbers& numbers,
                                        ProjectionLaws projections) {
  const auto a = predict(numbers, find_setup(numbers, "A"), projections);
  if (!a) return std::unexpected(a.error());
  const auto b = predict(numbers, find_setup(numbers, "B"), projections);
  if (!b) return std::unexpected(b.error());
  return ExampleEnergies{a->energy.value(), b->energy.value()};
}

Result<ReproductionSection> recompute_example_energies(const PublishedNumbers& numbers) {
  const auto printed = predict_example(numbers, ProjectionLaws::as_table_1);
  if (!printed) return std::unexpected(printed.error());
  const auto exchanged = predict_example(numbers, ProjectionLaws::exchanged);
  if (!exchanged) return std::unexpected(exchanged.error());
  ReproductionSection section{"Worked example", "step energy of models A and B", {}};
  const auto add = [&](std::string_view name, double ours, std::string note) {
    const PublishedClaim& claim = find_claim(numbers, name);
    section.rows.push_back(make_recomputed({claim.statement, claim.unit},
                                           parse_printed(claim.published).value(), ours));
    section.rows.back().note = std::move(note);
  };
  add("energy_a_rounded", printed->a, "");
  add("energy_a", printed->a, "");
  add("energy_b_rounded", printed->b, "");
  add("energy_b", printed->b, "");
  const double ratio = printed->b / printed->a;
  add("times_a", std::floor(ratio), fmt::format("whole multiples; the ratio is {:.3f}", ratio));
  const std::string audited = "not in the paper: QKV and final-projection laws exchanged";
  add("energy_a_own_laws", exchanged->a, audited);
  add("energy_b_own_laws", exchanged->b, audited);
  return section;
}

// The model of one cell: Table 9 varies layers and heads, Table 10 layers and model size.
PaperTransformer model_of_cell(const PublishedNumbers& numbers, const PublishedGrid& grid,
                               std::size_t row, std::size_t column) {
  PaperTransformer model = find_setup(numbers, grid.table);
  model.num_hidden_layers = grid.row_values[row];
  (model.hidden_size == 0 ? model.hidden_size : model.num_attention_heads) =
      grid.column_values[column];
  return model;
}

Result<ReproductionSection> recompute_grid(const PublishedNumbers& numbers,
                                           const PublishedGrid& grid) {
  ReproductionSection section{
      grid.table, fmt::format("step energy by layers and {}", grid.column_name), {}};
  for (std::size_t row = 0; row < grid.row_values.size(); ++row) {
    for (std::size_t column = 0; column < grid.column_values.size(); ++column) {
      const auto step = predict(numbers, model_of_cell(numbers, grid, row, column));
      if (!step) return std::unexpected(step.error());
      section.rows.push_back(make_recomputed_cell(
          {fmt::format("{} layers {} {}", grid.row_values[row], grid.column_name,
                       grid.column_values[column]),
           "J"},
          grid.cells[row][column], step->energy.value(), grid.table, numbers.misprints));
    }
  }
  return section;
}

// Largest over smallest energy along one axis, everything else fixed, at its largest.
double largest_ratio(const std::vector<std::vector<PrintedNumber>>& lines) {
  double largest = 1.0;
  for (const auto& line : lines) {
    const auto [low, high] = std::ranges::minmax_element(line, {}, &PrintedNumber::value);
    largest = std::max(largest, high->value / low->value);
  }
  return largest;
}

std::vector<std::vector<PrintedNumber>> transpose(const PublishedGrid& grid) {
  std::vector<std::vector<PrintedNumber>> columns(grid.column_values.size());
  for (const auto& row : grid.cells) {
    for (std::size_t i = 0; i < row.size(); ++i) columns[i].push_back(row[i]);
  }
  return columns;
}

// The claim is in words, so it is tested as an ordering of effects: heads change the energy by
// less than a hundredth of what depth and width each change it by.
ReproductionSection recompute_dominance(const PublishedNumbers& numbers) {
  const PublishedClaim& claim = find_claim(numbers, "depth_width_dominate");
  const double heads = largest_ratio(numbers.heads_grid.cells) - 1.0;
  const double depth = largest_ratio(transpose(numbers.heads_grid)) - 1.0;
  const double width = largest_ratio(numbers.width_grid.cells) - 1.0;
  ReproductionRow row;
  row.item = claim.statement;
  row.published = claim.published;
  row.ours = heads / std::min(depth, width);
  row.tolerance = 0.01;
  row.status = ReproductionStatus::recomputed;
  row.agrees = *row.ours <= *row.tolerance;
  row.note = fmt::format(
      "effect of heads over the smaller of depth and width; energy grows by at most {:.2f} % with "
      "heads, by a factor of {:.1f} with depth and of {:.1f} with width",
      heads * 100.0, depth + 1.0, width + 1.0);
  return {"What dominates", "depth, width and heads in Tables 9 and 10", {row}};
}

}  // namespace

Result<std::vector<ReproductionSection>> recompute_published(const PublishedNumbers& numbers) {
  std::vector<ReproductionSection> sections;
  for (auto&& section :
       {recompute_example_table(numbers), recompute_example_energies(numbers),
        recompute_grid(numbers, numbers.heads_grid), recompute_grid(numbers, numbers.width_grid)}) {
    if (!section) return std::unexpected(section.error());
    sections.push_back(*section);
  }
  sections.push_back(recompute_dominance(numbers));
  return sections;
}

Result<std::size_t> count_extrapolated_cells(const PublishedNumbers& numbers,
                                             const PublishedGrid& grid) {
  std::size_t count = 0;
  for (std::size_t row = 0; row < grid.row_values.size(); ++row) {
    for (std::size_t column = 0; column < grid.column_values.size(); ++column) {
      const auto step = predict(numbers, model_of_cell(numbers, grid, row, column));
      if (!step) return std::unexpected(step.error());
      count += std::ranges::any_of(step->operations, &PaperOperation::extrapolated) ? 1U : 0U;
    }
  }
  return count;
}

}  // namespace joulecast

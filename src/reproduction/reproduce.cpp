// SPDX-License-Identifier: Apache-2.0
#include "reproduction/audit.hpp"
#include "reproduction/law_refits.hpp"
#include "reproduction/recomputed.hpp"
#include "reproduction/regression_refits.hpp"
#include "reproduction/rows.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

namespace joulecast {
namespace {

// Everything that was computed from the authors' tables.
struct Refits {
  AuthorTables tables;
  std::vector<LawRefit> laws;
  RegressionRefits regressions;
};

Result<std::optional<Refits>> read_and_refit(const PublishedNumbers& numbers,
                                             const std::optional<std::string>& directory) {
  if (!directory) return std::nullopt;
  auto tables = read_author_tables(*directory);
  if (!tables) return std::unexpected(tables.error());
  auto laws = refit_laws(numbers, *tables);
  if (!laws) return std::unexpected(laws.error());
  auto regressions = refit_regressions(*tables);
  if (!regressions) return std::unexpected(regressions.error());
  return Refits{std::move(*tables), std::move(*laws), std::move(*regressions)};
}

// The highest saturation level among a GPU's refits; nothing where one is missing.
std::optional<double> find_peak_hef(const std::vector<LawRefit>& refits,
                                    std::string_view device_id) {
  std::optional<double> highest;
  for (const LawRefit& refit : refits) {
    if (refit.published->table != "Table 1" || refit.published->device_id != device_id) continue;
    if (!refit.fit) return std::nullopt;
    highest = std::max(highest.value_or(0.0), refit.fit->law.eta_max);
  }
  return highest;
}

ReproductionSection compare_law_claims(const PublishedNumbers& numbers,
                                       const std::vector<LawRefit>& laws) {
  ReproductionSection section{"Claims about the laws", "fit quality and highest efficiencies", {}};
  const auto add = [&](std::string_view name, std::optional<double> ours, std::string recipe) {
    const PublishedClaim& claim = find_claim(numbers, name);
    const RowLabel label{claim.statement, claim.unit};
    section.rows.push_back(
        ours ? make_refit(label, parse_printed(claim.published).value(), *ours, std::move(recipe))
             : make_quoted(label, claim.published,
                           "needs rows of both GPUs in dataForTransformerHEF.csv"));
  };
  const auto to_percent = [](std::optional<double> fraction) {
    return fraction ? std::optional{*fraction * 100.0} : std::nullopt;
  };
  const std::string highest = "largest eta_max among the refits of Table 1";
  add("r_squared_across_gpus", compute_joint_r_squared(laws),
      "all Table 1 refits together, against the mean of all their rows");
  add("peak_hef_a100", to_percent(find_peak_hef(laws, "a100-80gb-pcie")), highest);
  add("peak_hef_rtx_2080_ti", to_percent(find_peak_hef(laws, "rtx-2080-ti")), highest);
  return section;
}

Result<std::vector<Warning>> collect_warnings(const PublishedNumbers& numbers) {
  std::vector<Warning> warnings{
      {WarningCode::paper_convention, "ecai2025",
       "durations follow the paper: its microseconds are 100 times too short"},
      {WarningCode::paper_labels, "step energy",
       "the paper's energy labels are near-idle power times duration, not the energy of a step"}};
  for (const PublishedGrid* grid : {&numbers.heads_grid, &numbers.width_grid}) {
    const auto count = count_extrapolated_cells(numbers, *grid);
    if (!count) return std::unexpected(count.error());
    if (*count == 0) continue;
    warnings.push_back({WarningCode::law_extrapolated, grid->table,
                        fmt::format("{} of {} cells use a law outside the sizes it was fitted on",
                                    *count, grid->row_values.size() * grid->column_values.size())});
  }
  return warnings;
}

// github.com/MansMayaki/MLEnergyConsumption as of 2025: 1,576 rows, 643 of them distinct. Behind
// the printed regression stood 97,851, which are not released.
constexpr std::int64_t released_steps = 1576;

std::vector<Warning> warn_of_parts(const std::vector<AuthorTableFile>& tables) {
  std::vector<Warning> warnings;
  for (const AuthorTableFile& table : tables) {
    if (!table.released_rows || table.rows >= *table.released_rows) continue;
    warnings.push_back({WarningCode::partial_table, table.name,
                        fmt::format("{} of the {} released rows were given: what is refitted and "
                                    "audited here is a part of the authors' table",
                                    table.rows, *table.released_rows)});
  }
  return warnings;
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  std::ranges::move(from, std::back_inserter(to));
}

}  // namespace

Result<Reproduction> reproduce_ecai2025(const ReproductionOptions& options) {
  const PublishedNumbers numbers =
      options.published ? *options.published : load_published_numbers();
  auto recomputed = recompute_published(numbers);
  if (!recomputed) return std::unexpected(recomputed.error());
  const auto refits = read_and_refit(numbers, options.data_directory);
  if (!refits) return std::unexpected(refits.error());
  const Refits* given = *refits ? &**refits : nullptr;
  const std::vector<LawRefit> laws = given == nullptr ? std::vector<LawRefit>{} : given->laws;

  Reproduction result;
  append(result.sections, compare_laws(numbers, laws));
  result.sections.push_back(compare_law_claims(numbers, laws));
  append(result.sections,
         compare_regressions(numbers, given == nullptr ? nullptr : &given->regressions));
  append(result.sections, std::move(*recomputed));

  std::optional<AuditInputs> inputs;
  if (given != nullptr) inputs.emplace(AuditInputs{given->tables, laws, given->regressions});
  auto audit = audit_release(numbers, inputs ? &*inputs : nullptr);
  if (!audit) return std::unexpected(audit.error());
  result.audit = std::move(*audit);
  if (given != nullptr) result.tables = given->tables.files;
  for (AuthorTableFile& file : result.tables) {
    if (file.name == "SubsetDataForTransformer_energyModel.csv")
      file.released_rows = released_steps;
  }
  auto warnings = collect_warnings(numbers);
  if (!warnings) return std::unexpected(warnings.error());
  result.warnings = std::move(*warnings);
  append(result.warnings, warn_of_parts(result.tables));
  return result;
}

}  // namespace joulecast

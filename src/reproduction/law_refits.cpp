// SPDX-License-Identifier: Apache-2.0
#include "reproduction/law_refits.hpp"

#include "reproduction/published_procedure.hpp"
#include "reproduction/rows.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace joulecast {
namespace {

// What the authors' tables call each operation.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> author_names{
    {{"qkv_projection", "QKV Projections"},
     {"attention_scores", "Attention Scores"},
     {"attention_values", "Attention Output"},
     {"attention_output_projection", "Final Projection"},
     {"gate_activations", "Activations"},
     {"cell_update", "Cell Update"},
     {"hidden_update", "Hidden Update"},
     {"input_gates", "compute_gates"},
     {"hidden_gates", "hidden_gates"}}};

// Larger recurrent operations exist in the table, but the printed laws come from those below.
constexpr double rnn_flops_limit = 1e12;

std::string_view find_author_name(std::string_view operation) {
  const auto found = std::ranges::find(author_names, operation,
                                       &std::pair<std::string_view, std::string_view>::first);
  assert(found != author_names.end());
  return found->second;
}

std::vector<HefSample> select_samples(const PublishedNumbers& numbers, const PublishedLaw& law,
                                      const AuthorTables& tables) {
  const bool rnn = law.table == "Table 2";
  const std::string_view name = find_author_name(law.operation);
  const PublishedDevice* device = find_published_device(numbers, law.device_id);
  assert(device != nullptr);
  std::vector<HefSample> samples;
  for (const auto& row : rnn ? tables.rnn_efficiency : tables.transformer_efficiency) {
    if (row.gpu != device->published_gpu_label || row.operation != name) continue;
    if (rnn && row.flops >= rnn_flops_limit) continue;
    samples.push_back({row.flops, row.hef_percent / 100.0});
  }
  return samples;
}

PercentLaw to_percent(const SaturationLaw& law) {
  return {law.eta_max * 100.0, law.saturation_rate, law.saturation_exponent};
}

std::string describe_fit(const LawRefit& refit) {
  std::string note =
      fmt::format("least squares on {} rows, R2 {:.4f}", refit.fit->samples, refit.fit->r_squared);
  if (refit.fit->termination == FitTermination::iteration_limit) note += "; not converged";
  for (const auto& name : refit.fit->not_identified) {
    note += fmt::format("; {} is not identified", name);
  }
  return note;
}

// Three rows, one per parameter, of `published` against `ours`.
void add_law_rows(const std::string& item, const PublishedLaw& published, const PercentLaw& ours,
                  const std::string& note, std::vector<ReproductionRow>& rows) {
  rows.push_back(make_refit({item + " eta_max", "percent"}, published.eta_max_percent,
                            ours.eta_max_percent, note));
  rows.push_back(make_refit({item + " saturation rate", ""}, published.saturation_rate,
                            ours.saturation_rate, note));
  rows.push_back(make_refit({item + " saturation exponent", ""}, published.saturation_exponent,
                            ours.saturation_exponent, note));
}

void quote_law(const std::string& item, const PublishedLaw& published, const std::string& reason,
               std::vector<ReproductionRow>& rows) {
  rows.push_back(
      make_quoted({item + " eta_max", "percent"}, published.eta_max_percent.text, reason));
  rows.push_back(
      make_quoted({item + " saturation rate", ""}, published.saturation_rate.text, reason));
  rows.push_back(
      make_quoted({item + " saturation exponent", ""}, published.saturation_exponent.text, reason));
}

const LawRefit* find_refit(const std::vector<LawRefit>& refits, const PublishedLaw& law) {
  const auto found = std::ranges::find(refits, &law, &LawRefit::published);
  return found == refits.end() || !found->fit ? nullptr : &*found;
}

std::string missing_reason(const std::vector<LawRefit>& refits, std::string_view table) {
  const std::string_view file =
      table == "Table 1" ? "dataForTransformerHEF.csv" : "dataForLstmHEF.csv";
  if (refits.empty()) return fmt::format("needs {} of the authors", file);
  return fmt::format("{} as given has no rows of this operation and GPU", file);
}

void compare_attention_law(const PublishedNumbers& numbers, const LawRefit& refit,
                           const std::string& item, std::vector<ReproductionRow>& rows) {
  const std::string nearest = find_nearest_operation(numbers, refit);
  std::string note = describe_fit(refit);
  note += nearest == refit.published->operation
              ? "; nearest printed law: its own"
              : fmt::format("; nearest printed law: that of {}", nearest);
  add_law_rows(item, *refit.published, to_percent(refit.fit->law), note, rows);
}

// Table 2 is compared with where the published procedure stops, the optimum is in the note.
void compare_rnn_law(const LawRefit& refit, const std::string& item,
                     std::vector<ReproductionRow>& rows) {
  std::vector<PercentSample> samples;
  for (const HefSample& sample : refit.samples) {
    samples.push_back({sample.flops / 1e12, sample.hef * 100.0});
  }
  const PercentLaw optimum = to_percent(refit.fit->law);
  ProcedureResult published;
  if (samples.size() >= 3) published = fit_as_published(samples);
  const std::string note = fmt::format(
      "{} rows below 1e12 FLOPs from eta_max = largest, k = 1e4, alpha = 0.8, default "
      "tolerances{}; "
      "the optimum itself is ({:.7g}, {:.7g}, {:.7g})",
      samples.size(), published.converged ? "" : " (did not converge: optimum shown)",
      optimum.eta_max_percent, optimum.saturation_rate, optimum.saturation_exponent);
  add_law_rows(item, *refit.published, published.converged ? published.law : optimum, note, rows);
}

ReproductionSection compare_table(const PublishedNumbers& numbers,
                                  const std::vector<LawRefit>& refits, std::string table,
                                  std::string title) {
  ReproductionSection section{std::move(table), std::move(title), {}};
  for (const PublishedLaw& law : numbers.laws) {
    if (law.table != section.name) continue;
    const std::string item = fmt::format("{} {}", law.device_id, law.operation);
    const LawRefit* refit = find_refit(refits, law);
    if (refit == nullptr) {
      quote_law(item, law, missing_reason(refits, section.name), section.rows);
    } else if (section.name == "Table 1") {
      compare_attention_law(numbers, *refit, item, section.rows);
    } else {
      compare_rnn_law(*refit, item, section.rows);
    }
  }
  return section;
}

std::string_view exchange(std::string_view operation) {
  return operation == "qkv_projection" ? "attention_output_projection" : "qkv_projection";
}

// Table 1's two projection laws against the refits of the other projection.
ReproductionSection compare_exchanged(const PublishedNumbers& numbers,
                                      const std::vector<LawRefit>& refits) {
  ReproductionSection section{"Table 1, projections exchanged",
                              "each printed projection law against the other's measurements",
                              {}};
  for (const PublishedLaw& law : numbers.laws) {
    const bool projection =
        law.operation == "qkv_projection" || law.operation == "attention_output_projection";
    if (law.table != "Table 1" || !projection) continue;
    const auto* other = find_published_law(numbers, law.device_id, exchange(law.operation));
    const LawRefit* refit = other == nullptr ? nullptr : find_refit(refits, *other);
    if (refit == nullptr) continue;
    add_law_rows(fmt::format("{} law printed for {}, rows of {}", law.device_id, law.operation,
                             other->operation),
                 law, to_percent(refit->fit->law), describe_fit(*refit), section.rows);
  }
  return section;
}

}  // namespace

Result<std::vector<LawRefit>> refit_laws(const PublishedNumbers& numbers,
                                         const AuthorTables& tables) {
  std::vector<LawRefit> refits;
  for (const PublishedLaw& law : numbers.laws) {
    LawRefit refit{&law, select_samples(numbers, law, tables), std::nullopt};
    if (!refit.samples.empty()) {
      const auto fit = fit_saturation_law(refit.samples, {});
      if (!fit) return std::unexpected(fit.error());
      refit.fit = *fit;
    }
    refits.push_back(std::move(refit));
  }
  return refits;
}

double measure_distance(const SaturationLaw& a, const SaturationLaw& b,
                        const std::vector<HefSample>& samples) {
  double sum = 0.0;
  for (const HefSample& sample : samples) {
    const Flops flops{sample.flops};
    sum += std::pow(evaluate_hef(a, flops) - evaluate_hef(b, flops), 2);
  }
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

std::string find_nearest_operation(const PublishedNumbers& numbers, const LawRefit& refit) {
  double smallest = std::numeric_limits<double>::infinity();
  std::string nearest;
  for (const PublishedLaw& law : numbers.laws) {
    if (law.table != "Table 1" || law.device_id != refit.published->device_id) continue;
    const double distance = measure_distance(to_law(law), refit.fit->law, refit.samples);
    if (distance >= smallest) continue;
    smallest = distance;
    nearest = law.operation;
  }
  return nearest;
}

std::vector<ReproductionSection> compare_laws(const PublishedNumbers& numbers,
                                              const std::vector<LawRefit>& refits) {
  std::vector<ReproductionSection> sections{
      compare_table(numbers, refits, "Table 1", "efficiency laws of the Transformer layer"),
      compare_table(numbers, refits, "Table 2", "efficiency laws of the LSTM layer")};
  auto exchanged = compare_exchanged(numbers, refits);
  if (!exchanged.rows.empty()) sections.insert(sections.begin() + 1, std::move(exchanged));
  return sections;
}

std::optional<double> compute_joint_r_squared(const std::vector<LawRefit>& refits) {
  double sum = 0.0;
  double squares = 0.0;
  double residuals = 0.0;
  double count = 0.0;
  for (const LawRefit& refit : refits) {
    if (refit.published->table != "Table 1") continue;
    if (!refit.fit) return std::nullopt;
    residuals += refit.fit->sum_of_squares;
    for (const HefSample& sample : refit.samples) {
      sum += sample.hef;
      squares += sample.hef * sample.hef;
      count += 1.0;
    }
  }
  const double total = squares - sum * sum / count;
  return total > 0.0 ? std::optional{1.0 - residuals / total} : std::nullopt;
}

}  // namespace joulecast

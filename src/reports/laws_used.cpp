// SPDX-License-Identifier: Apache-2.0
// Which laws do the figures of a report rest on? Everything that set a duration, a power or an
// energy, with the hash by which it can be found again.
#include "reports/common.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace joulecast {
namespace {

class LawList {
 public:
  void add(const Law& law) {
    const auto range = law.fitted_range;
    add_row(law.id, law.sha256,
            {law.id, law.sha256, std::string(law.power ? "duration and power" : "duration"),
             law.source, range ? Datum(range->lowest.value()) : Datum(std::monostate{}),
             range ? Datum(range->highest.value()) : Datum(std::monostate{})});
  }
  // What has no range of FLOPs.
  void add(const std::string& id, const std::string& sha256, std::string predicts,
           std::string source) {
    add_row(
        id, sha256,
        {id, sha256, std::move(predicts), std::move(source), std::monostate{}, std::monostate{}});
  }
  [[nodiscard]] std::vector<std::vector<Datum>> take() { return std::move(rows_); }

 private:
  void add_row(const std::string& id, const std::string& sha256, std::vector<Datum> row) {
    if (met_.emplace(id, sha256).second) rows_.push_back(std::move(row));
  }

  std::vector<std::vector<Datum>> rows_;
  std::set<std::pair<std::string, std::string>> met_;
};

bool draws_on_power_prior(const Prediction& prediction) {
  // Checkpoints are written at the idle power, which the prior states.
  if (prediction.run && prediction.plan.checkpoint_fraction > 0.0) return true;
  return std::ranges::any_of(prediction.operations, [](const OperationPrediction& entry) {
    return entry.power && entry.power_is_prior;
  });
}

}  // namespace

Table list_laws(std::span<const Prediction> predictions,
                const std::optional<std::vector<std::string>>& only) {
  Table table{.key = "laws",
              .title = "",
              .columns = {{"id", "", Unit::none},
                          {"sha256", "", Unit::none},
                          {"predicts", "", Unit::none},
                          {"source", "", Unit::none},
                          {"fitted_flops_minimum", "", Unit::flops},
                          {"fitted_flops_maximum", "", Unit::flops}},
              .rows = {},
              .for_people = false};
  const auto wanted = [&](const std::string& id) {
    return !only || std::ranges::find(*only, id) != only->end();
  };
  LawList list;
  for (const Prediction& prediction : predictions) {
    for (const Law& law : prediction.laws) {
      if (wanted(law.id)) list.add(law);
    }
    const PowerPrior& power = prediction.power;
    if (draws_on_power_prior(prediction) && wanted(power.id)) {
      list.add(power.id, power.sha256, "power", power.source);
    }
    if (!prediction.paper || prediction.paper->energy_equation.empty()) continue;
    const PaperFigures& paper = *prediction.paper;
    if (wanted(paper.energy_law_id)) {
      list.add(paper.energy_law_id, paper.energy_sha256, "energy of a step", paper.energy_source);
    }
  }
  table.rows = list.take();
  return table;
}

}  // namespace joulecast

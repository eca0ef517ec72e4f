// SPDX-License-Identifier: Apache-2.0
#include "reports/statement.hpp"

#include "reports/common.hpp"

#include <joulecast/version.hpp>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace joulecast {
namespace {

std::string stated_costs(const Prediction& prediction) {
  if (!prediction.run) {
    return fmt::format(
        "takes {} (90 % interval {}) and {} of device energy (90 % interval {}) "
        "per optimisation step",
        show(prediction.step.duration.value(), Unit::seconds),
        show_interval(prediction.step.duration_interval, Unit::seconds),
        show(datum(prediction.step.energy), Unit::joules),
        show_interval(prediction.step.energy_interval, Unit::joules));
  }
  const RunPrediction& run = *prediction.run;
  const Account& account = run.account;
  std::string text = fmt::format(
      "takes {} for {} steps (90 % interval {}) and {} of device energy (90 % interval {})",
      show(run.duration.value(), Unit::seconds), show(run.steps, Unit::count),
      show_interval(run.duration_interval, Unit::seconds),
      show(account.device_energy.value(), Unit::joules),
      show_interval(run.device_energy_interval, Unit::joules));
  if (account.host_energy || account.overhead_energy) {
    text += fmt::format(", {} in all", show(account.facility_energy.value(), Unit::joules));
  }
  if (account.emissions) {
    const Region& region = *prediction.site.region;
    text += fmt::format(
        ", {} CO2 equivalent at {} ({}{})", show(account.emissions->value(), Unit::kilograms),
        show(region.carbon_intensity.value() * 1e3 * joules_per_kilowatt_hour,
             Unit::grams_per_kilowatt_hour),
        region.name, region.year > 0 ? fmt::format(", {}", region.year) : std::string());
  }
  if (account.total_cost) {
    text += fmt::format(", at a cost of {}", money(account.total_cost, prediction.site.currency));
    if (run.cost_interval) {
      text +=
          fmt::format(" (90 % interval {})", money(*run.cost_interval, prediction.site.currency));
    }
  }
  return text;
}

// "law_extrapolated" as it is read.
std::string words_of(std::string_view code) {
  std::string words(code);
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::string join_subjects(const std::vector<const Warning*>& warnings) {
  std::string subjects;
  for (const Warning* warning : warnings) {
    if (warning->subject.empty()) continue;
    subjects += (subjects.empty() ? "" : ", ") + warning->subject;
  }
  return subjects;
}

// What a reader must know to judge the figures; `--format json` has the rest with its sources.
std::string stated_assumptions(const Prediction& prediction) {
  std::string text = fmt::format("Assumed: a power limit of {}",
                                 show(prediction.power_limit.value(), Unit::watts));
  for (const Assumption& assumption : prediction.assumptions) {
    if (assumption.name == "operations") text += fmt::format("; {}", assumption.value);
    if (assumption.name == "optimizer") text += fmt::format("; optimizer {}", assumption.value);
  }
  if (prediction.run) {
    const RunPlan& plan = prediction.plan;
    text += fmt::format("; evaluation {:g}, checkpoints {:g} of the training time, padding {:g}",
                        plan.evaluation_fraction, plan.checkpoint_fraction, plan.padding_fraction);
    const Site& site = prediction.site;
    text += site.host_power
                ? fmt::format("; host {} per GPU", show(site.host_power->value(), Unit::watts))
                : std::string("; host not included");
    text += site.power_usage_effectiveness
                ? fmt::format("; PUE {:g}", *site.power_usage_effectiveness)
                : std::string("; cooling not included");
    const std::string currency = site.currency.empty() ? "" : " " + site.currency;
    if (site.price_per_kilowatt_hour) {
      text += fmt::format("; {:g}{} per kWh", *site.price_per_kilowatt_hour, currency);
    }
    if (site.price_per_gpu_hour) {
      text += fmt::format("; {:g}{} per GPU hour", *site.price_per_gpu_hour, currency);
    }
  }
  // What was not stated is said above; the other warnings qualify the figures themselves.
  std::map<WarningCode, std::vector<const Warning*>> others;
  for (const Warning& warning : prediction.warnings) {
    const bool said = warning.code == WarningCode::host_power_not_stated ||
                      warning.code == WarningCode::pue_not_stated ||
                      warning.code == WarningCode::region_not_stated ||
                      warning.code == WarningCode::price_not_stated;
    if (!said) others[warning.code].push_back(&warning);
  }
  for (const auto& [code, warnings] : others) {
    const std::string subjects = join_subjects(warnings);
    // Many of one kind are named by it; a paragraph has no place for the figures of each.
    const std::string said =
        warnings.size() > 1 ? words_of(to_string(code)) : warnings.front()->message;
    text += fmt::format("; {}{}", said, subjects.empty() ? "" : fmt::format(" ({})", subjects));
  }
  return text;
}

constexpr std::string_view paper_bibtex = R"(@inproceedings{mayaki2025modeling,
  title = {Modeling Energy Consumption in Deep Learning Architectures Using Power Laws},
  author = {{Zoubeirou a Mayaki}, Mansour and Charpenay, Victor},
  booktitle = {ECAI 2025},
  year = {2025},
  doi = {10.3233/FAIA250900}
})";

}  // namespace

std::string statement_of(const Prediction& prediction) {
  const TrainingSetup& setup = prediction.setup;
  // Only the breaks between the paragraphs are ours; a name may not bring its own.
  const auto plain = [](const std::string& text) { return show(text, Unit::none); };
  return fmt::format(
      "Before training, joulecast {0} predicts that {1} ({2} parameters) on {3} x {4} ({5}) {6}. "
      "{7}.\n\n@software{{joulecast,\n  title = "
      "{{joulecast: the cost of training a model, before it is trained}},\n  version = {{{0} "
      "(commit {9})}},\n"
      "  year = {{2026}}\n}}\n{8}",
      version(), plain(prediction.model.name), show(prediction.parameter_count, Unit::count),
      setup.num_gpus, plain(prediction.device.name), name_training(setup),
      plain(stated_costs(prediction)), plain(stated_assumptions(prediction)), paper_bibtex,
      commit());
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "calibration/transfer_fit.hpp"

#include "documents/digits.hpp"
#include "documents/save.hpp"
#include "laws/transfer.hpp"
#include "validation/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

namespace joulecast {
namespace {

// As many rows of each device, so that devices count alike.
constexpr std::size_t rows_per_device = 1000;

struct Judged {
  const Law* law = nullptr;
  const FitGroup* group = nullptr;
  Device device{};
};

void judge_one(std::span<const Judged> all, const Judged& left_out, std::vector<double>& ratios) {
  std::vector<TransferSource> sources;
  for (const Judged& other : all) {
    if (other.law == left_out.law || other.device.vendor != left_out.device.vendor) continue;
    sources.push_back({other.law, other.group->facts});
  }
  if (sources.empty()) return;
  const FitGroup& group = *left_out.group;
  const Law committee = form_committee(sources, left_out.device, group.facts, group.id.precision);
  for (std::size_t i = 0; i < rows_per_device; ++i) {
    // Rows come in the order of their hashes: every n-th is a fair sample.
    const LawSample& sample = group.rows[i * group.rows.size() / rows_per_device].sample;
    const LawQuestion question = question_of(sample, group.facts);
    if (!law_answers(committee, question)) continue;
    ratios.push_back(std::log(sample.seconds / evaluate_law(committee, question).value()));
  }
}

TransferFit summarize(std::span<const Judged> all, std::vector<double> ratios) {
  TransferFit fit{.precision = all.front().group->id.precision,
                  .operation = all.front().group->id.operation};
  for (const Judged& judged : all) fit.devices.push_back(judged.device.id);
  std::vector<PredictedValue> values;
  for (double& ratio : ratios) {
    values.push_back({.measured = std::exp(ratio), .predicted = 1.0});
    ratio = std::abs(ratio);
  }
  const ErrorMetrics metrics = compute_metrics(values);
  fit.errors = {metrics.count, metrics.mape, metrics.median_ape};
  std::ranges::sort(ratios);
  const double half_width = quantile(ratios, 0.9);
  fit.interval = {std::exp(-half_width), std::exp(half_width)};
  return fit;
}

}  // namespace

std::vector<TransferFit> judge_transfers(std::span<const LawFit> laws,
                                         std::span<const FitGroup> groups,
                                         const DeviceCatalogue& devices) {
  std::map<std::pair<MeasuredPrecision, std::string>, std::vector<Judged>> by_operation;
  for (const LawFit& fit : laws) {
    const LawId id{fit.law.device, *fit.law.precision, fit.law.operation};
    const auto group = std::ranges::find(groups, id, &FitGroup::id);
    const auto device = devices.find(id.device);
    if (group == groups.end() || !device || fit.law.host_timed) continue;
    by_operation[{id.precision, id.operation}].push_back({&fit.law, &*group, *device});
  }
  std::vector<TransferFit> fits;
  for (const auto& [key, all] : by_operation) {
    std::vector<double> ratios;
    for (const Judged& left_out : all) judge_one(all, left_out, ratios);
    if (!ratios.empty()) fits.push_back(summarize(all, std::move(ratios)));
  }
  return fits;
}

Result<void> save_transfers(const std::filesystem::path& directory,
                            std::span<const TransferFit> transfers) {
  nlohmann::ordered_json out = {{"schema_version", 1}, {"transfers", nlohmann::json::array()}};
  for (const TransferFit& fit : transfers) {
    nlohmann::ordered_json entry;
    entry["precision"] = to_string(fit.precision);
    entry["operation"] = fit.operation;
    entry["devices"] = fit.devices;
    entry["rows"] = fit.errors.rows;
    entry["mean_absolute_percentage_error"] = rounded(fit.errors.mean_absolute_percentage_error, 4);
    entry["median_absolute_percentage_error"] =
        rounded(fit.errors.median_absolute_percentage_error, 4);
    entry["lower_factor"] = rounded(fit.interval.lower, 4);
    entry["upper_factor"] = rounded(fit.interval.upper, 4);
    out["transfers"].push_back(std::move(entry));
  }
  return save_text(directory / "transfer.json", out.dump(2) + "\n");
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// What holds for every prediction, with the shipped prior and with fitted laws of any strength.
#include "random_cases.hpp"

#include <cmath>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

Prediction predict_case(const RandomCase& c) { return predict(request_of(c)).value(); }

// The efficiency that an operation's law allows at most.
double highest_hef(const Prediction& prediction, const OperationPrediction& entry) {
  for (const Law& law : prediction.laws) {
    if (law.id != entry.law_id) continue;
    if (const auto* form = std::get_if<SaturationLaw>(&law.form)) return form->eta_max;
    return std::get<RooflineLaw>(law.form).compute_fraction;
  }
  return 0.0;
}

TEST(PredictionProperties, EfficiencyIsAboveZeroAndAtMostWhatTheLawAllows) {
  for (const RandomCase& c : random_cases(200, 11)) {
    const Prediction prediction = predict_case(c);
    for (const OperationPrediction& entry : prediction.operations) {
      EXPECT_EQ(entry.duration.hef.has_value(), entry.operation.flops > 0);
      if (!entry.duration.hef) continue;
      EXPECT_GT(*entry.duration.hef, 0.0) << entry.operation.name;
      EXPECT_LE(*entry.duration.hef, highest_hef(prediction, entry)) << entry.operation.name;
    }
    EXPECT_GT(prediction.step.hef, 0.0);
    EXPECT_LE(prediction.step.hef, 1.0);
  }
}

TEST(PredictionProperties, TimesAndEnergiesArePositiveAndPowerIsWithinTheLimit) {
  for (const RandomCase& c : random_cases(200, 12)) {
    const Prediction prediction = predict_case(c);
    const Watts idle = prediction.power_limit * prediction.power.idle_fraction;
    for (const OperationPrediction& entry : prediction.operations) {
      EXPECT_GT(entry.duration.one, Seconds{0.0});
      EXPECT_TRUE(std::isfinite(entry.total_duration.value()));
      EXPECT_GT(entry.total_energy.value(), Joules{0.0});
      EXPECT_GE(entry.power.value(), idle);
      EXPECT_LE(entry.power.value(), prediction.power_limit);
    }
    EXPECT_GE(prediction.step.average_power.value(), idle * (1.0 - 1e-12));
    EXPECT_LE(prediction.step.average_power.value(), prediction.power_limit * (1.0 + 1e-12));
  }
}

// No device is faster than its data sheet.
TEST(PredictionProperties, NoOperationBeatsThePeakAndThePriorNotTheBandwidth) {
  for (const RandomCase& c : random_cases(200, 13)) {
    for (const OperationPrediction& entry : predict_case(c).operations) {
      const Flops flops{static_cast<double>(entry.operation.flops)};
      const Bytes bytes{static_cast<double>(entry.operation.bytes_moved)};
      EXPECT_GE(entry.duration.one, flops / entry.rates.peak.value());
      if (entry.law_id != "prior") continue;
      EXPECT_GE(entry.duration.one, bytes / entry.rates.bandwidth);
    }
  }
}

TEST(PredictionProperties, PartsSumToTheWhole) {
  for (const RandomCase& c : random_cases(200, 14)) {
    const Prediction prediction = predict_case(c);
    double flops = 0.0;
    double bytes = 0.0;
    double seconds = 0.0;
    double joules = 0.0;
    double time_shares = 0.0;
    double energy_shares = 0.0;
    for (const OperationPrediction& entry : prediction.operations) {
      const double count = static_cast<double>(entry.operation.count);
      flops += count * static_cast<double>(entry.operation.flops);
      bytes += count * static_cast<double>(entry.operation.bytes_moved);
      seconds += count * entry.duration.one.value();
      joules += count * entry.duration.one.value() * entry.power.value().value();
      time_shares += entry.duration_share;
      energy_shares += entry.energy_share.value();
    }
    EXPECT_DOUBLE_EQ(prediction.step.flops.value(), flops);
    EXPECT_DOUBLE_EQ(prediction.step.bytes_moved.value(), bytes);
    EXPECT_NEAR(prediction.step.duration.value() / seconds, 1.0, 1e-12);
    EXPECT_NEAR(prediction.step.energy.value().value() / joules, 1.0, 1e-12);
    EXPECT_NEAR(time_shares, 1.0, 1e-12);
    EXPECT_NEAR(energy_shares, 1.0, 1e-12);
  }
}

TEST(PredictionProperties, PartsOfRunsAndAccountsSumToTheWhole) {
  Draw draw(15);
  for (const RandomCase& c : random_cases(100, 16)) {
    PredictionRequest request = request_of(c);
    request.setup.num_gpus = draw.size(6);
    request.plan = {.steps = draw.size(20),
                    .evaluation_fraction = draw.fraction(0.0, 1.0),
                    .checkpoint_fraction = draw.fraction(0.0, 1.0),
                    .padding_fraction = draw.fraction(0.0, 0.9)};
    request.site.host_power = Watts{draw.fraction(0.0, 500.0)};
    request.site.power_usage_effectiveness = draw.fraction(1.0, 2.0);
    request.site.price_per_kilowatt_hour = draw.fraction(0.0, 1.0);
    request.site.price_per_gpu_hour = draw.fraction(0.0, 10.0);
    const RunPrediction run = predict(request).value().run.value();
    Seconds time;
    Joules energy;
    for (const RunPart& part : run.parts) {
      time += part.duration;
      energy += part.energy;
    }
    EXPECT_NEAR(time / run.duration, 1.0, 1e-12);
    const Account& account = run.account;
    EXPECT_NEAR(energy / account.device_energy, 1.0, 1e-12);
    EXPECT_NEAR((account.device_energy + *account.host_energy + *account.overhead_energy) /
                    account.facility_energy,
                1.0, 1e-12);
    EXPECT_NEAR(*account.electricity_cost + *account.gpu_cost, account.total_cost.value(),
                1e-12 * *account.total_cost);
    EXPECT_LE(run.padding.duration, run.parts[0].duration);
    EXPECT_LE(run.padding.energy, run.parts[0].energy);
    // Ideal data parallelism: the time of one device, the energy of all.
    request.setup.num_gpus = 1;
    const RunPrediction single = predict(request).value().run.value();
    EXPECT_EQ(single.duration, run.duration);
    EXPECT_NEAR(account.device_energy / single.account.device_energy,
                static_cast<double>(run.num_gpus), 1e-9);
  }
}

TEST(PredictionProperties, IntervalsHoldThePrediction) {
  for (const RandomCase& c : random_cases(200, 17)) {
    PredictionRequest request = request_of(c);
    request.plan = {.steps = 100, .evaluation_fraction = 0.2, .checkpoint_fraction = 0.1};
    const Prediction prediction = predict(request).value();
    const StepPrediction& step = prediction.step;
    EXPECT_LE(step.duration_interval.value().lower, step.duration);
    EXPECT_GE(step.duration_interval.value().upper, step.duration);
    EXPECT_LE(step.energy_interval.value().lower, *step.energy);
    EXPECT_GE(step.energy_interval.value().upper, *step.energy);
    EXPECT_GT(step.energy_interval.value().lower, Joules{0.0});
    // Nothing draws more than the limit for longer than the longest time.
    EXPECT_LE(step.energy_interval.value().upper,
              prediction.power_limit * step.duration_interval.value().upper * (1.0 + 1e-12));
    const RunPrediction& run = prediction.run.value();
    EXPECT_LE(run.duration_interval.value().lower, run.duration);
    EXPECT_GE(run.duration_interval.value().upper, run.duration);
    EXPECT_LE(run.device_energy_interval.value().lower, run.account.device_energy);
    EXPECT_GE(run.device_energy_interval.value().upper, run.account.device_energy);
  }
}

// Every figure of a step, to the last bit.
std::vector<double> figures_of(const Prediction& prediction) {
  std::vector<double> figures = {prediction.step.duration.value(),
                                 prediction.step.energy.value().value(), prediction.step.hef};
  for (const OperationPrediction& entry : prediction.operations) {
    figures.push_back(entry.duration.one.value());
    figures.push_back(entry.power.value().value());
    figures.push_back(entry.duration.hef.value_or(-1.0));
    figures.push_back(entry.duration_share);
  }
  return figures;
}

TEST(PredictionProperties, TheSameRequestGivesTheSamePrediction) {
  for (const RandomCase& c : random_cases(50, 18)) {
    const PredictionRequest request = request_of(c);
    const Prediction first = predict(request).value();
    // Asked again, and asked by another caller who builds the request anew.
    for (const Prediction& again : {predict(request).value(), predict_case(c)}) {
      EXPECT_EQ(figures_of(first), figures_of(again));
      EXPECT_EQ(first.warnings, again.warnings);
    }
  }
}

TEST(PredictionProperties, OurConventionNeverCarriesThePaperSFigures) {
  for (RandomCase c : random_cases(100, 19)) {
    c.precision = Precision::tf32;
    PredictionRequest request = request_of(c);
    request.device.id = "a100-80gb-pcie";  // the paper has laws for this one
    const Prediction prediction = predict(request).value();
    EXPECT_FALSE(prediction.paper.has_value());
    EXPECT_EQ(find_warning(prediction.warnings, WarningCode::paper_convention), nullptr);
    EXPECT_EQ(find_warning(prediction.warnings, WarningCode::paper_labels), nullptr);
    for (const Law& law : prediction.laws) EXPECT_FALSE(law.id.starts_with("ecai2025"));
  }
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// From one step to a run: how many steps, what they cost, and what stands beside them.
#include "synthetic_world.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>

namespace joulecast {
namespace {

constexpr std::int64_t two_to_60 = std::int64_t{1} << 60U;

// 4 sequences of 5 tokens on 2 devices: 8 sequences, 40 positions a step.
TrainingSetup pair() { return {.batch_size = 4, .sequence_length = 5, .num_gpus = 2}; }

std::optional<std::int64_t> steps_of(const RunPlan& plan) {
  return count_steps(plan, pair()).value();
}

TEST(CountSteps, AreThoseStatedOrNone) {
  EXPECT_EQ(steps_of({}), std::nullopt);
  EXPECT_EQ(steps_of({.steps = 12}), 12);
  EXPECT_EQ(steps_of({.steps = two_to_60}), two_to_60);
}

// 100 samples are 12.5 steps of 8, so 13 an epoch: a last batch is a step though it is not full.
TEST(CountSteps, OfEpochsRoundUpEachEpoch) {
  EXPECT_EQ(steps_of({.epochs = 1, .samples = 100}), 13);
  EXPECT_EQ(steps_of({.epochs = 3, .samples = 100}), 39);
  EXPECT_EQ(steps_of({.epochs = 3, .samples = 96}), 36);
  EXPECT_EQ(steps_of({.epochs = 1, .samples = 1}), 1);
}

TEST(CountSteps, OfTokensRoundUpOnce) {
  EXPECT_EQ(steps_of({.tokens = 1000}), 25);
  EXPECT_EQ(steps_of({.tokens = 1001}), 26);
  EXPECT_EQ(steps_of({.tokens = 1}), 1);
  // Exact in integers: 2^60 / 40 = 28823037615171174.4.
  EXPECT_EQ(steps_of({.tokens = two_to_60}), 28'823'037'615'171'175);
}

// Padded by a quarter a step holds 30 real tokens: 1000 / 30 = 33.3.
TEST(CountSteps, PaddingLeavesFewerRealTokensAStep) {
  EXPECT_EQ(steps_of({.tokens = 1000, .padding_fraction = 0.25}), 34);
  EXPECT_EQ(steps_of({.tokens = 900, .padding_fraction = 0.25}), 30);
  EXPECT_EQ(steps_of({.tokens = 1, .padding_fraction = 0.25}), 1);
}

// 0.9 padded leaves 4 of 40, and 1000 / 4 = 250; in binary 40 (1 - 0.9) is a little below 4, which
// must not add a step.
TEST(CountSteps, RoundingCostsNoStep) {
  EXPECT_EQ(steps_of({.tokens = 1000, .padding_fraction = 0.9}), 250);
  EXPECT_EQ(steps_of({.tokens = 1001, .padding_fraction = 0.9}), 251);
  for (int percent = 5; percent < 100; percent += 5) {
    const std::int64_t tokens = std::int64_t{40} * (100 - percent);  // of 100 steps
    EXPECT_EQ(steps_of({.tokens = tokens, .padding_fraction = percent / 100.0}), 100) << percent;
  }
}

TEST(CountSteps, ThatDoNotFitAreAnError) {
  const TrainingSetup one{.batch_size = 1, .sequence_length = 1};
  const auto kind = [](const RunPlan& plan, const TrainingSetup& setup) {
    return count_steps(plan, setup).error().kind;
  };
  EXPECT_EQ(kind({.epochs = two_to_60, .samples = two_to_60}, one), ErrorKind::overflow);
  // 2^60 tokens, one in a thousand of them real: 1.15e21 steps.
  EXPECT_EQ(kind({.tokens = two_to_60, .padding_fraction = 0.999}, one), ErrorKind::overflow);
  const std::int64_t most = std::int64_t{1} << 40U;
  const TrainingSetup huge{.batch_size = most, .sequence_length = 1, .num_gpus = most};
  EXPECT_EQ(kind({.tokens = 1}, huge), ErrorKind::overflow);
  EXPECT_EQ(kind({.epochs = 1, .samples = 1}, huge), ErrorKind::overflow);
}

TEST(CountSteps, RefusesPlansThatContradictThemselves) {
  for (const RunPlan& plan :
       {RunPlan{.epochs = 3}, RunPlan{.samples = 3}, RunPlan{.steps = 1, .epochs = 3},
        RunPlan{.steps = 1, .tokens = 1}, RunPlan{.epochs = 1, .samples = 1, .tokens = 1},
        RunPlan{.steps = 1, .epochs = 1, .samples = 1},
        RunPlan{.steps = 1, .epochs = 1, .samples = 1, .tokens = 1}}) {
    const auto steps = count_steps(plan, pair());
    ASSERT_FALSE(steps.has_value());
    EXPECT_EQ(steps.error().kind, ErrorKind::usage);
    EXPECT_FALSE(steps.error().remedy.empty());
  }
}

TEST(CountSteps, RefusesNumbersThatCannotBe) {
  for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, two_to_60 + 1}) {
    for (const RunPlan& plan :
         {RunPlan{.steps = bad}, RunPlan{.tokens = bad}, RunPlan{.epochs = bad, .samples = 1},
          RunPlan{.epochs = 1, .samples = bad}}) {
      EXPECT_EQ(count_steps(plan, pair()).error().kind, ErrorKind::value) << bad;
    }
  }
  for (const double bad : {-0.01, 10.5, std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (const RunPlan& plan :
         {RunPlan{.steps = 1, .evaluation_fraction = bad},
          RunPlan{.steps = 1, .checkpoint_fraction = bad},
          RunPlan{.steps = 1, .padding_fraction = bad}, RunPlan{.padding_fraction = bad}}) {
      EXPECT_EQ(count_steps(plan, pair()).error().kind, ErrorKind::value) << bad;
    }
  }
  // All padding would never end.
  EXPECT_EQ(count_steps({.tokens = 1, .padding_fraction = 1.0}, pair()).error().kind,
            ErrorKind::value);
}

// The dense step of prediction_test.cpp, 17.212 ms and 0.71193 J, ten times on two devices:
// training 0.17212 s and 14.2386 J, evaluation a tenth of both, checkpoints 0.05 * 0.17212 =
// 0.008606 s at 20 W idle on two devices = 0.34424 J: 0.197938 s and 16.0067 J together.
PredictionRequest run_request() {
  PredictionRequest request = dense_request();
  request.setup.num_gpus = 2;
  request.plan = {.steps = 10,
                  .evaluation_fraction = 0.1,
                  .checkpoint_fraction = 0.05,
                  .padding_fraction = 0.25};
  return request;
}

TEST(PredictRun, NamesItsParts) {
  const RunPrediction run = predict(run_request()).value().run.value();
  EXPECT_EQ(run.steps, 10);
  EXPECT_EQ(run.num_gpus, 2);
  ASSERT_EQ(run.parts.size(), 3U);
  EXPECT_EQ(run.parts[0].name, "training");
  EXPECT_NEAR(run.parts[0].duration.value(), 0.17212, 1e-12);
  EXPECT_NEAR(run.parts[0].energy.value(), 14.2386, 1e-9);
  EXPECT_EQ(run.parts[1].name, "evaluation");
  EXPECT_NEAR(run.parts[1].duration.value(), 0.017212, 1e-12);
  EXPECT_NEAR(run.parts[1].energy.value(), 1.42386, 1e-9);
  EXPECT_EQ(run.parts[2].name, "checkpoints");
  EXPECT_NEAR(run.parts[2].duration.value(), 0.008606, 1e-12);
  EXPECT_NEAR(run.parts[2].energy.value(), 0.34424, 1e-9);
  EXPECT_NEAR(run.duration.value(), 0.197938, 1e-12);
  EXPECT_NEAR(run.account.device_energy.value(), 16.0067, 1e-9);
}

// A quarter of the training, contained in it and not added: 0.04303 s and 3.55965 J.
TEST(PredictRun, PaddingIsContainedInTheParts) {
  const RunPrediction run = predict(run_request()).value().run.value();
  EXPECT_NEAR(run.padding.duration.value(), 0.04303, 1e-12);
  EXPECT_NEAR(run.padding.energy.value(), 3.55965, 1e-9);
  PredictionRequest unpadded = run_request();
  unpadded.plan.padding_fraction = 0.0;
  EXPECT_EQ(predict(unpadded).value().run.value().duration, run.duration);
}

// A half and twice of 0.197938 s. Energy: 0.8 * 0.5 of 16.0067 J; above, the limit of 100 W for
// twice the time, 3.4424 J a step, grows as the energy does: 3.4424 / 0.71193 * 16.0067 J.
TEST(PredictRun, IntervalsScaleWithTheRun) {
  const RunPrediction run = predict(run_request()).value().run.value();
  EXPECT_NEAR(run.duration_interval.value().lower.value(), 0.098969, 1e-9);
  EXPECT_NEAR(run.duration_interval.value().upper.value(), 0.395876, 1e-9);
  EXPECT_NEAR(run.device_energy_interval.value().lower.value(), 6.40268, 1e-6);
  EXPECT_NEAR(run.device_energy_interval.value().upper.value(), 3.44118 / 0.71193 * 16.0067, 1e-4);
}

// The account is of this energy and this time: host 30 W * 0.197938 s * 2 = 11.87628 J, PUE 1.2.
TEST(PredictRun, AccountsForTheWholeRun) {
  PredictionRequest request = run_request();
  request.site.host_power = Watts{30.0};
  request.site.power_usage_effectiveness = 1.2;
  request.site.price_per_gpu_hour = 3600.0;
  const Account account = predict(request).value().run.value().account;
  EXPECT_NEAR(account.host_energy.value().value(), 11.87628, 1e-9);
  EXPECT_NEAR(account.facility_energy.value(), 1.2 * (16.0067 + 11.87628), 1e-9);
  EXPECT_NEAR(account.gpu_cost.value(), 2 * 0.197938, 1e-9);
}

TEST(PredictRun, IsAbsentWithoutAPlan) {
  EXPECT_FALSE(predict(dense_request()).value().run.has_value());
}

// 2^60 steps: 1.15e18 * 17.212 ms = 1.98e16 s, still a number.
TEST(PredictRun, StaysFiniteForTheLongestRuns) {
  PredictionRequest request = dense_request();
  request.plan.steps = two_to_60;
  const RunPrediction run = predict(request).value().run.value();
  EXPECT_NEAR(run.duration.value() / (std::ldexp(1.0, 60) * 17.212e-3), 1.0, 1e-12);
  EXPECT_TRUE(std::isfinite(run.account.facility_energy.value()));
}

TEST(PredictRun, RefusesPlansAndSitesThatCannotBe) {
  PredictionRequest request = dense_request();
  request.plan.epochs = 1;
  EXPECT_EQ(predict(request).error().kind, ErrorKind::usage);
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<Site> sites(13);
  sites[0].power_usage_effectiveness = 0.99;
  sites[1].power_usage_effectiveness = nan;
  sites[2].power_usage_effectiveness = infinity;
  sites[3].host_power = Watts{-1.0};
  sites[4].host_power = Watts{nan};
  sites[5].price_per_kilowatt_hour = -0.1;
  sites[6].price_per_kilowatt_hour = infinity;
  sites[7].price_per_gpu_hour = -0.1;
  sites[8].price_per_gpu_hour = nan;
  sites[9].region = Region{.carbon_intensity = KilogramsPerJoule{-1e-9}};
  sites[10].region = Region{.carbon_intensity = KilogramsPerJoule{nan}};
  sites[11].currency = "EUR\n";
  sites[12].currency = "pounds of sterling";
  for (std::size_t i = 0; i < sites.size(); ++i) {
    request = dense_request();
    request.site = sites[i];
    const auto prediction = predict(request);
    ASSERT_FALSE(prediction.has_value()) << i;
    EXPECT_EQ(prediction.error().kind, ErrorKind::value) << i;
    EXPECT_TRUE(prediction.error().where.path.starts_with("--")) << i;
  }
}

// 2 sequences of 5 tokens in each of 4 batches are 40 tokens and 8 samples a step.
TEST(CountSteps, TakesTheAccumulatedBatchesOfAStepTogether) {
  TrainingSetup setup{.batch_size = 2, .sequence_length = 5};
  setup.accumulation_steps = 4;
  RunPlan tokens;
  tokens.tokens = 1000;
  EXPECT_EQ(count_steps(tokens, setup).value(), 25);
  RunPlan epochs;
  epochs.epochs = 3;
  epochs.samples = 16;
  EXPECT_EQ(count_steps(epochs, setup).value(), 6);
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// A whole step worked out by hand, by our own convention.
#include "synthetic_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::ElementsAre;

// The dense layer on the round device. Each of the three products: 2 * 20 * 50 * 100 = 200000
// FLOPs, 4 (2000 + 5000 + 1000) = 32000 B: 1 ms + max(200000 / 5e7 = 4 ms, 32000 / 5e7) = 5 ms.
// SGD on 100 * 50 + 50 = 5050 parameters: 10100 FLOPs, 12 * 5050 = 60600 B: 1 ms +
// max(10100 / 5e7 = 0.202 ms, 60600 / 5e7 = 1.212 ms) = 2.212 ms.
// Step: 3 * 5 + 2.212 = 17.212 ms, 610100 FLOPs, 156600 B.
constexpr double step_seconds = 17.212e-3;
// Products: 0.2 + 0.5 * 200000 / 5e-3 / 1e8 + 0.4 * 32000 / 5e-3 / 1e8 = 0.2 + 0.2 + 0.0256, so
// 42.56 W and 0.2128 J. SGD: 100 W (0.2 * 2.212e-3 s + 0.5 * 10100 / 1e8 + 0.4 * 60600 / 1e8) =
// 0.04424 + 0.00505 + 0.02424 = 0.07353 J. Step: 0.6384 + 0.07353 = 0.71193 J.
constexpr double step_joules = 0.71193;

TEST(PredictStep, AddsUpTimesAndEnergiesOfItsOperations) {
  const Prediction prediction = predict(dense_request()).value();
  ASSERT_EQ(prediction.operations.size(), 4U);
  for (std::size_t i = 0; i < 3; ++i) {
    const OperationPrediction& entry = prediction.operations[i];
    EXPECT_NEAR(entry.duration.one.value(), 5e-3, 1e-15);
    EXPECT_NEAR(entry.duration.hef.value(), 200000 / 5e-3 / 1e8, 1e-12);
    EXPECT_EQ(entry.duration.bound, Bound::compute);
    EXPECT_NEAR(entry.power.value().value(), 42.56, 1e-9);
    EXPECT_NEAR(entry.total_energy.value().value(), 0.2128, 1e-12);
    EXPECT_NEAR(entry.duration_share, 5.0 / 17.212, 1e-12);
    EXPECT_NEAR(entry.energy_share.value(), 0.2128 / step_joules, 1e-9);
    EXPECT_EQ(entry.law_id, "prior");
  }
  EXPECT_NEAR(prediction.operations[3].duration.one.value(), 2.212e-3, 1e-15);
  EXPECT_EQ(prediction.operations[3].duration.bound, Bound::memory);
  EXPECT_NEAR(prediction.operations[3].total_energy.value().value(), 0.07353, 1e-12);

  EXPECT_EQ(prediction.step.flops, Flops{610100.0});
  EXPECT_EQ(prediction.step.bytes_moved, Bytes{156600.0});
  EXPECT_NEAR(prediction.step.duration.value(), step_seconds, 1e-15);
  EXPECT_NEAR(prediction.step.energy.value().value(), step_joules, 1e-12);
  EXPECT_NEAR(prediction.step.average_power.value().value(), step_joules / step_seconds, 1e-9);
  EXPECT_NEAR(prediction.step.hef, 610100 / step_seconds / 1e8, 1e-12);
}

// Two identical layers: the same operations, twice as often. B = 1, S = 2, D = 4, h = 1, F = 3.
TEST(PredictStep, ExecutionsMultiply) {
  PredictionRequest request = dense_request();
  TransformerBlock block{.num_hidden_layers = 1,
                         .hidden_size = 4,
                         .attention = {.num_attention_heads = 1},
                         .feed_forward = {.intermediate_size = 3}};
  request.model.blocks = {{"body", block}};
  const Prediction once = predict(request).value();
  block.num_hidden_layers = 2;
  request.model.blocks = {{"body", block}};
  const Prediction twice = predict(request).value();
  ASSERT_EQ(once.operations.size(), twice.operations.size());
  for (std::size_t i = 0; i + 1 < once.operations.size(); ++i) {
    EXPECT_EQ(twice.operations[i].duration.one, once.operations[i].duration.one);
    EXPECT_EQ(twice.operations[i].total_duration, 2.0 * once.operations[i].total_duration);
    EXPECT_EQ(twice.operations[i].total_energy, 2.0 * *once.operations[i].total_energy);
  }
}

// Times a half and twice; energies at 0.8 and 3 times the power of each operation, but never above
// 100 W: 3 * 42.56 W of the products (5 ms each) would be, 3 times the 0.07353 J / 2.212 ms =
// 33.24 W of the optimizer is not.
TEST(PredictStep, IntervalsMultiplyTimeAndPowerUpToTheLimit) {
  const StepPrediction step = predict(dense_request()).value().step;
  EXPECT_NEAR(step.duration_interval.value().lower.value(), 0.5 * step_seconds, 1e-15);
  EXPECT_NEAR(step.duration_interval.value().upper.value(), 2.0 * step_seconds, 1e-15);
  EXPECT_NEAR(step.energy_interval.value().lower.value(), 0.8 * 0.5 * step_joules, 1e-12);
  EXPECT_NEAR(step.energy_interval.value().upper.value(), 2.0 * (100.0 * 15e-3 + 3.0 * 0.07353),
              1e-6);
}

// 0.8 and 1.2: 49.6 W stay below the limit.
TEST(PredictStep, IntervalsBelowTheLimitAreNotCut) {
  PredictionRequest request = dense_request();
  PowerPrior power = round_power();
  power.interval = {0.8, 1.2};
  request.laws = LawSet({}, round_prior(), power);
  EXPECT_NEAR(predict(request).value().step.energy_interval.value().upper.value(),
              1.2 * 2.0 * step_joules, 1e-12);
}

// eta = 0.25: 200000 / (1e8 * 0.25) = 8 ms a product; 3 * 8 + 2.212 = 26.212 ms. Bounds 0.9 and 1.1
// for the products, 0.5 and 2 for the optimizer, which no law covers; the upper bound of what laws
// say about kernels grows by 1.7 in a step.
TEST(PredictStep, UsesLawsWhereThereAreAnyAndThePriorElsewhere) {
  PredictionRequest request = dense_request();
  request.laws = round_laws({flat_law("dense", Precision::fp32)});
  const Prediction prediction = predict(request).value();
  EXPECT_EQ(prediction.operations[0].law_id, "round/fp32/dense");
  EXPECT_EQ(prediction.operations[3].law_id, "prior");
  EXPECT_NEAR(prediction.step.duration.value(), 26.212e-3, 1e-12);
  EXPECT_NEAR(prediction.step.duration_interval.value().lower.value(), 0.9 * 24e-3 + 0.5 * 2.212e-3,
              1e-12);
  EXPECT_NEAR(prediction.step.duration_interval.value().upper.value(),
              1.7 * 1.1 * 24e-3 + 2.0 * 2.212e-3, 1e-12);
  ASSERT_EQ(prediction.laws.size(), 2U);
  EXPECT_EQ(prediction.laws[0].id, "round/fp32/dense");
  EXPECT_EQ(prediction.laws[1].id, "prior");
}

TEST(PredictStep, WithoutTheIntervalOfOneLawThereIsNone) {
  PredictionRequest request = dense_request();
  Law law = flat_law("dense", Precision::fp32);
  law.interval.reset();
  request.laws = round_laws({law});
  request.plan.steps = 3;
  const Prediction prediction = predict(request).value();
  EXPECT_FALSE(prediction.step.duration_interval.has_value());
  EXPECT_FALSE(prediction.step.energy_interval.has_value());
  EXPECT_FALSE(prediction.run.value().duration_interval.has_value());
  EXPECT_FALSE(prediction.run.value().device_energy_interval.has_value());
}

// A saturation law cannot say how long a lookup without FLOPs takes: 4 * 5 * 7 values, 8 B each:
// 1120 B: 1 ms + 1120 / 5e7 s.
TEST(PredictStep, AnOperationWithoutFlopsFallsBackToThePrior) {
  PredictionRequest request = dense_request();
  request.model.blocks = {{"words", EmbeddingBlock{.vocab_size = 9, .hidden_size = 7}}};
  request.laws = round_laws({flat_law("embedding", Precision::fp32)});
  const Prediction prediction = predict(request).value();
  EXPECT_EQ(prediction.operations[0].law_id, "prior");
  EXPECT_NEAR(prediction.operations[0].duration.one.value(), 1e-3 + 1120 / 5e7, 1e-15);
  EXPECT_FALSE(prediction.operations[0].duration.hef.has_value());
  EXPECT_EQ(prediction.operations[1].law_id, "round/fp32/embedding");
}

// 1e9 FLOP/s in BF16: 200000 / 5e8 = 0.4 ms; 16000 / 5e7 = 0.32 ms; 1.4 ms each.
TEST(PredictStep, MixedPrecisionHasItsOwnPeak) {
  PredictionRequest request = dense_request();
  request.setup.precision = Precision::bf16;
  const Prediction prediction = predict(request).value();
  EXPECT_NEAR(prediction.operations[0].duration.one.value(), 1.4e-3, 1e-15);
  EXPECT_EQ(prediction.operations[3].rates.peak, FlopsPerSecond{1e8});
  EXPECT_NEAR(prediction.step.hef, 610100 / prediction.step.duration.value() / 1e9, 1e-12);
}

TEST(PredictStep, CarriesWhatItWasAsked) {
  PredictionRequest request = dense_request();
  request.plan.steps = 7;
  request.site.currency = "EUR";
  const Prediction prediction = predict(request).value();
  EXPECT_EQ(prediction.model.name, "dense model");
  EXPECT_THAT(prediction.parameters, ElementsAre(ParameterCount{"layer", 5050}));
  EXPECT_EQ(prediction.parameter_count, 5050);
  EXPECT_EQ(prediction.device.id, "round");
  EXPECT_EQ(prediction.setup.batch_size, 4);
  EXPECT_EQ(prediction.plan.steps, 7);
  EXPECT_EQ(prediction.site.currency, "EUR");
  EXPECT_EQ(prediction.power_limit, Watts{100.0});
  EXPECT_FALSE(prediction.paper.has_value());
}

TEST(Predict, RefusesDevicesThatLackAFigure) {
  PredictionRequest request = dense_request();
  request.device.thermal_design_power.reset();
  EXPECT_EQ(predict(request).error().kind, ErrorKind::unsupported);
  request = dense_request();
  request.device.memory_bandwidth.reset();
  EXPECT_EQ(predict(request).error().kind, ErrorKind::unsupported);
  request = dense_request();
  request.setup.precision = Precision::fp16;
  EXPECT_EQ(predict(request).error().kind, ErrorKind::unsupported);
}

TEST(Predict, RefusesModelsAndSetupsThatCannotBe) {
  PredictionRequest request = dense_request();
  request.model.blocks.clear();
  EXPECT_EQ(predict(request).error().kind, ErrorKind::value);
  request = dense_request();
  request.setup.batch_size = 0;
  EXPECT_EQ(predict(request).error().kind, ErrorKind::value);
  request = dense_request();
  request.setup.batch_size = std::int64_t{1} << 40U;
  request.setup.sequence_length = std::int64_t{1} << 40U;
  EXPECT_EQ(predict(request).error().kind, ErrorKind::overflow);
  request = dense_request();
  const std::int64_t huge = std::int64_t{1} << 40U;
  request.model.blocks = {{"layer", DenseBlock{.input_size = huge, .output_size = huge}}};
  EXPECT_EQ(predict(request).error().kind, ErrorKind::overflow);
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Measured steps beside predictions.
#include "validated.hpp"

#include <joulecast/prediction.hpp>
#include <joulecast/shipped_model.hpp>

#include <gmock/gmock.h>

namespace joulecast {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Measurement measured_step(double seconds, double joules, std::int64_t steps = 1) {
  Measurement row;
  row.source = "measure:run.json";
  row.device = "h200-141gb-sxm";
  row.operation = "step";
  row.phase = MeasuredPhase::step;
  row.precision = MeasuredPrecision::bf16;
  row.shape = StepShape{.model = "gpt2", .batch_size = 8, .sequence_length = 256, .steps = steps};
  row.duration = Seconds{seconds};
  if (joules > 0.0) {
    row.energy = Joules{joules};
    row.energy_kind = EnergyKind::board;
  }
  return row;
}

ValidationOptions with_models() {
  ValidationOptions options;
  options.find_model = [](const Measurement& row) {
    return find_model(std::get<StepShape>(row.shape).model);
  };
  return options;
}

// What `predict` says when it is asked directly.
Prediction predicted_step() {
  PredictionRequest request;
  request.model = find_model("gpt2").value();
  request.device = shipped_devices().find("h200-141gb-sxm").value();
  request.setup = {.batch_size = 8, .sequence_length = 256, .precision = Precision::bf16};
  return predict(request).value();
}

const ErrorMetrics& metrics_of(const Validation& validation, std::string_view operation,
                               ValidatedQuantity quantity) {
  for (const ValidationGroup& group : validation.groups) {
    if (group.operation == operation && group.quantity == quantity && group.regime == Regime::all &&
        group.set == ValidationSet::out_of_sample) {
      return group.metrics;
    }
  }
  throw std::runtime_error("no such group");
}

TEST(ValidateSteps, ComparesWithThePredictionOfTheModel) {
  const StepPrediction step = predicted_step().step;
  const double seconds = step.duration.value();
  const double joules = step.energy.value().value();
  const auto validation =
      validated({measured_step(1.25 * seconds, 2.0 * joules)}, shipped_prior(), with_models());
  ASSERT_THAT(validation.rows, SizeIs(2));  // the step and its run
  EXPECT_DOUBLE_EQ(validation.rows[0].predicted_duration.value(), seconds);
  // 1 / 1.25 - 1 and 1 / 2 - 1
  EXPECT_NEAR(metrics_of(validation, "step", ValidatedQuantity::duration).bias, -0.2, 1e-12);
  EXPECT_NEAR(metrics_of(validation, "step", ValidatedQuantity::energy).bias, -0.5, 1e-12);
  // (1 / 1.25) -> power: (joules / seconds) over (2 joules / 1.25 seconds) - 1
  EXPECT_NEAR(metrics_of(validation, "step", ValidatedQuantity::power).bias, -0.375, 1e-12);
  EXPECT_TRUE(validation.gaps.empty());
}

// The interval of `predict`, bounds included.
TEST(ValidateSteps, CoversWhatTheIntervalOfThePredictionCovers) {
  const StepPrediction step = predicted_step().step;
  const auto [lower, upper] = step.duration_interval.value();
  const double least = step.energy_interval->lower.value();
  const auto validation = validated({measured_step(lower.value() * 1.001, least * 0.99),
                                     measured_step(upper.value() * 0.999, least * 0.98),
                                     measured_step(upper.value() * 1.001, least * 1.01),
                                     measured_step(lower.value() * 0.999, least * 1.02)},
                                    shipped_prior(), with_models());
  EXPECT_DOUBLE_EQ(metrics_of(validation, "step", ValidatedQuantity::duration).coverage_90.value(),
                   0.5);
  EXPECT_DOUBLE_EQ(metrics_of(validation, "step", ValidatedQuantity::energy).coverage_90.value(),
                   0.5);
}

// 3 steps of 10 ms and 1 of 30 ms are a run of 60 ms and 4 steps; the energies likewise.
TEST(ValidateSteps, SumsTheStepsOfARun) {
  const StepPrediction step = predicted_step().step;
  Measurement other = measured_step(0.02, 5.0);
  other.source = "measure:other.json";
  const auto validation = validated({measured_step(0.01, 2.0, 3), measured_step(0.03, 9.0), other},
                                    shipped_prior(), with_models());
  ASSERT_THAT(validation.runs, SizeIs(2));
  const Measurement& run = *validation.runs[0];
  EXPECT_NEAR(run.duration.value(), 0.06, 1e-12);
  EXPECT_NEAR(run.energy.value().value(), 15.0, 1e-12);
  EXPECT_EQ(std::get<StepShape>(run.shape).steps, 4);
  const ValidationRow& row = validation.rows[3];
  EXPECT_EQ(row.row, &run);
  EXPECT_NEAR(row.predicted_duration.value(), 4.0 * step.duration.value(), 1e-12);
  const double bias = 4.0 * step.duration.value() / 0.06 - 1.0;
  const double other_bias = step.duration.value() / 0.02 - 1.0;
  EXPECT_NEAR(metrics_of(validation, "run", ValidatedQuantity::duration).bias,
              (bias + other_bias) / 2.0, 1e-12);
  EXPECT_EQ(metrics_of(validation, "step", ValidatedQuantity::duration).count, 3);
}

// Phases of a step are the operations of that phase; all of them together are the step.
TEST(ValidateSteps, ComparesAPhaseWithItsOperations) {
  std::vector<Measurement> rows;
  for (const MeasuredPhase phase :
       {MeasuredPhase::forward, MeasuredPhase::backward, MeasuredPhase::optimizer_step}) {
    rows.push_back(measured_step(0.01, 0.0));
    rows.back().phase = phase;
  }
  const auto validation = validated(rows, shipped_prior(), with_models());
  const Prediction prediction = predicted_step();
  double forward = 0.0;
  for (const OperationPrediction& entry : prediction.operations) {
    if (entry.operation.phase == Phase::forward) forward += entry.total_duration.value();
  }
  EXPECT_NEAR(validation.rows[0].predicted_duration.value(), forward, 1e-12);
  double sum = 0.0;
  for (std::size_t i = 0; i < 3; ++i) sum += validation.rows[i].predicted_duration.value();
  EXPECT_NEAR(sum, prediction.step.duration.value(), 1e-12);
}

TEST(ValidateSteps, CountsWhatHasNoPrediction) {
  Measurement other_energy = measured_step(0.01, 2.0);
  other_energy.energy_kind = EnergyKind::tracker_counter;
  const auto kinds = validated({other_energy}, shipped_prior(), with_models());
  ASSERT_THAT(kinds.gaps, SizeIs(1));
  EXPECT_EQ(kinds.gaps[0].reason, NotCompared::other_energy_kind);
  EXPECT_THAT(kinds.rows, SizeIs(2));
  // No device trains in NVFP4.
  Measurement fp4 = measured_step(0.01, 2.0);
  fp4.precision = MeasuredPrecision::nvfp4;
  const auto refused = validated({fp4}, shipped_prior(), with_models());
  ASSERT_THAT(refused.gaps, SizeIs(2));
  EXPECT_EQ(refused.gaps[0].reason, NotCompared::refused);
  EXPECT_FALSE(refused.gaps[0].detail.empty());
  EXPECT_THAT(refused.rows, IsEmpty());
  const auto without = validated({measured_step(0.01, 2.0)}, shipped_prior());
  ASSERT_THAT(without.gaps, SizeIs(2));
  EXPECT_EQ(without.gaps[0].reason, NotCompared::no_law);
}

TEST(ValidateSteps, RefusesAModelThatIsNotThere) {
  std::vector<Measurement> rows = {measured_step(0.01, 2.0)};
  std::get<StepShape>(rows[0].shape).model = "/nonexistent/config.json";
  const auto validation = validate_laws(rows, shipped_prior(), shipped_devices(), with_models());
  ASSERT_FALSE(validation.has_value());
  EXPECT_EQ(validation.error().where.file, "/nonexistent/config.json");
}

TEST(ValidateSteps, DrawsEnergyAndTime) {
  const auto validation = validated({measured_step(0.01, 2.0), measured_step(0.011, 2.1)},
                                    shipped_prior(), with_models());
  const std::string picture = plot_validation(validation);
  EXPECT_THAT(picture, HasSubstr("predicted energy, J"));
  EXPECT_THAT(picture, HasSubstr("step, bf16, h200-141gb-sxm"));
  EXPECT_THAT(picture, HasSubstr("run, bf16, h200-141gb-sxm"));
  // Runs of one row each say what the steps say.
  const auto single = validated({measured_step(0.01, 2.0)}, shipped_prior(), with_models());
  EXPECT_THAT(plot_validation(single), testing::Not(HasSubstr("run, bf16")));
}

}  // namespace
}  // namespace joulecast

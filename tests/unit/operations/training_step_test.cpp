// SPDX-License-Identifier: Apache-2.0
// Accumulation, clipping and recomputation: what they add to a step.
#include <joulecast/operation.hpp>

#include <gtest/gtest.h>
#include <map>
#include <string>

namespace joulecast {
namespace {

Model two_layers() {
  const TransformerBlock body{.num_hidden_layers = 2,
                              .hidden_size = 8,
                              .attention = {.num_attention_heads = 2},
                              .feed_forward = {.intermediate_size = 16},
                              .final_norm = true};
  return {.blocks = {{"words", EmbeddingBlock{.vocab_size = 11, .hidden_size = 8}},
                     {"body", body},
                     {"head", LanguageModelHeadBlock{.hidden_size = 8, .vocab_size = 11}}}};
}

TrainingSetup step_setup() { return {.batch_size = 2, .sequence_length = 3}; }

std::vector<Operation> step_of(const TrainingSetup& setup) {
  return list_operations(two_layers(), setup).value();
}

double flops_in(const std::vector<Operation>& operations, Phase phase) {
  std::vector<Operation> chosen;
  for (const Operation& operation : operations) {
    if (operation.phase == phase) chosen.push_back(operation);
  }
  return total_flops(chosen).value();
}

const Operation& operation_named(const std::vector<Operation>& operations,
                                 const std::string& name) {
  for (const Operation& operation : operations) {
    if (operation.name == name) return operation;
  }
  ADD_FAILURE() << "no operation " << name;
  return operations.front();
}

TEST(Accumulation, RunsForwardAndBackwardForEachBatchAndTheOptimizerOnce) {
  TrainingSetup setup = step_setup();
  const auto one = step_of(setup);
  setup.accumulation_steps = 4;
  const auto four = step_of(setup);
  for (const Phase phase : {Phase::forward, Phase::backward_input, Phase::backward_weight}) {
    EXPECT_EQ(flops_in(four, phase), 4 * flops_in(one, phase)) << to_string(phase);
  }
  EXPECT_EQ(four.back().flops, one.back().flops);
  EXPECT_EQ(four.back().count, 1);
}

// P parameters: three sums of two FP32 values each.
TEST(Accumulation, AddsTheGradientsOfEachFurtherBatch) {
  TrainingSetup setup = step_setup();
  setup.accumulation_steps = 4;
  const auto operations = step_of(setup);
  const std::int64_t parameters = count_trainable_parameters(two_layers()).value();
  const Operation& sums = operation_named(operations, "gradient_accumulation");
  EXPECT_EQ(sums.flops, parameters);
  EXPECT_EQ(sums.bytes_moved, 12 * parameters);
  EXPECT_EQ(sums.count, 3);
}

TEST(Clipping, ReadsTheGradientsForTheirNormAndScalesThem) {
  TrainingSetup setup = step_setup();
  const double before = total_bytes_moved(step_of(setup)).value();
  setup.clip_gradients = true;
  const auto operations = step_of(setup);
  const std::int64_t parameters = count_trainable_parameters(two_layers()).value();
  EXPECT_EQ(operation_named(operations, "gradient_norm").flops, 2 * parameters);
  EXPECT_EQ(operation_named(operations, "gradient_scale").flops, parameters);
  EXPECT_EQ(total_bytes_moved(operations).value(), before + 12.0 * static_cast<double>(parameters));
}

// Everything that the layers compute forward, but the normalisation behind them.
TEST(Recomputation, OfWholeLayersRunsTheirForwardPassAgain) {
  TrainingSetup setup = step_setup();
  setup.recomputation = Recomputation::full;
  std::map<std::string, std::int64_t> forward;
  std::map<std::string, std::int64_t> again;
  for (const Operation& operation : step_of(setup)) {
    if (operation.block != "body") {
      EXPECT_NE(operation.phase, Phase::recompute) << operation.name;
      continue;
    }
    if (operation.phase == Phase::forward) forward[operation.name] += operation.flops;
    if (operation.phase == Phase::recompute) again[operation.name] += operation.flops;
  }
  EXPECT_EQ(forward.erase("final_norm"), 1U);
  EXPECT_EQ(again, forward);
}

TEST(Recomputation, OfTheCoreRunsItsOperationsAloneAgain) {
  TrainingSetup setup = step_setup();
  setup.recomputation = Recomputation::selective;
  std::vector<std::string> again;
  for (const Operation& operation : step_of(setup)) {
    if (operation.phase == Phase::recompute) again.push_back(operation.name);
  }
  EXPECT_EQ(again, (std::vector<std::string>{"attention_scores", "attention_scale",
                                             "attention_softmax", "attention_values"}));
}

TEST(Recomputation, ChangesNothingElse) {
  TrainingSetup setup = step_setup();
  const auto before = step_of(setup);
  setup.recomputation = Recomputation::full;
  const auto after = step_of(setup);
  for (const Phase phase :
       {Phase::forward, Phase::backward_input, Phase::backward_weight, Phase::optimizer_step}) {
    EXPECT_EQ(flops_in(after, phase), flops_in(before, phase)) << to_string(phase);
  }
  EXPECT_EQ(flops_in(before, Phase::recompute), 0.0);
}

TEST(Accumulation, RefusesLessThanOneBatch) {
  TrainingSetup setup = step_setup();
  setup.accumulation_steps = 0;
  EXPECT_EQ(list_operations(two_layers(), setup).error().where.path, "--accumulation-steps");
}

}  // namespace
}  // namespace joulecast

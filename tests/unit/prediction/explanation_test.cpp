// SPDX-License-Identifier: Apache-2.0
// The dense step of prediction_test.cpp, told number by number.
#include "synthetic_world.hpp"

#include <joulecast/explanation.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

TEST(ExplainOperation, SpellsOutTheWholeChain) {
  const Prediction prediction = predict(dense_request()).value();
  const Explanation explanation = explain(prediction, "dense").value();
  EXPECT_EQ(explanation.subject, "dense (forward) of layer on round");
  ASSERT_EQ(explanation.steps.size(), 5U);
  EXPECT_EQ(explanation.steps[0].substituted, "2 * 1 * 20 * 50 * 100");
  EXPECT_EQ(explanation.steps[0].result, "c = 200000 FLOP");
  EXPECT_EQ(explanation.steps[1].result, "32000 B");
  EXPECT_EQ(explanation.steps[2].substituted,
            "0.001 + max(200000 / (0.5 * 1e+08), 32000 / (0.5 * 1e+08))");
  EXPECT_EQ(explanation.steps[2].result, "t = 0.005 s, HEF 0.4, bound by compute");
  EXPECT_EQ(explanation.steps[2].source, "law prior: made up");
  EXPECT_THAT(explanation.steps[2].range, HasSubstr("not fitted"));
  EXPECT_EQ(explanation.steps[3].substituted, "100 min(1, 0.2 + 0.5 * 0.4 + 0.4 * 0.064)");
  EXPECT_EQ(explanation.steps[3].result, "P = 42.56 W");
  EXPECT_EQ(explanation.steps[4].substituted, "1 * 42.56 * 0.005");
  EXPECT_EQ(explanation.steps[4].result, "E = 0.2128 J");
  EXPECT_EQ(explanation.warnings, prediction.warnings);
  for (const ExplanationStep& step : explanation.steps) {
    EXPECT_FALSE(step.formula.empty() || step.source.empty() || step.range.empty())
        << step.quantity;
  }
}

TEST(ExplainOperation, ShowsTheLawAndItsRange) {
  PredictionRequest request = dense_request();
  request.laws = round_laws({flat_law("dense", Precision::fp32)});
  const auto explanation = explain(predict(request).value(), "dense").value();
  const ExplanationStep& duration = explanation.steps.at(2);
  EXPECT_EQ(duration.substituted,
            "eta = 0.25 (1 - exp(-1e+06 * 200000^1)) = 0.25; t = 200000 / (1e+08 * 0.25)");
  EXPECT_EQ(duration.result, "t = 0.008 s, HEF 0.25, bound by law");
  EXPECT_EQ(duration.source, "law round/fp32/dense: fitted");
  EXPECT_EQ(duration.range, "fitted on 1 to 1e+06 FLOPs, distance 0: within");
}

TEST(ExplainOperation, ChoosesThePhase) {
  const Prediction prediction = predict(dense_request()).value();
  // dx (20 x 100) = dy (20 x 50) W^T; dW (100 x 50) = x^T (100 x 20) dy.
  EXPECT_EQ(explain(prediction, "dense", Phase::backward_input).value().steps[0].substituted,
            "2 * 1 * 20 * 100 * 50");
  EXPECT_EQ(explain(prediction, "dense", Phase::backward_weight).value().steps[0].substituted,
            "2 * 1 * 100 * 50 * 20");
  EXPECT_EQ(explain(prediction, "sgd_update", Phase::optimizer_step).value().steps[0].substituted,
            "5050 * 2");
}

// 4 * 5 * 7 looked-up values, none computed.
TEST(ExplainOperation, WithoutFlops) {
  PredictionRequest request = dense_request();
  request.model.blocks = {{"words", EmbeddingBlock{.vocab_size = 9, .hidden_size = 7}}};
  const Explanation explanation = explain(predict(request).value(), "embedding").value();
  EXPECT_EQ(explanation.steps[0].substituted, "140 * 0");
  EXPECT_EQ(explanation.steps[0].result, "c = 0 FLOP");
  EXPECT_THAT(explanation.steps[2].result, Not(HasSubstr("HEF")));
}

TEST(ExplainOperation, SaysWhatThereIsWhenThereIsNoSuchThing) {
  const Prediction prediction = predict(dense_request()).value();
  const auto unknown = explain(prediction, "desne");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().kind, ErrorKind::not_found);
  EXPECT_THAT(unknown.error().message, HasSubstr("desne"));
  EXPECT_THAT(unknown.error().remedy, HasSubstr("did you mean dense"));
  for (const auto* known : {"step", "run", "dense", "sgd_update"}) {
    EXPECT_THAT(unknown.error().remedy, HasSubstr(known));
  }
  const auto phase = explain(prediction, "sgd_update");
  ASSERT_FALSE(phase.has_value());
  EXPECT_EQ(phase.error().kind, ErrorKind::not_found);
  EXPECT_THAT(phase.error().remedy, HasSubstr("optimizer_step"));
  EXPECT_FALSE(explain(prediction, "").has_value());
}

// An encoder of width 6 and a decoder of width 4: the first one found would be as good a guess as
// the other.
TEST(ExplainOperation, ANameInTwoBlocksNeedsTheBlock) {
  PredictionRequest request = dense_request();
  TransformerBlock wide{.num_hidden_layers = 1,
                        .hidden_size = 6,
                        .attention = {.num_attention_heads = 1},
                        .feed_forward = {.intermediate_size = 3}};
  TransformerBlock narrow = wide;
  narrow.hidden_size = 4;
  request.model.blocks = {{"encoder", wide}, {"decoder", narrow}};
  const Prediction prediction = predict(request).value();
  const auto unclear = explain(prediction, "qkv_projection");
  ASSERT_FALSE(unclear.has_value());
  EXPECT_EQ(unclear.error().kind, ErrorKind::usage);
  EXPECT_THAT(unclear.error().remedy, HasSubstr("encoder/qkv_projection"));
  EXPECT_THAT(unclear.error().remedy, HasSubstr("decoder/qkv_projection"));
  EXPECT_EQ(explain(prediction, "encoder/qkv_projection").value().steps[0].substituted,
            "2 * 1 * 20 * 18 * 6");
  EXPECT_EQ(explain(prediction, "decoder/qkv_projection").value().steps[0].substituted,
            "2 * 1 * 20 * 12 * 4");
  EXPECT_EQ(explain(prediction, "pooler/qkv_projection").error().kind, ErrorKind::not_found);
}

// scores = Q K^T (5 x 4 by 4 x 5) has two gradients, both of them explained.
TEST(ExplainOperation, SeveralShapesOfOneOperationAllAppear) {
  PredictionRequest request = dense_request();
  request.model.blocks = {{"body", TransformerBlock{.num_hidden_layers = 1,
                                                    .hidden_size = 4,
                                                    .attention = {.num_attention_heads = 1},
                                                    .feed_forward = {.intermediate_size = 3}}}};
  const auto steps =
      explain(predict(request).value(), "attention_scores", Phase::backward_input).value().steps;
  ASSERT_EQ(steps.size(), 10U);
  EXPECT_EQ(steps[0].quantity, "1 of 2: FLOPs of one execution");
  EXPECT_EQ(steps[0].substituted, "2 * 4 * 5 * 4 * 5");
  EXPECT_EQ(steps[5].quantity, "2 of 2: FLOPs of one execution");
  EXPECT_EQ(steps[5].substituted, "2 * 4 * 4 * 5 * 5");
}

TEST(ExplainStep, GivesTimeAndEnergyWithIntervals) {
  const Explanation explanation = explain(predict(dense_request()).value(), "step").value();
  EXPECT_EQ(explanation.subject, "one step of dense model on round");
  ASSERT_EQ(explanation.steps.size(), 2U);
  EXPECT_EQ(explanation.steps[0].result, "t = 0.017212 s");
  EXPECT_EQ(explanation.steps[0].range, "90 % interval 0.008606 to 0.03442 s");
  EXPECT_EQ(explanation.steps[1].result, "E = 0.71193 J");
  EXPECT_THAT(explanation.steps[1].substituted, HasSubstr("41.3624 W"));
  EXPECT_EQ(explanation.steps[1].range, "90 % interval 0.2848 to 3.441 J");
}

// 10 steps, nothing beside them: 0.17212 s, 7.1193 J; host 30 W * 0.17212 s = 5.1636 J; times 2
// = 24.5658 J; at 1e-3 kg/J 0.0245658 kg; at 3.6 per kWh, 1e-6 per J, 2.45658e-05.
TEST(ExplainRun, FollowsTheEnergyToTheGrid) {
  PredictionRequest request = dense_request();
  request.plan.steps = 10;
  request.site.host_power = Watts{30.0};
  request.site.power_usage_effectiveness = 2.0;
  request.site.region =
      Region{.name = "Testland", .carbon_intensity = KilogramsPerJoule{1e-3}, .year = 2024};
  request.site.price_per_kilowatt_hour = 3.6;
  const Explanation explanation = explain(predict(request).value(), "run").value();
  ASSERT_EQ(explanation.steps.size(), 5U);
  EXPECT_EQ(explanation.steps[0].substituted, "10 * 0.017212 * (1 + 0 + 0)");
  EXPECT_EQ(explanation.steps[0].result, "t = 0.17212 s");
  EXPECT_THAT(explanation.steps[1].substituted, HasSubstr("10 * 0.71193 * (1 + 0)"));
  EXPECT_THAT(explanation.steps[1].result, HasSubstr("E = 7.1193 J"));
  EXPECT_THAT(explanation.steps[2].substituted, HasSubstr("(7.1193 + 5.1636) * 2 J"));
  EXPECT_THAT(explanation.steps[2].result, HasSubstr("E = 24.5658 J"));
  EXPECT_EQ(explanation.steps[3].result, "m = 0.0245658 kg");
  EXPECT_THAT(explanation.steps[3].range, HasSubstr("intensity is the average of 2024"));
  EXPECT_THAT(explanation.steps[4].result, HasSubstr("cost = 2.45658e-05"));
}

TEST(ExplainRun, LeavesOutWhatIsNotStated) {
  PredictionRequest request = dense_request();
  request.plan.steps = 10;
  const Explanation explanation = explain(predict(request).value(), "run").value();
  ASSERT_EQ(explanation.steps.size(), 3U);
  EXPECT_THAT(explanation.steps[2].substituted, HasSubstr("(7.1193) J"));
}

TEST(ExplainRun, NeedsARun) {
  const auto refused = explain(predict(dense_request()).value(), "run");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::usage);
  EXPECT_THAT(refused.error().remedy, HasSubstr("--steps"));
}

}  // namespace
}  // namespace joulecast

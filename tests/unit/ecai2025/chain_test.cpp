// SPDX-License-Identifier: Apache-2.0
#include <joulecast/ecai2025.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

constexpr PaperTransformer model_a{64, 320, 6, 512, 8};
constexpr PaperTransformer model_b{64, 320, 12, 768, 12};

PaperStep step_of(const PaperTransformer& model, ProjectionLaws projections) {
  return predict_paper_step(load_published_numbers(), "a100-80gb-pcie", model,
                            StepEnergyCoefficients::table_8, projections)
      .value();
}

// Model A: 6 * 64 * 320 * 512^2 = 32,212,254,720; 2 * 64 * 320^2 * 512 = 6,710,886,400;
// 2 * 64 * 320 * 512^2 = 10,737,418,240.
TEST(PaperChain, CountsTheForwardPassOfOneLayer) {
  EXPECT_THAT(count_paper_layer_flops(model_a).value(),
              testing::ElementsAre(Flops{32'212'254'720.0}, Flops{6'710'886'400.0},
                                   Flops{6'710'886'400.0}, Flops{10'737'418'240.0}));
}

// 10 heads at 512: d = 51, so 510 columns take part: 2 * 64 * 320^2 * 510 = 6,684,672,000.
TEST(PaperChain, CutsHeadsToWholeColumns) {
  PaperTransformer model = model_a;
  model.num_attention_heads = 10;
  const auto flops = count_paper_layer_flops(model).value();
  EXPECT_EQ(flops[1], Flops{6'684'672'000.0});
  EXPECT_EQ(flops[0], Flops{32'212'254'720.0});
}

// c / (v_max eta) = 32.21225472e9 / (156e12 * 0.353131) = 584.74 us a layer, 3508.4 us for six:
// the paper prints 35.08.
TEST(PaperChain, APaperMicrosecondIsAHundredTrueOnes) {
  EXPECT_DOUBLE_EQ(to_paper_microseconds(Seconds{1e-4}), 1.0);
  const auto qkv = step_of(model_a, ProjectionLaws::as_table_1).operations[0];
  EXPECT_NEAR(qkv.hef, 0.3531, 5e-5);
  EXPECT_NEAR(qkv.duration.value(), 3508.4e-6, 0.1e-6);
  EXPECT_NEAR(qkv.paper_microseconds, 35.08, 0.005);
}

// Computed independently in double precision with another program.
TEST(PaperChain, GivesTheWorkedExample) {
  EXPECT_NEAR(step_of(model_a, ProjectionLaws::as_table_1).energy.value(), 36.06368, 5e-6);
  EXPECT_NEAR(step_of(model_b, ProjectionLaws::as_table_1).energy.value(), 78.96326, 5e-6);
  EXPECT_NEAR(step_of(model_a, ProjectionLaws::exchanged).energy.value(), 27.90338, 5e-6);
  EXPECT_NEAR(step_of(model_b, ProjectionLaws::exchanged).energy.value(), 59.62145, 5e-6);
}

// 3.6318 - 0.1377 * 10 + 0.3041 * 2 + 0.3041 * 3 + 0.5637 * 4 = 6.0301.
TEST(PaperChain, EvaluatesEquation19) {
  const auto energy = paper_step_energy(load_published_numbers(), StepEnergyCoefficients::table_3,
                                        {10.0, 2.0, 3.0, 4.0});
  EXPECT_NEAR(energy.value().value(), 6.0301, 1e-12);
}

// 3.6292 - 0.1378 * 30 = -0.5048.
TEST(PaperChain, AnEnergyBelowZeroIsAnErrorNotAZero) {
  const auto energy = paper_step_energy(load_published_numbers(), StepEnergyCoefficients::table_8,
                                        {30.0, 0.0, 0.0, 0.0});
  ASSERT_FALSE(energy.has_value());
  EXPECT_THAT(energy.error().message, testing::HasSubstr("-0.5048 J"));
}

TEST(PaperChain, FlagsSizesOutsideTheFittedRange) {
  EXPECT_FALSE(step_of(model_a, ProjectionLaws::as_table_1).operations[0].extrapolated);
  EXPECT_TRUE(step_of({64, 320, 2, 64, 6}, ProjectionLaws::as_table_1).operations[0].extrapolated);
}

TEST(PaperChain, RejectsSizesAndDevicesItCannotHave) {
  const PublishedNumbers numbers = load_published_numbers();
  for (const PaperTransformer bad :
       {PaperTransformer{0, 320, 6, 512, 8}, PaperTransformer{64, -1, 6, 512, 8},
        PaperTransformer{64, 320, 6, 512, 513}, PaperTransformer{64, 320, 0, 512, 8}}) {
    EXPECT_EQ(count_paper_layer_flops(bad).error().kind, ErrorKind::value);
  }
  const PaperTransformer huge{1LL << 40, 1LL << 40, 1, 512, 8};
  EXPECT_EQ(count_paper_layer_flops(huge).error().kind, ErrorKind::overflow);
  EXPECT_EQ(predict_paper_step(numbers, "h100", model_a, StepEnergyCoefficients::table_8,
                               ProjectionLaws::as_table_1)
                .error()
                .kind,
            ErrorKind::unsupported);
}

}  // namespace
}  // namespace joulecast

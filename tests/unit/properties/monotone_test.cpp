// SPDX-License-Identifier: Apache-2.0
// A larger model or batch never costs less: in FLOPs, bytes, time or energy.
#include "random_cases.hpp"

#include <gtest/gtest.h>

namespace joulecast {
namespace {

struct Axis {
  const char* name;
  std::int64_t RandomCase::* size;
};

// The width grows by its head size, so that the number of heads stays as it is.
constexpr std::array axes = {Axis{"batch", &RandomCase::batch},
                             Axis{"sequence", &RandomCase::sequence},
                             Axis{"layers", &RandomCase::layers},
                             Axis{"width", &RandomCase::head_size},
                             Axis{"intermediate or hidden", &RandomCase::intermediate},
                             Axis{"vocabulary", &RandomCase::vocab}};

// One more, and half as much again: neither a small nor a large step goes down.
std::array<std::int64_t, 2> larger_sizes(std::int64_t size) {
  return {size + 1, size + size / 2 + 1};
}

class Monotone : public testing::TestWithParam<Axis> {};

TEST_P(Monotone, FlopsBytesTimeAndEnergyNeverFall) {
  for (const RandomCase& c : random_cases(60, 21)) {
    const StepPrediction before = predict(request_of(c)).value().step;
    for (const std::int64_t size : larger_sizes(c.*GetParam().size)) {
      RandomCase larger = c;
      larger.*GetParam().size = size;
      const StepPrediction after = predict(request_of(larger)).value().step;
      EXPECT_GT(after.flops, before.flops) << testing::PrintToString(c);
      EXPECT_GT(after.bytes_moved, before.bytes_moved) << testing::PrintToString(c);
      // Sums in another order may differ in the last digits where nothing else does.
      EXPECT_GE(after.duration, before.duration * (1.0 - 1e-12)) << testing::PrintToString(c);
      EXPECT_GE(*after.energy, *before.energy * (1.0 - 1e-12)) << testing::PrintToString(c);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OfEachSize, Monotone, testing::ValuesIn(axes), [](const auto& named) {
  std::string name = named.param.name;
  std::erase(name, ' ');
  return name;
});

// Heads at a fixed width: the products keep their FLOPs, the score matrices become more.
TEST(MonotoneHeads, MoreHeadsOfAFixedWidthAddScoresButNoProducts) {
  for (RandomCase c : random_cases(100, 22)) {
    c.recurrent = false;
    RandomCase more = c;
    more.heads = 2 * c.heads;
    c.head_size *= 2;
    const auto products = [](const RandomCase& which) {
      std::int64_t flops = 0;
      const auto operations = list_operations(model_of(which), setup_of(which)).value();
      for (const Operation& operation : operations) {
        if (operation.kind == OperationKind::matmul) flops += operation.flops * operation.count;
      }
      return flops;
    };
    EXPECT_EQ(products(more), products(c));
    EXPECT_GT(predict(request_of(more)).value().step.flops,
              predict(request_of(c)).value().step.flops);
  }
}

TEST(MonotoneRun, LongerRunsTakeMoreTimeAndEnergy) {
  Draw draw(23);
  for (const RandomCase& c : random_cases(50, 24)) {
    PredictionRequest request = request_of(c);
    request.plan.tokens = draw.size(40);
    const RunPrediction before = predict(request).value().run.value();
    request.plan.tokens = *request.plan.tokens * 2;
    const RunPrediction longer = predict(request).value().run.value();
    EXPECT_GE(longer.steps, before.steps);
    EXPECT_LE(longer.steps, 2 * before.steps);
    EXPECT_GE(longer.duration, before.duration);
    // Padding means more steps for the same tokens.
    request.plan.padding_fraction = draw.fraction(0.05, 0.95);
    const RunPrediction padded = predict(request).value().run.value();
    EXPECT_GE(padded.steps, longer.steps);
    EXPECT_GE(padded.account.device_energy, longer.account.device_energy);
  }
}

}  // namespace
}  // namespace joulecast

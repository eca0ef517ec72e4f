// SPDX-License-Identifier: Apache-2.0
// What holds for the operations of every model.
#include "random_cases.hpp"

#include <gtest/gtest.h>
#include <map>

namespace joulecast {
namespace {

std::vector<Operation> operations_of(const RandomCase& c) {
  return list_operations(model_of(c), setup_of(c)).value();
}

TEST(OperationProperties, EveryCountIsPositiveAndEveryShapeIsItsFlops) {
  for (const RandomCase& c : random_cases(200, 1)) {
    for (const Operation& operation : operations_of(c)) {
      const bool lookup = operation.name == "embedding" && operation.phase == Phase::forward;
      EXPECT_TRUE(operation.flops > 0 || lookup) << operation.name;
      EXPECT_GT(operation.bytes_moved, 0) << operation.name;
      EXPECT_GT(operation.count, 0) << operation.name;
      EXPECT_FALSE(operation.block.empty());
      const auto* shape = std::get_if<MatmulShape>(&operation.shape);
      ASSERT_EQ(shape != nullptr, operation.kind == OperationKind::matmul);
      if (shape == nullptr) continue;
      EXPECT_EQ(operation.flops, 2 * shape->batch * shape->m * shape->n * shape->k);
    }
  }
}

// Each sequence of a batch costs the same: k times the batch is k times the FLOPs of each
// operation, over all its executions, and leaves the optimizer as it is.
TEST(OperationProperties, FlopsAreLinearInTheBatch) {
  for (const RandomCase& c : random_cases(100, 2)) {
    for (const std::int64_t factor : {2, 3, 17}) {
      RandomCase larger = c;
      larger.batch *= factor;
      const auto before = operations_of(c);
      const auto after = operations_of(larger);
      ASSERT_EQ(before.size(), after.size());
      for (std::size_t i = 0; i < before.size(); ++i) {
        const bool optimizer = before[i].kind == OperationKind::optimizer;
        EXPECT_EQ(after[i].flops * after[i].count,
                  before[i].flops * before[i].count * (optimizer ? 1 : factor))
            << before[i].name << " of " << testing::PrintToString(c);
      }
    }
  }
}

// A product y = a b has two gradients, each of the size of the product itself.
TEST(OperationProperties, BackwardProductsCostTwiceTheForwardOnes) {
  for (const RandomCase& c : random_cases(200, 3)) {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> flops;
    for (const Operation& operation : operations_of(c)) {
      if (operation.kind != OperationKind::matmul) continue;
      auto& [forward, backward] = flops[operation.block + "/" + operation.name];
      (operation.phase == Phase::forward ? forward : backward) += operation.flops * operation.count;
    }
    for (const auto& [name, sums] : flops) EXPECT_EQ(sums.second, 2 * sums.first) << name;
  }
}

// Only the bytes of a value and the arithmetic change, never the work.
TEST(OperationProperties, PrecisionChangesNoFlops) {
  for (RandomCase c : random_cases(50, 4)) {
    c.precision = Precision::fp32;
    const auto full = operations_of(c);
    for (const Precision precision : {Precision::tf32, Precision::bf16, Precision::fp8}) {
      c.precision = precision;
      const auto other = operations_of(c);
      EXPECT_EQ(total_flops(other), total_flops(full));
      EXPECT_LE(total_bytes_moved(other), total_bytes_moved(full));
    }
  }
}

TEST(OperationProperties, TheOptimizerUpdatesEveryParameterOnce) {
  for (const RandomCase& c : random_cases(100, 5)) {
    const auto last = operations_of(c).back();
    EXPECT_EQ(std::get<ElementShape>(last.shape).elements,
              count_all_parameters(model_of(c)).value());
    EXPECT_EQ(last.count, 1);
  }
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// What holds for the memory of every model: sums, bounds, and that nothing falls when a size grows.
#include "random_cases.hpp"

#include <joulecast/memory.hpp>

#include <array>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

MemoryNeed memory_of(const RandomCase& c) { return count_memory(model_of(c), setup_of(c)).value(); }

TEST(MemoryProperties, PartsAreNotNegativeAndSumToTheWhole) {
  for (const RandomCase& c : random_cases(200, 31)) {
    const MemoryNeed need = memory_of(c);
    std::int64_t backward = 0;
    std::int64_t update = 0;
    for (const MemoryPart& part : need.parts) {
      EXPECT_GE(part.backward_bytes, 0) << to_string(part.kind);
      EXPECT_GE(part.update_bytes, 0) << to_string(part.kind);
      backward += part.backward_bytes;
      update += part.update_bytes;
    }
    EXPECT_EQ(backward, need.backward_bytes) << testing::PrintToString(c);
    EXPECT_EQ(update, need.update_bytes) << testing::PrintToString(c);
  }
}

TEST(MemoryProperties, NothingFallsWhenASizeGrows) {
  for (const RandomCase& c : random_cases(100, 32)) {
    const MemoryNeed before = memory_of(c);
    for (const auto size :
         {&RandomCase::batch, &RandomCase::sequence, &RandomCase::layers, &RandomCase::heads,
          &RandomCase::head_size, &RandomCase::intermediate, &RandomCase::vocab}) {
      RandomCase larger = c;
      larger.*size += 1 + larger.*size / 2;
      const MemoryNeed after = memory_of(larger);
      for (std::size_t i = 0; i < before.parts.size(); ++i) {
        EXPECT_GE(after.parts[i].backward_bytes, before.parts[i].backward_bytes)
            << to_string(before.parts[i].kind) << testing::PrintToString(c);
        EXPECT_GE(after.parts[i].update_bytes, before.parts[i].update_bytes)
            << to_string(before.parts[i].kind) << testing::PrintToString(c);
      }
    }
  }
}

// Everything that is kept belongs to some sequence, but the copies of weights, which serve all.
TEST(MemoryProperties, WhatIsKeptIsLinearInTheBatch) {
  for (const RandomCase& c : random_cases(100, 33)) {
    const MemoryNeed one = memory_of(c);
    RandomCase three = c;
    three.batch = 3 * c.batch;
    const MemoryNeed more = memory_of(three);
    for (const MemoryPartKind kind : {MemoryPartKind::activations, MemoryPartKind::loss}) {
      const auto place = static_cast<std::size_t>(kind);
      EXPECT_EQ(more.parts[place].backward_bytes, 3 * one.parts[place].backward_bytes)
          << testing::PrintToString(c);
    }
    const auto copies = static_cast<std::size_t>(MemoryPartKind::weight_copies);
    EXPECT_EQ(more.parts[copies], one.parts[copies]);
  }
}

TEST(MemoryProperties, TheMoreIsRecomputedTheLessIsKept) {
  for (const RandomCase& c : random_cases(100, 34)) {
    const Model model = model_of(c);
    std::array<std::int64_t, 3> kept_bytes{};
    for (const Recomputation recomputation : all_recomputations) {
      TrainingSetup setup = setup_of(c);
      setup.recomputation = recomputation;
      kept_bytes.at(static_cast<std::size_t>(recomputation)) =
          count_memory(model, setup).value().backward_bytes;
    }
    EXPECT_LE(kept_bytes[1], kept_bytes[0]) << testing::PrintToString(c);
    EXPECT_LE(kept_bytes[2], kept_bytes[0]) << testing::PrintToString(c);
  }
}

// It keeps the heads' results in 16 bits; the probabilities of as many positions are FP32.
TEST(MemoryProperties, FusedAttentionKeepsNoMoreThanEagerWhereSequencesAreLongerThanHeadsAreWide) {
  for (RandomCase c : random_cases(100, 35)) {
    c.sequence += c.head_size;
    TrainingSetup setup = setup_of(c);
    const std::int64_t eager = count_memory(model_of(c), setup).value().backward_bytes;
    setup.attention = AttentionImplementation::fused;
    EXPECT_LE(count_memory(model_of(c), setup).value().backward_bytes, eager)
        << testing::PrintToString(c);
  }
}

}  // namespace
}  // namespace joulecast

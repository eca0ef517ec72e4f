// SPDX-License-Identifier: Apache-2.0
// What a step needs of the memory: counts by hand, and what must hold whatever the sizes.
#include <joulecast/memory.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

namespace joulecast {
namespace {

MemoryPart part_of(const MemoryNeed& need, MemoryPartKind kind) {
  for (const MemoryPart& part : need.parts) {
    if (part.kind == kind) return part;
  }
  ADD_FAILURE() << "no part " << to_string(kind);
  return {};
}

std::int64_t kept(const Model& model, const TrainingSetup& setup, MemoryPartKind kind) {
  return part_of(count_memory(model, setup).value(), kind).backward_bytes;
}

std::int64_t activations_of(const Model& model, const TrainingSetup& setup) {
  return kept(model, setup, MemoryPartKind::activations);
}

TrainingSetup small_setup() {
  return {.batch_size = 2, .sequence_length = 3, .precision = Precision::fp32};
}

Model perceptron() {
  return {
      .blocks = {
          {"first", DenseBlock{.input_size = 4, .output_size = 5, .activation = Activation::relu}},
          {"head", ClassifierBlock{.hidden_size = 5, .num_labels = 7, .per_position = true}}}};
}

Model transformer(std::int64_t layers) {
  const TransformerBlock body{.num_hidden_layers = layers,
                              .hidden_size = 8,
                              .attention = {.num_attention_heads = 2},
                              .feed_forward = {.intermediate_size = 16}};
  return {.blocks = {{"words", EmbeddingBlock{.vocab_size = 11, .hidden_size = 8}},
                     {"body", body},
                     {"head", LanguageModelHeadBlock{.hidden_size = 8, .vocab_size = 11}}}};
}

// 4 * 5 + 5 + 5 * 7 + 7 = 67 parameters in four tensors, each with a step counter of 4 B.
TEST(Memory, ParametersGradientsAndStatesAreExact) {
  const MemoryNeed need = count_memory(perceptron(), small_setup()).value();
  EXPECT_EQ(part_of(need, MemoryPartKind::parameters).backward_bytes, 4 * 67);
  EXPECT_EQ(part_of(need, MemoryPartKind::gradients).backward_bytes, 0);
  EXPECT_EQ(part_of(need, MemoryPartKind::gradients).update_bytes, 4 * 67);
  EXPECT_EQ(part_of(need, MemoryPartKind::optimizer_states).update_bytes, 8 * 67 + 16);
}

// 6 rows. The data are nobody's activation. The rectifier keeps its result, which the head reads:
// 6 * 5 values; the loss keeps the log-softmax: 6 * 7.
TEST(Memory, APerceptronKeepsWhatItsDerivativesNeed) {
  EXPECT_EQ(activations_of(perceptron(), small_setup()), 4 * 30);
  EXPECT_EQ(kept(perceptron(), small_setup(), MemoryPartKind::loss), 4 * 42);
  EXPECT_EQ(kept(perceptron(), small_setup(), MemoryPartKind::weight_copies), 0);
}

// In BF16 the data are copied, 24 values of 2 B; the rectifier's result is 2 B wide. The first
// weight has no copy to keep, since the data need no gradient; the head's has 35 numbers. The loss
// keeps the scores of 2 B beside the log-softmax.
TEST(Memory, MixedPrecisionKeepsCopies) {
  TrainingSetup setup = small_setup();
  setup.precision = Precision::bf16;
  EXPECT_EQ(activations_of(perceptron(), setup), 2 * 24 + 2 * 30);
  EXPECT_EQ(kept(perceptron(), setup, MemoryPartKind::weight_copies), 2 * 35);
  EXPECT_EQ(kept(perceptron(), setup, MemoryPartKind::loss), 6 * 42);
}

// Per layer with R = 6 rows, D = 8, F = 16, 2 heads and 3 keys, in values of 4 B: two
// normalisations keep 2 R D and 4 R; their results, which the products read, 2 R D; queries, keys
// and values 3 R D; probabilities R * 2 * 3; the result, which the output reads, R D; GELU's input
// and result 2 R F. The head reads the last sum, R D. Labels are shifted: 8 B a row.
TEST(Memory, ATransformerLayerKeepsThis) {
  const std::int64_t d = 6 * 8;
  const std::int64_t f = 6 * 16;
  const std::int64_t layer = 2 * d + 4 * 6 + 2 * d + 3 * d + 36 + d + 2 * f;
  EXPECT_EQ(activations_of(transformer(1), small_setup()), 4 * (layer + d));
  EXPECT_EQ(activations_of(transformer(5), small_setup()), 4 * (5 * layer + d));
  EXPECT_EQ(kept(transformer(1), small_setup(), MemoryPartKind::loss), 4 * 6 * 11 + 8 * 6);
}

// Fused attention keeps one number per row and head in place of the probabilities: 12 for 36.
TEST(Memory, FusedAttentionKeepsNoProbabilities) {
  TrainingSetup setup = small_setup();
  setup.attention = AttentionImplementation::fused;
  EXPECT_EQ(activations_of(transformer(5), small_setup()) - activations_of(transformer(5), setup),
            4 * 5 * (36 - 12));
}

// Selective recomputation keeps the probabilities of the one layer at hand; full recomputation
// every layer's input and everything of that layer.
TEST(Memory, RecomputationKeepsLess) {
  TrainingSetup selective = small_setup();
  selective.recomputation = Recomputation::selective;
  TrainingSetup full = small_setup();
  full.recomputation = Recomputation::full;
  const std::int64_t none = activations_of(transformer(5), small_setup());
  EXPECT_EQ(activations_of(transformer(5), selective), none - 4 * 4 * 36);
  // The layer's input is already there.
  const std::int64_t layer = activations_of(transformer(1), small_setup()) - 2 * 4 * 48;
  EXPECT_EQ(activations_of(transformer(5), full), 5 * 4 * 48 + layer + 4 * 48);
}

TEST(Memory, AccumulationKeepsGradientsThroughTheBackwardPass) {
  TrainingSetup setup = small_setup();
  setup.accumulation_steps = 2;
  const MemoryNeed need = count_memory(perceptron(), setup).value();
  EXPECT_EQ(part_of(need, MemoryPartKind::gradients).backward_bytes, 4 * 67);
}

TEST(Memory, PartsSumToTheWhole) {
  for (const Precision precision : training_precisions) {
    TrainingSetup setup = small_setup();
    setup.precision = precision;
    const MemoryNeed need = count_memory(transformer(3), setup).value();
    std::int64_t backward = 0;
    std::int64_t update = 0;
    for (const MemoryPart& part : need.parts) {
      backward += part.backward_bytes;
      update += part.update_bytes;
    }
    EXPECT_EQ(need.parts.size(), all_memory_parts.size());
    EXPECT_EQ(backward, need.backward_bytes);
    EXPECT_EQ(update, need.update_bytes);
    EXPECT_EQ(need.peak_bytes, std::max(backward, update));
  }
}

TEST(Memory, ActivationsAreLinearInTheBatch) {
  for (const Precision precision : training_precisions) {
    TrainingSetup setup = small_setup();
    setup.precision = precision;
    const std::int64_t two = activations_of(transformer(3), setup);
    setup.batch_size = 6;
    EXPECT_EQ(activations_of(transformer(3), setup), 3 * two) << to_string(precision);
  }
}

TEST(Memory, NeverFallsWithASize) {
  const auto peak = [](std::int64_t layers, std::int64_t batch, std::int64_t sequence) {
    return count_memory(transformer(layers), {.batch_size = batch, .sequence_length = sequence})
        .value()
        .backward_bytes;
  };
  for (std::int64_t size = 1; size < 20; ++size) {
    EXPECT_LT(peak(size, 2, 3), peak(size + 1, 2, 3));
    EXPECT_LT(peak(2, size, 3), peak(2, size + 1, 3));
    EXPECT_LT(peak(2, 3, size), peak(2, 3, size + 1));
  }
}

TEST(LargestBatch, FitsAndTheNextOneDoesNot) {
  for (const std::int64_t available : {100'000'000, 200'000'000, 1'000'000'000}) {
    TrainingSetup setup = small_setup();
    setup.sequence_length = 64;
    const auto largest = find_largest_batch(transformer(4), setup, available).value();
    ASSERT_TRUE(largest.has_value());
    setup.batch_size = *largest;
    EXPECT_LE(count_memory(transformer(4), setup).value().peak_bytes, available);
    setup.batch_size = *largest + 1;
    EXPECT_GT(count_memory(transformer(4), setup).value().peak_bytes, available);
  }
}

TEST(LargestBatch, IsAbsentWhereNotEvenOneFits) {
  EXPECT_FALSE(find_largest_batch(transformer(4), small_setup(), 1000).value().has_value());
}

TEST(Memory, RefusesThePapersConventionAndWhatHasNoOperations) {
  TrainingSetup setup = small_setup();
  setup.convention = Convention::ecai2025;
  EXPECT_EQ(count_memory(perceptron(), setup).error().kind, ErrorKind::unsupported);
  setup = small_setup();
  setup.batch_size = 0;
  EXPECT_EQ(count_memory(perceptron(), setup).error().where.path, "--batch-size");
  EXPECT_FALSE(count_memory({}, small_setup()).has_value());
}

TEST(Memory, BytesThatDoNotFitAreAnError) {
  TrainingSetup setup = small_setup();
  setup.batch_size = std::int64_t{1} << 30U;
  setup.sequence_length = std::int64_t{1} << 28U;
  EXPECT_EQ(count_memory(transformer(1), setup).error().kind, ErrorKind::overflow);
}

TEST(MemoryNames, AreDistinctWords) {
  std::vector<std::string_view> names;
  for (const MemoryPartKind kind : all_memory_parts) names.push_back(to_string(kind));
  EXPECT_THAT(names,
              testing::ElementsAre("parameters", "gradients", "optimizer_states", "weight_copies",
                                   "activations", "loss", "workspace", "margin"));
}

}  // namespace
}  // namespace joulecast

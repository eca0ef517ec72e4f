// SPDX-License-Identifier: Apache-2.0
#include "tiny_models.hpp"

#include <joulecast/shipped_model.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace joulecast {
namespace {

using testing::HasSubstr;

Model two_dense_blocks() {
  Model model{.name = "two"};
  model.blocks = {{"first", DenseBlock{.input_size = 2, .output_size = 3}},
                  {"second", DenseBlock{.input_size = 3, .output_size = 5}}};
  return model;
}

// Forward from the first block to the last, backward from the last to the first, then the
// optimizer over the parameters of both: (2 * 3 + 3) + (3 * 5 + 5) = 29.
TEST(ListOperations, FollowsTheOrderOfExecution) {
  const auto operations = operations_of(two_dense_blocks(), tiny_setup());
  std::vector<std::string> order;
  for (const Operation& operation : operations) {
    order.push_back(operation.block + " " + std::string(to_string(operation.phase)));
  }
  EXPECT_THAT(order,
              testing::ElementsAre("first forward", "second forward", "second backward_input",
                                   "second backward_weight", "first backward_input",
                                   "first backward_weight", "optimizer optimizer_step"));
  EXPECT_EQ(std::get<ElementShape>(operations.back().shape), (ElementShape{29, 1}));
  EXPECT_EQ(operations.back().kind, OperationKind::optimizer);
}

// B S = 21 rows. Forward 2 * 21 * 3 * 2 = 252 and 2 * 21 * 5 * 3 = 630, three times with the
// gradients: 2646; SGD 2 * 29 = 58. Bytes 4 (42 + 6 + 63) = 444 and 4 (63 + 15 + 105) = 732, three
// times: 3528; SGD 12 * 29 = 348.
TEST(ListOperations, TotalsAreSumsOverAllExecutions) {
  const auto operations = operations_of(two_dense_blocks(), tiny_setup());
  EXPECT_EQ(total_flops(operations), Flops{2646.0 + 58.0});
  EXPECT_EQ(total_bytes_moved(operations), Bytes{3528.0 + 348.0});
  EXPECT_EQ(total_flops({}), Flops{0.0});
  std::vector<Operation> repeated(1);
  repeated[0].flops = 5;
  repeated[0].bytes_moved = 7;
  repeated[0].count = 11;
  EXPECT_EQ(total_flops(repeated), Flops{55.0});
  EXPECT_EQ(total_bytes_moved(repeated), Bytes{77.0});
}

TEST(ListOperations, RefusesSequencesBeyondTheModelSPositions) {
  Model model = model_of(tiny_transformer());
  model.file = "config.json";
  model.max_sequence_length = 7;
  EXPECT_TRUE(list_operations(model, tiny_setup()).has_value());
  model.max_sequence_length = 6;
  for (const Convention convention : {Convention::joulecast, Convention::ecai2025}) {
    TrainingSetup setup = tiny_setup();
    setup.convention = convention;
    const auto operations = list_operations(model, setup);
    ASSERT_FALSE(operations.has_value());
    EXPECT_EQ(operations.error().kind, ErrorKind::value);
    EXPECT_EQ(operations.error().where.file, "config.json");
    EXPECT_THAT(operations.error().message, HasSubstr("7 exceeds the model's 6 positions"));
  }
}

TEST(ListOperations, RefusesTrainingThatCannotBe) {
  const Model model = model_of(tiny_transformer());
  for (auto size :
       {&TrainingSetup::batch_size, &TrainingSetup::sequence_length, &TrainingSetup::num_gpus}) {
    for (const std::int64_t value :
         {std::int64_t{0}, std::int64_t{-3}, (std::int64_t{1} << 40U) + 1}) {
      TrainingSetup setup = tiny_setup();
      setup.*size = value;
      const auto operations = list_operations(model, setup);
      ASSERT_FALSE(operations.has_value()) << value;
      const bool missing = value == 0 && size == &TrainingSetup::sequence_length;
      EXPECT_EQ(operations.error().kind, missing ? ErrorKind::usage : ErrorKind::value);
    }
  }
  for (const Precision precision : {Precision::fp4, Precision::int8}) {
    TrainingSetup setup = tiny_setup();
    setup.precision = precision;
    EXPECT_EQ(list_operations(model, setup).error().kind, ErrorKind::unsupported);
  }
}

// An image has as many positions as its model fixes; a decoder of its own may have its own length.
TEST(ListOperations, AsksForTheLengthsThatTheModelReads) {
  const auto of = [](const char* id, std::int64_t length, std::optional<std::int64_t> target) {
    TrainingSetup setup = tiny_setup();
    setup.sequence_length = length;
    setup.target_sequence_length = target;
    return list_operations(find_model(id).value(), setup);
  };
  const auto image = of("resnet-50", 0, {});
  ASSERT_TRUE(image.has_value()) << describe(image.error());
  const auto flops = [&](const char* id, std::int64_t length, std::optional<std::int64_t> target) {
    return total_flops(of(id, length, target).value()).value();
  };
  EXPECT_EQ(total_flops(*image).value(), flops("resnet-50", 64, {}));
  EXPECT_EQ(of("resnet-50", 0, 8).error().where.path, "--target-sequence-length");
  EXPECT_EQ(of("gpt2", 0, {}).error().where.path, "--sequence-length");
  EXPECT_EQ(of("gpt2", 64, 8).error().where.path, "--target-sequence-length");
  EXPECT_EQ(of("t5-small", 0, 8).error().where.path, "--sequence-length");
  EXPECT_EQ(flops("t5-small", 64, {}), flops("t5-small", 64, 64));
  EXPECT_GT(flops("t5-small", 64, {}), flops("t5-small", 64, 8));
  // Whisper hears 30 s whatever the text, whose length is the one that is stated.
  EXPECT_EQ(of("whisper-tiny", 0, {}).error().where.path, "--sequence-length");
}

// More devices mean more sequences a step, not more work for each device.
TEST(ListOperations, AreThoseOfOneDevice) {
  TrainingSetup many = tiny_setup();
  many.num_gpus = 64;
  EXPECT_EQ(rows_of(operations_of(two_dense_blocks(), many)),
            rows_of(operations_of(two_dense_blocks(), tiny_setup())));
}

// The names are part of the file format: laws and reports refer to them.
TEST(OperationNames, AreDistinctAndStable) {
  using enum OperationKind;
  std::set<std::string_view> kinds;
  for (const OperationKind kind :
       {matmul, normalization, softmax, elementwise, embedding, loss, optimizer}) {
    kinds.insert(to_string(kind));
  }
  EXPECT_EQ(kinds, (std::set<std::string_view>{"matmul", "normalization", "softmax", "elementwise",
                                               "embedding", "loss", "optimizer"}));
  EXPECT_EQ(to_string(Phase::forward), "forward");
  EXPECT_EQ(to_string(Phase::recompute), "recompute");
  EXPECT_EQ(to_string(Phase::backward_input), "backward_input");
  EXPECT_EQ(to_string(Phase::backward_weight), "backward_weight");
  EXPECT_EQ(to_string(Phase::optimizer_step), "optimizer_step");
}

TEST(OperationShapes, TellOneProductFromSeveral) {
  const std::string one = describe(MatmulShape{.batch = 1, .m = 320, .n = 64, .k = 128});
  for (const auto* size : {"320", "64", "128"}) EXPECT_THAT(one, HasSubstr(size));
  EXPECT_NE(one, describe(MatmulShape{.batch = 9, .m = 320, .n = 64, .k = 128}));
  EXPECT_THAT(describe(ElementShape{.elements = 1966080, .width = 512}), HasSubstr("1966080"));
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include <joulecast/training.hpp>

#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <set>
#include <string>

namespace joulecast {
namespace {

using testing::HasSubstr;

constexpr std::int64_t largest = std::int64_t{1} << 40U;

TrainingSetup sound_setup() { return {.batch_size = 64, .sequence_length = 320}; }

// Every size of a setup, with the flag that an error must name.
struct SizeField {
  std::int64_t TrainingSetup::* field;
  const char* flag;
};
constexpr SizeField size_fields[] = {{&TrainingSetup::batch_size, "--batch-size"},
                                     {&TrainingSetup::sequence_length, "--sequence-length"},
                                     {&TrainingSetup::num_gpus, "--num-gpus"}};

TEST(TrainingCheck, ReturnsASoundSetupUnchanged) {
  TrainingSetup setup = sound_setup();
  setup.precision = Precision::bf16;
  setup.optimizer = Optimizer::sgd;
  setup.num_gpus = 8;
  setup.convention = Convention::ecai2025;
  const auto checked = check_training(setup);
  ASSERT_TRUE(checked.has_value()) << describe(checked.error());
  EXPECT_EQ(checked->batch_size, 64);
  EXPECT_EQ(checked->sequence_length, 320);
  EXPECT_EQ(checked->precision, Precision::bf16);
  EXPECT_EQ(checked->optimizer, Optimizer::sgd);
  EXPECT_EQ(checked->num_gpus, 8);
  EXPECT_EQ(checked->convention, Convention::ecai2025);
}

TEST(TrainingCheck, AcceptsBothEndsOfTheRangeOfSizes) {
  for (const SizeField& size : size_fields) {
    TrainingSetup setup = sound_setup();
    for (const std::int64_t value : {std::int64_t{1}, largest}) {
      setup.*size.field = value;
      EXPECT_TRUE(check_training(setup).has_value()) << size.flag << " " << value;
    }
  }
}

TEST(TrainingCheck, RefusesEverySizeOutsideNamingFlagAndValue) {
  for (const SizeField& size : size_fields) {
    for (const std::int64_t value :
         {std::int64_t{0}, std::int64_t{-1}, largest + 1, std::numeric_limits<std::int64_t>::min(),
          std::numeric_limits<std::int64_t>::max()}) {
      TrainingSetup setup = sound_setup();
      setup.*size.field = value;
      // A model that reads no sequences needs none; list_operations knows which do.
      if (value == 0 && std::string_view(size.flag) == "--sequence-length") continue;
      const auto checked = check_training(setup);
      ASSERT_FALSE(checked.has_value()) << size.flag << " " << value;
      EXPECT_EQ(checked.error().kind, ErrorKind::value);
      EXPECT_EQ(checked.error().where.path, size.flag);
      EXPECT_THAT(checked.error().message, HasSubstr(std::to_string(value)));
      EXPECT_FALSE(checked.error().remedy.empty());
    }
  }
}

TEST(TrainingCheck, ASetupThatStatesNothingIsRefused) {
  EXPECT_EQ(check_training({}).error().where.path, "--batch-size");
}

// INT8 and FP4 are formats of inference: no common training recipe keeps gradients in them.
TEST(TrainingCheck, AcceptsEveryPrecisionThatModelsAreTrainedIn) {
  const std::set<Precision> refused{Precision::fp4, Precision::int8};
  for (const Precision precision : all_precisions) {
    TrainingSetup setup = sound_setup();
    setup.precision = precision;
    const auto checked = check_training(setup);
    EXPECT_EQ(checked.has_value(), !refused.contains(precision)) << to_string(precision);
    if (checked) continue;
    EXPECT_EQ(checked.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(checked.error().where.path, "--precision");
    EXPECT_THAT(checked.error().message, HasSubstr(std::string(to_string(precision))));
  }
}

TEST(CheckTraining, RefusesWhatThePaperDoesNotTreat) {
  TrainingSetup accumulated{.batch_size = 1, .sequence_length = 1};
  accumulated.convention = Convention::ecai2025;
  ASSERT_TRUE(check_training(accumulated).has_value());
  accumulated.accumulation_steps = 2;
  EXPECT_EQ(check_training(accumulated).error().where.path, "--convention");
  accumulated.accumulation_steps = 1;
  accumulated.recomputation = Recomputation::selective;
  EXPECT_EQ(check_training(accumulated).error().kind, ErrorKind::unsupported);
}

TEST(TrainingNames, EveryNameReadsBackAsItsValue) {
  std::set<std::string_view> names;
  for (const Precision precision : all_precisions) {
    EXPECT_EQ(precision_from(to_string(precision)), precision);
    names.insert(to_string(precision));
  }
  for (const Optimizer optimizer : all_optimizers) {
    EXPECT_EQ(optimizer_from(to_string(optimizer)), optimizer);
    names.insert(to_string(optimizer));
  }
  for (const Convention convention : {Convention::joulecast, Convention::ecai2025}) {
    EXPECT_EQ(convention_from(to_string(convention)), convention);
    names.insert(to_string(convention));
  }
  EXPECT_EQ(names.size(), all_precisions.size() + all_optimizers.size() + 2);
}

TEST(TrainingNames, AreTheWordsOfTheCommandLine) {
  EXPECT_EQ(precision_from("tf32"), Precision::tf32);
  EXPECT_EQ(precision_from("bf16"), Precision::bf16);
  EXPECT_EQ(optimizer_from("adamw"), Optimizer::adamw);
  EXPECT_EQ(convention_from("ecai2025"), Convention::ecai2025);
}

TEST(TrainingNames, NothingElseIsAName) {
  for (const char* name : {"", "FP32", "fp32 ", "float32", "unknown", "fp64", "adam\n", "ecai"}) {
    EXPECT_EQ(precision_from(name), std::nullopt) << name;
    EXPECT_EQ(optimizer_from(name), std::nullopt) << name;
    EXPECT_EQ(convention_from(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace joulecast

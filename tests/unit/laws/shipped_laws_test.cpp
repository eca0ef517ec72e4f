// SPDX-License-Identifier: Apache-2.0
// The laws that are part of the library: whole, unchanged, and used where they should be.
#include "documents/embedded.hpp"
#include "laws/law_file.hpp"

#include <joulecast/law.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace joulecast {
namespace {

Device device(const char* id) { return load_devices().value().find(id).value(); }

// 512^3 on tensor cores, or so many elements.
Operation operation(std::string name, OperationKind kind, Precision precision,
                    OperationShape shape) {
  return {.name = std::move(name), .kind = kind, .shape = shape, .precision = precision};
}

// Each file states the hash of what stands before it; nobody changed a number since the fit.
TEST(ShippedLawFiles, AreAsTheFitWroteThem) {
  int laws = 0;
  for (const EmbeddedFile& file : embedded_files()) {
    const std::string name(file.name);
    if (!name.starts_with("laws/") || !name.ends_with(".json") || name == "laws/transfer.json") {
      continue;
    }
    if (name.ends_with(".families.json")) {
      Law law;
      const auto trials = parse_trials(file.content, name, law);
      EXPECT_TRUE(trials.has_value()) << (trials ? "" : describe(trials.error()));
      EXPECT_FALSE(law.trials.empty()) << name;
      continue;
    }
    const auto law = parse_law(file.content, name);
    ASSERT_TRUE(law.has_value()) << describe(law.error());
    EXPECT_EQ("laws/" + law->id + ".json", name);
    EXPECT_TRUE(law->errors.has_value()) << name;
    EXPECT_FALSE(law->bands.empty()) << name;
    EXPECT_THAT(std::string(file.content), testing::HasSubstr("content_sha256")) << name;
    ++laws;
  }
  EXPECT_EQ(laws, static_cast<int>(shipped_law_ids().size()));
  EXPECT_GT(laws, 100);
}

TEST(ShippedLawFiles, RememberTheirRows) {
  const LawSet laws =
      shipped_laws(device("h100-80gb-sxm"), {.operations = {"linear"}, .row_hashes = true});
  const Law* law = laws.find({"h100-80gb-sxm", MeasuredPrecision::bf16, {"linear"}});
  ASSERT_NE(law, nullptr);
  EXPECT_EQ(static_cast<std::int64_t>(law->row_hashes.size()), law->errors.value().rows);
}

TEST(ShippedLawFiles, AChangedNumberShows) {
  const std::string name = "laws/h100-80gb-sxm/bf16/linear.json";
  std::string text(embedded_file(name));
  const std::size_t digit = text.find("\"corner_exponent\": ") + 19;
  text[digit] = text[digit] == '1' ? '2' : '1';
  const auto law = parse_law(text, name);
  ASSERT_FALSE(law.has_value());
  EXPECT_EQ(law.error().where.path, "content_sha256");
}

TEST(ShippedLaws, TheOwnLawOfADeviceComesFirst) {
  const Device h100 = device("h100-80gb-sxm");
  const LawSet laws = shipped_laws(h100);
  const Operation product = operation("qkv_projection", OperationKind::matmul, Precision::bf16,
                                      MatmulShape{.m = 512, .n = 512, .k = 512});
  EXPECT_EQ(laws.find(h100, product).id, "h100-80gb-sxm/bf16/linear");
  EXPECT_EQ(laws.find(h100, product).origin, LawOrigin::fitted);
}

// Whatever a step needs is found as if every law had been read.
TEST(ShippedLaws, NeedsAreMetByTheSameLaws) {
  for (const char* id : {"h100-80gb-sxm", "a100-80gb-pcie", "t4", "mi210", "rtx-4090"}) {
    const Device board = device(id);
    const LawSet all = shipped_laws(board);
    for (const Operation& asked :
         {operation("qkv_projection", OperationKind::matmul, Precision::fp16,
                    MatmulShape{.m = 512, .n = 512, .k = 512}),
          operation("attention_scores", OperationKind::matmul, Precision::fp32,
                    MatmulShape{.batch = 8, .m = 512, .n = 512, .k = 64}),
          operation("attention_softmax", OperationKind::softmax, Precision::fp32,
                    ElementShape{.elements = 1 << 20, .width = 512}),
          operation("adamw_update", OperationKind::optimizer, Precision::fp32,
                    ElementShape{.elements = 1 << 20, .width = 1})}) {
      const LawNeed need{measured_precision_of(asked.precision).value(), law_names(asked)};
      const LawSet needed = shipped_laws(board, {.needs = {need}});
      EXPECT_EQ(needed.find(board, asked).id, all.find(board, asked).id) << id << asked.name;
      EXPECT_EQ(needed.find(board, asked).origin, all.find(board, asked).origin);
    }
  }
}

// The paper's sweeps were timed from the host: they are for its own operations, not for steps.
TEST(ShippedLaws, HostTimedLawsDoNotPredictSteps) {
  const Device a100 = device("a100-80gb-pcie");
  const LawSet laws = shipped_laws(a100);
  const Operation product = operation("qkv_projection", OperationKind::matmul, Precision::tf32,
                                      MatmulShape{.m = 512, .n = 512, .k = 512});
  const Law* own = laws.find({"a100-80gb-pcie", MeasuredPrecision::tf32, {"qkv_projection"}});
  ASSERT_NE(own, nullptr);
  EXPECT_TRUE(own->host_timed);
  EXPECT_EQ(laws.find(a100, product).id, "a100-80gb-pcie/tf32/linear");
  EXPECT_EQ(laws.find(a100, product).origin, LawOrigin::transferred);
  const Operation softmax = operation("attention_softmax", OperationKind::softmax, Precision::fp32,
                                      ElementShape{.elements = 1 << 20, .width = 512});
  EXPECT_EQ(laws.find(a100, softmax).origin, LawOrigin::transferred);
}

TEST(ShippedLaws, AreTransferredWithAnIntervalAndWeightsThatSumToOne) {
  const Device l4 = device("l4");
  const LawSet laws = shipped_laws(l4, {.precisions = {MeasuredPrecision::bf16}});
  const Law* law = laws.find({"l4", MeasuredPrecision::bf16, {"linear"}});
  ASSERT_NE(law, nullptr);
  EXPECT_EQ(law->origin, LawOrigin::transferred);
  EXPECT_TRUE(law->interval.has_value());
  double sum = 0.0;
  for (const CommitteeMember& member : std::get<CommitteeLaw>(law->form).members) {
    EXPECT_GT(member.weight, 0.0);
    sum += member.weight;
  }
  EXPECT_NEAR(sum, 1.0, 1e-12);
}

// Their text stands in no file, so the hash is of what they were formed from.
TEST(ShippedLaws, TransferredOnesAreIdentifiedByAHash) {
  const auto hash_on = [](const Device& board, std::string_view family = {}) {
    const LawSet laws = shipped_laws(
        board,
        {.precisions = {MeasuredPrecision::bf16}, .operations = {"linear"}, .family = family});
    const Law* law = laws.find({board.id, MeasuredPrecision::bf16, {"linear"}});
    return law == nullptr ? std::string() : law->sha256;
  };
  const Device l4 = device("l4");
  const std::string hash = hash_on(l4);
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(hash_on(l4), hash);
  Device colder = l4;
  colder.thermal_design_power->value = Watts{60.0};
  EXPECT_NE(hash_on(colder), hash);
  EXPECT_NE(hash_on(l4, "paper"), hash);
}

TEST(ShippedLaws, ThePriorOfThePowerIsIdentifiedAsWell) {
  const LawSet laws = shipped_prior();
  EXPECT_EQ(laws.power().id, "prior/power");
  EXPECT_EQ(laws.power().sha256, laws.prior().sha256);
}

// What is judged as never measured must not lean on its own measurements.
TEST(ShippedLaws, LeaveOutADeviceOrItsArchitecture) {
  const Device h200 = device("h200-141gb-sxm");
  const auto members = [&](LeaveOut leave_out) {
    const LawSet laws = shipped_laws(h200, {.precisions = {MeasuredPrecision::bf16},
                                            .operations = {"linear"},
                                            .leave_out = leave_out});
    const Law* law = laws.find({h200.id, MeasuredPrecision::bf16, {"linear"}});
    EXPECT_EQ(law->origin, LawOrigin::transferred);
    std::string ids;
    for (const CommitteeMember& member : std::get<CommitteeLaw>(law->form).members) {
      ids += member.law_id + " ";
    }
    return ids;
  };
  EXPECT_THAT(members(LeaveOut::device), testing::HasSubstr("h100-80gb-sxm"));
  EXPECT_THAT(members(LeaveOut::device), testing::Not(testing::HasSubstr("h200")));
  EXPECT_THAT(members(LeaveOut::architecture), testing::Not(testing::HasSubstr("h100")));
  EXPECT_THAT(members(LeaveOut::architecture), testing::HasSubstr("a100"));
}

TEST(ShippedLaws, OtherFamiliesMayTakeTheirPlace) {
  const Device h200 = device("h200-141gb-sxm");
  const LawSet laws = shipped_laws(h200, {.operations = {"linear"}, .family = "paper"});
  const Law* law = laws.find({"h200-141gb-sxm", MeasuredPrecision::bf16, {"linear"}});
  ASSERT_NE(law, nullptr);
  EXPECT_EQ(std::get<FamilyLaw>(law->form).family, "paper");
  const LawSet best = shipped_laws(h200, {.operations = {"linear"}});
  const Law* chosen = best.find({"h200-141gb-sxm", MeasuredPrecision::bf16, {"linear"}});
  EXPECT_LT(chosen->errors->mean_absolute_percentage_error,
            0.3 * law->errors->mean_absolute_percentage_error);
}

}  // namespace
}  // namespace joulecast

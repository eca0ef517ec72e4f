// SPDX-License-Identifier: Apache-2.0
// What is taken over from a measured device, and what is scaled by the data sheets of both.
#include "laws/transfer.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace joulecast {
namespace {

Device board_of(const char* id) { return load_devices().value().find(id).value(); }

DeviceFacts facts_for(const char* id, MeasuredPrecision precision = MeasuredPrecision::fp32) {
  return facts_of(board_of(id), precision).value();
}

// A family at its start, with one parameter set.
Law law_with_value(std::string_view family, std::string_view name, double value) {
  FamilyLaw own{.family = std::string(family)};
  for (const LawParameter& parameter : find_family(family)->parameters) {
    own.parameters.push_back(parameter.name == name ? value : parameter.start);
  }
  Law law;
  law.id = "source";
  law.operation = "linear";
  law.form = std::move(own);
  return law;
}

double parameter_of(const CommitteeMember& member, std::string_view name) {
  const LawFamily& family = *find_family(member.law.family);
  for (std::size_t i = 0; i < family.parameters.size(); ++i) {
    if (family.parameters[i].name == name) return member.law.parameters[i];
  }
  return std::nan("");
}

CommitteeLaw transfer(const std::vector<TransferSource>& sources, const char* to,
                      MeasuredPrecision precision = MeasuredPrecision::fp32) {
  const Law law = form_committee(sources, board_of(to), facts_for(to, precision), precision);
  return std::get<CommitteeLaw>(law.form);
}

TEST(Similarity, FallsWithTheRatiosAndTheYears) {
  const auto to_h100 = [](const char* id) {
    return similarity("simt_matmul", facts_for(id), facts_for("h100-80gb-sxm"));
  };
  EXPECT_GT(to_h100("h200-141gb-sxm"), to_h100("a100-80gb-sxm"));
  EXPECT_GT(to_h100("a100-80gb-sxm"), to_h100("v100-sxm2-32gb"));
  DeviceFacts later = facts_for("a100-80gb-sxm");
  EXPECT_NEAR(similarity("simt_matmul", later, facts_for("a100-80gb-sxm")), std::pow(0.1, -1.5),
              1e-9);
  later.launch_year += 2.0;
  EXPECT_NEAR(similarity("simt_matmul", later, facts_for("a100-80gb-sxm")), std::pow(1.1, -1.5),
              1e-9);
  later.launch_year = 0.0;  // not known: does not count
  EXPECT_NEAR(similarity("simt_matmul", later, facts_for("a100-80gb-sxm")), std::pow(0.1, -1.5),
              1e-9);
}

// f = v_fp32 / (2 SM cores): A100 19.5e12 / (2 * 108 * 64) = 1.4106 GHz, L40S 91.6e12 / (2 * 142 *
// 128) = 2.5198 GHz.
TEST(Transfer, TimesOfTensorCoresGoWithTheClock) {
  const auto bf16 = MeasuredPrecision::bf16;
  EXPECT_NEAR(facts_for("a100-80gb-sxm").clock_hertz, 1.4106e9, 1e5);
  EXPECT_NEAR(facts_for("l40s").clock_hertz, 2.5198e9, 1e5);
  const Law law = law_with_value("tensor_core_matmul", "k_step_seconds", 5e-9);
  const CommitteeLaw committee = transfer({{&law, facts_for("a100-80gb-sxm", bf16)}}, "l40s", bf16);
  EXPECT_NEAR(parameter_of(committee.members[0], "k_step_seconds"), 5e-9 * 1.4106 / 2.5198, 1e-13);
  EXPECT_EQ(committee.members[0].weight, 1.0);
}

TEST(Transfer, AnUnknownClockLeavesTimesAlone) {
  const auto bf16 = MeasuredPrecision::bf16;
  const Law law = law_with_value("tensor_core_matmul", "k_step_seconds", 5e-9);
  DeviceFacts from = facts_for("a100-80gb-sxm", bf16);
  from.clock_hertz = 0.0;
  const CommitteeLaw committee = transfer({{&law, from}}, "l40s", bf16);
  EXPECT_EQ(parameter_of(committee.members[0], "k_step_seconds"), 5e-9);
}

// 30.3 TFLOP/s on 72 W in 2023 is 0.4208 TFLOP/s/W, 2.257 times 0.037 * 2^(7/3) = 0.1865, to the
// power 0.7: 1.768. The V100 of 2018 promises 0.056, below 0.0587: 1.
TEST(Transfer, ABoardThatCannotHoldItsClockSlowsDown) {
  const Law law = law_with_value("simt_matmul", "slow_down", 1.1);
  const CommitteeLaw committee = transfer({{&law, facts_for("v100-pcie-32gb")}}, "l4");
  EXPECT_NEAR(parameter_of(committee.members[0], "slow_down"), 1.1 * 1.768, 1e-3);
  const CommitteeLaw back = transfer({{&law, facts_for("l4")}}, "v100-pcie-32gb");
  EXPECT_EQ(parameter_of(back.members[0], "slow_down"), 1.0001) << "never below its bound";
}

// Hosts count alike however similar their devices are: the 0.3 quantile of 20, 40 and 80 us lies
// 0.6 of the way from 20 to 40 in logarithms, 20 * 2^0.6.
TEST(Transfer, TakesAUsualHostInsteadOfTheNearestDevices) {
  const Law fast = law_with_value("elementwise", "host_seconds", 20e-6);
  const Law middle = law_with_value("elementwise", "host_seconds", 40e-6);
  const Law slow = law_with_value("elementwise", "host_seconds", 80e-6);
  const CommitteeLaw committee = transfer(
      {{&slow, facts_for("v100-pcie-32gb")}, {&fast, facts_for("p4")}, {&middle, facts_for("t4")}},
      "v100-sxm2-32gb");
  for (const CommitteeMember& member : committee.members) {
    EXPECT_NEAR(parameter_of(member, "host_seconds"), 20e-6 * std::exp2(0.6), 1e-10);
  }
}

}  // namespace
}  // namespace joulecast

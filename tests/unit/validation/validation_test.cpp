// SPDX-License-Identifier: Apache-2.0
#include "validated.hpp"

#include <algorithm>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <tuple>

namespace joulecast {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MatmulShape square{.batch = 1, .m = 1024, .n = 1024, .k = 1024};
constexpr MatmulShape skinny{.batch = 1, .m = 64, .n = 4096, .k = 4096};
constexpr MatmulShape large{.batch = 1, .m = 8192, .n = 8192, .k = 8192};

// Null where there is no such group.
const ErrorMetrics* find_metrics(const Validation& validation, ValidationSet set,
                                 ValidatedQuantity quantity, Regime regime = Regime::all) {
  for (const ValidationGroup& group : validation.groups) {
    if (group.set == set && group.quantity == quantity && group.regime == regime) {
      return &group.metrics;
    }
  }
  return nullptr;
}

std::int64_t count_in(const Validation& validation, ValidationSet set,
                      ValidatedQuantity quantity = ValidatedQuantity::duration,
                      Regime regime = Regime::all) {
  const ErrorMetrics* metrics = find_metrics(validation, set, quantity, regime);
  return metrics == nullptr ? 0 : metrics->count;
}

// c = 2 * 1024^3 = 2.147e9 FLOPs, half of v_max: t = c / (0.5 v_max), (3) of the paper.
TEST(PredictMeasured, IsTheLawAtTheLeastWork) {
  const Measurement row = measured_matmul(square, 1.0);
  const DeviceFacts facts{.peak_flops_per_second = 1e15, .bandwidth_bytes_per_second = 1e12};
  const auto predicted = predict_measured(half_of_the_peak(), row, facts);
  EXPECT_NEAR(predicted.value().value() / (2.0 * std::pow(1024.0, 3) / 5e14), 1.0, 1e-12);
  // launch + bytes / (f_b BW), where traffic takes longer: 3 * 1024^2 numbers of 2 bytes.
  Law roofline = half_of_the_peak();
  roofline.form =
      RooflineLaw{.compute_fraction = 1.0, .bandwidth_fraction = 0.5, .launch = Seconds{1e-6}};
  EXPECT_NEAR(predict_measured(roofline, row, facts).value().value(), 1e-6 + 6.0 * 1048576.0 / 5e11,
              1e-15);
  Law family = half_of_the_peak();
  family.form = FamilyLaw{.family = "launch", .parameters = {3e-6, 0.5}};
  EXPECT_NEAR(predict_measured(family, row, facts).value().value(),
              3e-6 + 2.0 * std::pow(1024.0, 3) / 5e14, 1e-15);
}

TEST(PredictMeasured, RefusesWhatTheLawCannotAnswer) {
  const DeviceFacts facts{.peak_flops_per_second = 1e15, .bandwidth_bytes_per_second = 1e12};
  Measurement row = measured_matmul(square, 1.0);
  row.operation = "embedding";  // moves data without a FLOP
  row.shape = ElementShape{.elements = 1000, .width = 10};
  const auto none = predict_measured(half_of_the_peak(), row, facts);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().kind, ErrorKind::unsupported);
  EXPECT_THAT(none.error().message, HasSubstr("embedding"));
  // An efficiency that underflows would take forever.
  Law hopeless = half_of_the_peak();
  hopeless.form =
      SaturationLaw{.eta_max = 1e-300, .saturation_rate = 1e-300, .saturation_exponent = 1.0};
  const auto forever = predict_measured(hopeless, measured_matmul(square, 1.0), facts);
  ASSERT_FALSE(forever.has_value());
  EXPECT_EQ(forever.error().kind, ErrorKind::value);
}

// Measured 1.25 and 0.8 times the prediction: e = 1/1.25 - 1 = -0.2 and 1/0.8 - 1 = 0.25. The
// interval of the law is [0.8, 1.25], bounds included but for the last digit.
TEST(Validation, ComparesDurations) {
  const Validation validation =
      validated({slower_than_law(square, 1.2499), slower_than_law(skinny, 0.8001),
                 slower_than_law(large, 2.0)},
                law_set({half_of_the_peak()}));
  EXPECT_EQ(validation.measurements, 3);
  EXPECT_THAT(validation.rows, SizeIs(3));
  EXPECT_THAT(validation.gaps, IsEmpty());
  const ErrorMetrics* all =
      find_metrics(validation, ValidationSet::out_of_sample, ValidatedQuantity::duration);
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(all->count, 3);
  EXPECT_NEAR(all->mape, (0.2 + 0.25 + 0.5) / 3.0, 1e-4);
  EXPECT_NEAR(all->bias, (-0.2 + 0.25 - 0.5) / 3.0, 1e-4);
  EXPECT_NEAR(all->coverage_90.value(), 2.0 / 3.0, 1e-12);
  ASSERT_THAT(validation.subjects, SizeIs(1));
  EXPECT_EQ(validation.subjects[0].laws.at(0).id, "h200-141gb-sxm/bf16/linear");
}

TEST(Validation, SortsRowsIntoRegimes) {
  const Validation validation = validated(
      {slower_than_law(square, 1.0), slower_than_law(skinny, 1.0), slower_than_law(large, 1.0),
       slower_than_law({1, 512, 512, 512}, 1.0), slower_than_law({1, 16, 16, 16}, 1.0)},
      law_set({half_of_the_peak()}));
  const auto count = [&](Regime regime) {
    return count_in(validation, ValidationSet::out_of_sample, ValidatedQuantity::duration, regime);
  };
  EXPECT_EQ(count(Regime::all), 5);
  EXPECT_EQ(count(Regime::training), 2);  // square, large
  EXPECT_EQ(count(Regime::skinny), 2);    // m of 64 and 16
  EXPECT_EQ(count(Regime::large), 1);     // one of five
  EXPECT_EQ(count(Regime::small), 1);
}

TEST(Validation, ReportsMarkedRowsBothWays) {
  const Validation validation = validated(
      {slower_than_law(square, 1.0), with_mark(slower_than_law(square, 4.0), Mark::warm_up),
       with_mark(slower_than_law(square, 1.0), Mark::power_label_low)},  // doubts power alone
      law_set({half_of_the_peak()}));
  EXPECT_EQ(count_in(validation, ValidationSet::out_of_sample), 3);
  EXPECT_EQ(count_in(validation, ValidationSet::out_of_sample_unmarked), 2);
  EXPECT_NEAR(
      find_metrics(validation, ValidationSet::out_of_sample, ValidatedQuantity::duration)->mape,
      0.75 / 3.0, 1e-12);
  EXPECT_NEAR(
      find_metrics(validation, ValidationSet::out_of_sample_unmarked, ValidatedQuantity::duration)
          ->mape,
      0.0, 1e-12);
}

TEST(Validation, KeepsRowsOfTheFitApart) {
  const std::vector<Measurement> rows = {slower_than_law(square, 1.0), slower_than_law(skinny, 2.0),
                                         slower_than_law(large, 1.0)};
  Law law = half_of_the_peak();
  law.row_hashes = {short_hash(rows[1])};
  const Validation validation = validated(rows, law_set({law}));
  EXPECT_EQ(count_in(validation, ValidationSet::out_of_sample), 2);
  EXPECT_EQ(count_in(validation, ValidationSet::in_sample), 1);
  EXPECT_NEAR(find_metrics(validation, ValidationSet::in_sample, ValidatedQuantity::duration)->mape,
              0.5, 1e-12);
  // The caller may know better.
  const Validation all = validated(
      rows, law_set({law}), {.in_sample = [](const Law&, const Measurement&) { return true; }});
  EXPECT_EQ(count_in(all, ValidationSet::in_sample), 3);
  EXPECT_EQ(count_in(all, ValidationSet::out_of_sample), 0);
}

// One row of each: in the fit or not, doubted or not.
TEST(Validation, MakesFourSets) {
  const auto marked = [](double factor) {
    return with_mark(slower_than_law(square, factor), Mark::warm_up);
  };
  const std::vector<Measurement> rows = {slower_than_law(square, 1.0), marked(2.0),
                                         slower_than_law(square, 4.0), marked(8.0)};
  const Validation validation = validated(rows, law_set({half_of_the_peak()}),
                                          {.in_sample = [](const Law&, const Measurement& row) {
                                            return row.duration.value() > 3.0 * law_seconds(square);
                                          }});
  const auto mape = [&](ValidationSet set) {
    return find_metrics(validation, set, ValidatedQuantity::duration)->mape;
  };
  EXPECT_NEAR(mape(ValidationSet::out_of_sample), (0.0 + 0.5) / 2.0, 1e-12);
  EXPECT_NEAR(mape(ValidationSet::out_of_sample_unmarked), 0.0, 1e-12);
  EXPECT_NEAR(mape(ValidationSet::in_sample), (0.75 + 0.875) / 2.0, 1e-12);
  EXPECT_NEAR(mape(ValidationSet::in_sample_unmarked), 0.75, 1e-12);
}

// Rows of one size are its largest and its smallest together.
TEST(Validation, PutsRowsAtTheBoundIntoTheFifth) {
  const Validation validation = validated(
      {slower_than_law(square, 1.0), slower_than_law(square, 1.1)}, law_set({half_of_the_peak()}));
  for (const Regime regime : {Regime::large, Regime::small}) {
    EXPECT_EQ(
        count_in(validation, ValidationSet::out_of_sample, ValidatedQuantity::duration, regime), 2);
  }
}

ValidationOptions half_of_the_limit() {
  ValidationOptions options;
  options.power = [](const Measurement&, const Device&, Seconds) {
    return PowerPrediction{Watts{350.0}, IntervalFactors{0.9, 1.1}};
  };
  return options;
}

// 350 W against 400 W: e = -0.125. Time 0.5 times the measured: energy 0.5 * 0.875 of it. The
// interval of energy reaches from 0.8 * 0.9 to 1.25 * 1.1 of it, which does not reach 1 / 0.4375.
TEST(Validation, ComparesPowerAndEnergyOfTheBoard) {
  const Validation validation = validated({with_power(slower_than_law(square, 2.0), 400.0)},
                                          law_set({half_of_the_peak()}), half_of_the_limit());
  const ErrorMetrics* power =
      find_metrics(validation, ValidationSet::out_of_sample, ValidatedQuantity::power);
  const ErrorMetrics* energy =
      find_metrics(validation, ValidationSet::out_of_sample, ValidatedQuantity::energy);
  ASSERT_NE(power, nullptr);
  ASSERT_NE(energy, nullptr);
  EXPECT_NEAR(power->bias, -0.125, 1e-12);
  EXPECT_EQ(power->coverage_90, 0.0);
  EXPECT_NEAR(energy->bias, 0.4375 - 1.0, 1e-12);
  EXPECT_EQ(energy->coverage_90, 0.0);
}

// 0.3 J over twice the law's time, whatever that is; power follows as energy over time.
TEST(Validation, TakesPowerFromEnergyAndItsDoubtFromTime) {
  Measurement row = with_mark(slower_than_law(square, 2.0), Mark::slower_than_repeats);
  row.energy = Joules{350.0 * row.duration.value()};
  row.energy_kind = EnergyKind::board;
  const Validation validation =
      validated({row}, law_set({half_of_the_peak()}), half_of_the_limit());
  EXPECT_NEAR(
      find_metrics(validation, ValidationSet::out_of_sample, ValidatedQuantity::power)->mape, 0.0,
      1e-12);
  EXPECT_EQ(count_in(validation, ValidationSet::out_of_sample_unmarked, ValidatedQuantity::power),
            0);
}

TEST(Validation, DoubtsAnEnergyWhereItsTimeOrPowerIsDoubted) {
  const Validation validation =
      validated({with_power(slower_than_law(square, 1.0), 350.0),
                 with_mark(with_power(slower_than_law(square, 1.0), 350.0), Mark::warm_up),
                 with_mark(with_power(slower_than_law(square, 1.0), 90.0), Mark::power_label_low)},
                law_set({half_of_the_peak()}), half_of_the_limit());
  const auto unmarked = [&](ValidatedQuantity quantity) {
    return count_in(validation, ValidationSet::out_of_sample_unmarked, quantity);
  };
  EXPECT_EQ(unmarked(ValidatedQuantity::duration), 2);
  EXPECT_EQ(unmarked(ValidatedQuantity::power), 2);
  EXPECT_EQ(unmarked(ValidatedQuantity::energy), 1);
}

// What has no prediction is counted with the reason.
TEST(Validation, CountsWhatItCannotCompare) {
  Measurement other_kind = with_power(slower_than_law(square, 1.0), 400.0);
  other_kind.energy_kind = EnergyKind::tracker_counter;
  Measurement backward = slower_than_law(square, 1.0);
  backward.phase = MeasuredPhase::backward;
  Measurement step = measured_matmul(square, 0.5);
  step.operation = "step";
  step.phase = MeasuredPhase::step;
  step.shape = StepShape{.model = "gpt2", .batch_size = 8, .sequence_length = 128};
  Measurement embedding = measured_matmul(square, 1e-5);
  embedding.operation = "embedding";
  embedding.shape = ElementShape{.elements = 1 << 20, .width = 1024};
  const Validation validation =
      validated({other_kind, backward, step, embedding,
                 with_power(slower_than_law(square, 1.0), 9.0), measured_matmul(square, 1e-40)},
                law_set({half_of_the_peak(), half_of_the_peak("embedding")}));
  std::map<std::tuple<std::string, ValidatedQuantity, NotCompared>, std::int64_t> gaps;
  for (const ValidationGap& gap : validation.gaps) {
    gaps[{gap.operation, gap.quantity, gap.reason}] = gap.rows;
  }
  using enum NotCompared;
  constexpr auto duration = ValidatedQuantity::duration;
  constexpr auto power = ValidatedQuantity::power;
  EXPECT_THAT(gaps, testing::UnorderedElementsAre(
                        testing::Pair(std::tuple("embedding", duration, no_answer), 1),
                        testing::Pair(std::tuple("linear", duration, other_phase), 1),
                        testing::Pair(std::tuple("linear", duration, implausible), 1),
                        testing::Pair(std::tuple("linear", power, other_energy_kind), 1),
                        testing::Pair(std::tuple("linear", power, no_power_law), 1),
                        testing::Pair(std::tuple("step", duration, no_law), 1)));
}

// Devices, precisions, operations, marks and fits in all mixtures: in `all`, each row with a law
// stands in one of the two sets, and every other row is among the gaps.
TEST(Validation, CountsEveryRowExactlyOnce) {
  std::vector<Measurement> rows;
  for (std::int64_t i = 0; i < 240; ++i) {
    Measurement row = slower_than_law({1, 16 + 8 * i, 512, 256 + i}, 0.5 + 0.01 * double(i % 90));
    row.device = i % 2 == 0 ? "h200-141gb-sxm" : "a100-80gb-sxm";
    row.precision = i % 3 == 0 ? MeasuredPrecision::fp16 : MeasuredPrecision::bf16;
    if (i % 5 == 0) row.operation = "batched_matmul";
    if (i % 7 == 0) row.marks.add(Mark::slower_than_repeats);
    if (i % 11 == 0) row.phase = MeasuredPhase::backward_input;
    rows.push_back(row);
  }
  // No law for batched products, nor for fp16 on the A100.
  const Validation validation =
      validated(rows,
                law_set({half_of_the_peak(), half_of_the_peak("linear", MeasuredPrecision::fp16),
                         half_of_the_peak("linear", MeasuredPrecision::bf16, "a100-80gb-sxm")}),
                {.in_sample = [](const Law&, const Measurement& row) {
                  return std::get<MatmulShape>(row.shape).m % 3 == 0;
                }});
  using Key = std::tuple<std::string, std::string, MeasuredPrecision>;
  std::map<Key, std::int64_t> counted;
  for (const ValidationGroup& group : validation.groups) {
    if (group.regime != Regime::all) continue;
    if (group.set == ValidationSet::out_of_sample || group.set == ValidationSet::in_sample) {
      counted[{group.device, group.operation, group.precision}] += group.metrics.count;
    }
  }
  for (const ValidationGap& gap : validation.gaps) {
    counted[{gap.device, gap.operation, gap.precision}] += gap.rows;
  }
  std::map<Key, std::int64_t> present;
  for (const Measurement& row : rows) ++present[{row.device, row.operation, row.precision}];
  EXPECT_EQ(counted, present);
  EXPECT_THAT(present, SizeIs(8));
}

// Groups do not depend on the order of the rows, nor on what else the table holds.
TEST(Validation, DoesNotDependOnTheOrderOfRows) {
  std::vector<Measurement> rows;
  for (std::int64_t i = 1; i <= 40; ++i) {
    rows.push_back(slower_than_law({1, 32 * i, 512, 512}, 0.9 + 0.01 * double(i % 7)));
  }
  const Validation before = validated(rows, law_set({half_of_the_peak()}));
  std::ranges::reverse(rows);
  const Validation after = validated(rows, law_set({half_of_the_peak()}));
  ASSERT_EQ(before.groups.size(), after.groups.size());
  for (std::size_t i = 0; i < before.groups.size(); ++i) {
    EXPECT_EQ(before.groups[i].metrics.count, after.groups[i].metrics.count);
    EXPECT_NEAR(before.groups[i].metrics.mape, after.groups[i].metrics.mape, 1e-14);
  }
}

// An alias in the table is the same device.
TEST(Validation, KnowsDevicesByTheirAliases) {
  std::vector<Measurement> rows = {slower_than_law(square, 1.0), slower_than_law(square, 1.0)};
  rows[1].device = "NVIDIA H200-141GB-SXM";
  const Validation validation = validated(rows, law_set({half_of_the_peak()}));
  ASSERT_THAT(validation.subjects, SizeIs(1));
  EXPECT_EQ(validation.subjects[0].measurements, 2);
}

TEST(Validation, RefusesADeviceThatNobodyKnows) {
  Measurement row = slower_than_law(square, 1.0);
  row.device = "h2000";
  const std::vector rows = {row};
  const auto validation = validate_laws(rows, law_set({half_of_the_peak()}), shipped_devices());
  ASSERT_FALSE(validation.has_value());
  EXPECT_EQ(validation.error().kind, ErrorKind::not_found);
  EXPECT_THAT(describe(validation.error()), HasSubstr("test:table.csv"));
}

TEST(Validation, OfNothingIsEmpty) {
  const Validation validation = validated({}, law_set({half_of_the_peak()}));
  EXPECT_EQ(validation.measurements, 0);
  EXPECT_THAT(validation.groups, IsEmpty());
  EXPECT_THAT(validation.gaps, IsEmpty());
}

}  // namespace
}  // namespace joulecast

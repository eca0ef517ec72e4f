// SPDX-License-Identifier: Apache-2.0
#include "fitting/power_fit.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

namespace joulecast {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const DeviceFacts facts{.peak_flops_per_second = 1e15,
                        .bandwidth_bytes_per_second = 4e12,
                        .multiprocessors = 100.0,
                        .l2_bytes = 5e7,
                        .power_limit_watts = 700.0,
                        .architecture = "Hopper"};

const PowerLaw truth{.power_limit_watts = 700.0,
                     .idle_watts = 120.0,
                     .active_watts = 40.0,
                     .occupancy_watts = 90.0,
                     .joules_per_flop = 6e-13,
                     .joules_per_byte = 6e-11,
                     .limit_fraction = 0.98,
                     .sharpness = 12.0};

const PowerFitOptions options{.idle_watts = 120.0};

class Random {
 public:
  // Uniform in [0, 1).
  double next() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<double>(state_ >> 11U) / 9007199254740992.0;
  }

 private:
  std::uint64_t state_ = 7;
};

// Products of many sizes that run at a share of the roofline, and draw what the law says.
std::vector<PowerSample> samples_of(const PowerLaw& law, int count, double slowest,
                                    double fastest) {
  Random random;
  std::vector<PowerSample> samples;
  for (int i = 0; i < count; ++i) {
    const auto size = [&](double lowest, double highest) {
      return static_cast<std::int64_t>(lowest * std::pow(highest / lowest, random.next()));
    };
    const MatmulShape shape{
        .batch = 1, .m = size(16, 8192), .n = size(256, 8192), .k = size(256, 8192)};
    const auto m = static_cast<double>(shape.m);
    const auto n = static_cast<double>(shape.n);
    const auto k = static_cast<double>(shape.k);
    PowerSample sample{.operation = "linear",
                       .shape = shape,
                       .precision = MeasuredPrecision::bf16,
                       .flops = 2.0 * m * n * k,
                       .bytes = 2.0 * (m * k + k * n + m * n),
                       .limit_watts = law.power_limit_watts};
    const double roofline = std::max(sample.flops / facts.peak_flops_per_second,
                                     sample.bytes / facts.bandwidth_bytes_per_second);
    sample.seconds = roofline / (slowest + (fastest - slowest) * random.next());
    const LawQuestion question{sample.operation, sample.shape, sample.precision,
                               sample.flops,     sample.bytes, facts};
    sample.watts = evaluate_power(law, power_question(question, sample.seconds));
    samples.push_back(sample);
  }
  return samples;
}

TEST(PowerFit, RecoversTheLawThatMadeTheRows) {
  const auto fit = fit_power(facts, samples_of(truth, 1500, 0.1, 0.95), options);
  ASSERT_TRUE(fit.has_value());
  EXPECT_TRUE(fit->converged);
  EXPECT_EQ(fit->law.power_limit_watts, 700.0);
  EXPECT_EQ(fit->law.idle_watts, 120.0);
  EXPECT_NEAR(fit->law.active_watts, 40.0, 0.04);
  EXPECT_NEAR(fit->law.occupancy_watts, 90.0, 0.09);
  EXPECT_NEAR(fit->law.joules_per_flop, 6e-13, 6e-16);
  EXPECT_NEAR(fit->law.joules_per_byte, 6e-11, 6e-14);
  EXPECT_NEAR(fit->law.limit_fraction, 0.98, 1e-4);
  EXPECT_NEAR(fit->law.sharpness, 12.0, 0.1);
  EXPECT_THAT(fit->not_identified, testing::ElementsAre("idle_watts"));
  EXPECT_LT(fit->errors.mean_absolute_percentage_error, 1e-4);
  EXPECT_EQ(fit->errors.rows, 1500);
}

// Labels off by 3 % and one in ten by half: the law stays, its intervals contain it, and 90 % of
// the rows lie between the factors.
TEST(PowerFit, WithstandsNoiseAndBadLabels) {
  auto samples = samples_of(truth, 2000, 0.1, 0.95);
  Random random;
  for (PowerSample& sample : samples) {
    sample.watts *= 1.0 + 0.06 * (random.next() - 0.5);
    if (random.next() < 0.1) sample.watts *= 0.5;
  }
  const auto fit = fit_power(facts, samples, options).value();
  EXPECT_NEAR(fit.law.joules_per_flop, 6e-13, 6e-14);
  EXPECT_NEAR(fit.law.joules_per_byte, 6e-11, 6e-12);
  EXPECT_NEAR(fit.law.limit_fraction, 0.98, 0.01);
  for (const auto& [name, interval] : fit.intervals) {
    EXPECT_LT(interval.lower, interval.upper) << name;
    if (name == "joules_per_flop") {
      EXPECT_LT(interval.lower, fit.law.joules_per_flop);
      EXPECT_GT(interval.upper, fit.law.joules_per_flop);
    }
  }
  ASSERT_EQ(fit.residuals.size(), samples.size());
  const auto inside = std::ranges::count_if(samples, [&](const PowerSample& sample) {
    const double residual = fit.residuals[static_cast<std::size_t>(&sample - samples.data())];
    const double predicted = sample.watts / std::exp(residual);
    const bool below = predicted < at_limit_share * sample.limit_watts;
    const IntervalFactors& factors = below ? fit.below_limit : fit.at_limit;
    return std::exp(residual) >= factors.lower && std::exp(residual) <= factors.upper;
  });
  EXPECT_NEAR(static_cast<double>(inside) / 2000.0, 0.9, 0.02);
}

// Rows that all demand over twice the limit say what the limit is and nothing of the work.
TEST(PowerFit, NamesWhatRowsAtTheLimitDoNotFix) {
  PowerLaw hungry = truth;
  hungry.active_watts = 1500.0;
  const auto fit = fit_power(facts, samples_of(hungry, 400, 0.7, 0.95), options).value();
  for (const char* name :
       {"idle_watts", "active_watts", "occupancy_watts", "joules_per_flop", "joules_per_byte"}) {
    EXPECT_THAT(fit.not_identified, Contains(name));
  }
  EXPECT_THAT(fit.not_identified, Not(Contains("limit_fraction")));
  EXPECT_NEAR(fit.law.limit_fraction, 0.98, 1e-3);
}

// Without a row near the limit nothing is known of it.
TEST(PowerFit, NamesTheLimitWhereNoRowReachesIt) {
  PowerLaw light = truth;
  light.joules_per_flop = 2e-13;
  light.joules_per_byte = 2e-11;
  light.sharpness = 40.0;
  const auto fit = fit_power(facts, samples_of(light, 800, 0.1, 0.6), options).value();
  EXPECT_THAT(fit.not_identified, Contains("limit_fraction"));
  EXPECT_THAT(fit.not_identified, Contains("sharpness"));
  EXPECT_NEAR(fit.law.joules_per_byte, 2e-11, 1e-12);
}

TEST(PowerFit, IsTheSameForTheSameRowsInAnyOrder) {
  auto samples = samples_of(truth, 300, 0.1, 0.95);
  const auto first = fit_power(facts, samples, options).value();
  std::ranges::reverse(samples);
  auto second = fit_power(facts, samples, options).value();
  EXPECT_EQ(first.law, second.law);
  EXPECT_EQ(first.at_limit, second.at_limit);
  std::ranges::reverse(second.residuals);
  EXPECT_EQ(first.residuals, second.residuals);
}

// A shape is never on both sides of a fold. 300 rows of one shape with half the power would rule
// the law that sees some of them; each is judged by the law of the 40 other rows alone.
TEST(PowerFit, HoldsOutWholeShapes) {
  auto samples = samples_of(truth, 40, 0.1, 0.9);
  PowerSample odd = samples_of(truth, 41, 0.1, 0.9).back();
  odd.watts *= 0.5;
  samples.insert(samples.end(), 300, odd);
  const auto fit = fit_power(facts, samples, options).value();
  for (std::size_t i = 40; i < samples.size(); ++i) {
    EXPECT_NEAR(fit.residuals[i], std::log(0.5), 0.02);
  }
}

TEST(PowerFit, OneRowGivesALawThatFixesNothing) {
  const auto fit = fit_power(facts, samples_of(truth, 1, 0.3, 0.3), options).value();
  EXPECT_TRUE(std::isfinite(fit.law.joules_per_flop));
  for (const auto& parameter : fit.intervals) {
    if (parameter.name == "limit_fraction") continue;
    EXPECT_THAT(fit.not_identified, Contains(parameter.name));
  }
}

TEST(PowerFit, RefusesRowsThatAreNone) {
  const auto refused = fit_power(facts, {}, options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::value);
  EXPECT_THAT(refused.error().message, HasSubstr("no rows"));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (double PowerSample::* field :
       {&PowerSample::seconds, &PowerSample::watts, &PowerSample::limit_watts}) {
    for (const double value : {0.0, -1.0, nan, infinity}) {
      auto samples = samples_of(truth, 30, 0.1, 0.95);
      samples[17].*field = value;
      const auto fit = fit_power(facts, samples, options);
      ASSERT_FALSE(fit.has_value()) << value;
      EXPECT_EQ(fit.error().kind, ErrorKind::value);
      EXPECT_FALSE(fit.error().remedy.empty());
    }
  }
}

TEST(PowerFit, RefusesIdlePowerThatIsNone) {
  const auto samples = samples_of(truth, 30, 0.1, 0.95);
  for (const double idle : {0.0, -5.0, 700.0, std::numeric_limits<double>::quiet_NaN()}) {
    const auto fit = fit_power(facts, samples, {.idle_watts = idle});
    ASSERT_FALSE(fit.has_value()) << idle;
    EXPECT_THAT(fit.error().message, HasSubstr("idle"));
  }
}

// The second lowest of 1000 labels, the lowest of fewer.
TEST(WaitingPower, IsTheLowestLabelButForAFewMisreadings) {
  std::vector<double> watts;
  for (int i = 0; i < 1000; ++i) watts.push_back(1100.0 - i);
  EXPECT_EQ(waiting_power(watts), 102.0);
  watts.resize(5);
  EXPECT_EQ(waiting_power(watts), 1096.0);
}

}  // namespace
}  // namespace joulecast

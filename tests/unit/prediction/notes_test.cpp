// SPDX-License-Identifier: Apache-2.0
// What a prediction says about its own doubts.
#include "prediction/notes.hpp"
#include "synthetic_world.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<Warning> warnings_of(const PredictionRequest& request) {
  return predict(request).value().warnings;
}

// Laws for both operations of the dense model, 200000 and 10100 FLOPs, within 1 to 1e6.
PredictionRequest covered_request() {
  PredictionRequest request = dense_request();
  request.laws = round_laws({with_power(flat_law("dense", Precision::fp32)),
                             with_power(flat_law("sgd_update", Precision::fp32))});
  return request;
}

TEST(PredictionWarnings, AreNoneWhereEverythingIsKnown) {
  EXPECT_THAT(warnings_of(covered_request()), IsEmpty());
}

TEST(PredictionWarnings, OfThePrior) {
  const auto warnings = warnings_of(dense_request());
  EXPECT_THAT(codes_of(warnings), ElementsAre("prior_not_measured"));
  EXPECT_EQ(warnings[0].subject, "round");
  EXPECT_THAT(warnings[0].message, HasSubstr("prior, not measured"));
}

TEST(PredictionWarnings, OfOperationsThatTheLawsDoNotCover) {
  PredictionRequest request = dense_request();
  request.laws = round_laws({flat_law("sgd_update", Precision::fp32)});
  const auto warnings = warnings_of(request);
  EXPECT_THAT(codes_of(warnings), ElementsAre("power_not_measured", "no_law_for_operation"));
  EXPECT_EQ(warnings[1].subject, "dense");
}

// A law of another device or precision is no law for this one.
TEST(PredictionWarnings, ALawForSomethingElseIsNoLaw) {
  PredictionRequest request = dense_request();
  Law other = flat_law("dense", Precision::fp32);
  other.device = "square";
  request.laws = round_laws({other, flat_law("dense", Precision::bf16)});
  EXPECT_THAT(codes_of(warnings_of(request)), ElementsAre("prior_not_measured", "laws_not_used"));
}

TEST(FittedRangeDistance, IsTheLogarithmBeyondTheNearerEnd) {
  Law law = flat_law("dense", Precision::fp32);
  law.fitted_range = FlopsRange{Flops{1e6}, Flops{1e9}};
  EXPECT_EQ(distance_from_fit(law, Flops{1e6}), 0.0);
  EXPECT_EQ(distance_from_fit(law, Flops{1e9}), 0.0);
  EXPECT_NEAR(*distance_from_fit(law, Flops{2e9}), std::log(2.0), 1e-15);
  EXPECT_NEAR(*distance_from_fit(law, Flops{1e5}), std::log(10.0), 1e-15);
  law.fitted_range.reset();
  EXPECT_FALSE(distance_from_fit(law, Flops{1e6}));
}

// Fitted on exactly 200000 FLOPs is enough; on one more or one less it is not.
TEST(PredictionWarnings, OfSizesOutsideTheFittedRange) {
  for (const auto& [lowest, highest, outside] :
       {std::tuple{2e5, 2e5, false}, std::tuple{1.0, 199'999.0, true},
        std::tuple{200'001.0, 1e9, true}}) {
    PredictionRequest request = covered_request();
    Law law = flat_law("dense", Precision::fp32);
    law.fitted_range = FlopsRange{Flops{lowest}, Flops{highest}};
    request.laws = round_laws({law, flat_law("sgd_update", Precision::fp32)});
    const auto warnings = warnings_of(request);
    const Warning* warning = find_warning(warnings, WarningCode::law_extrapolated);
    EXPECT_EQ(warning != nullptr, outside) << lowest;
    if (warning == nullptr) continue;
    EXPECT_EQ(warning->subject, "dense");
    EXPECT_THAT(warning->message, HasSubstr("round/fp32/dense"));
  }
}

TEST(PredictionWarnings, OfSeveralDevices) {
  PredictionRequest request = covered_request();
  request.setup.num_gpus = 8;
  const auto warnings = warnings_of(request);
  EXPECT_THAT(codes_of(warnings), ElementsAre("communication_not_modelled"));
  EXPECT_EQ(warnings[0].subject, "8 GPUs");
  EXPECT_THAT(warnings[0].message, HasSubstr("communication not modelled"));
}

TEST(PredictionWarnings, OfASiteThatIsNotStated) {
  PredictionRequest request = covered_request();
  request.plan.steps = 1;
  EXPECT_THAT(codes_of(warnings_of(request)), ElementsAre("host_power_not_stated", "pue_not_stated",
                                                          "region_not_stated", "price_not_stated"));
  request.site.host_power = Watts{0.0};
  EXPECT_THAT(codes_of(warnings_of(request)),
              ElementsAre("pue_not_stated", "region_not_stated", "price_not_stated"));
  request.site.power_usage_effectiveness = 1.0;
  EXPECT_THAT(codes_of(warnings_of(request)), ElementsAre("region_not_stated", "price_not_stated"));
  request.site.region = Region{.id = "TST"};
  EXPECT_THAT(codes_of(warnings_of(request)), ElementsAre("price_not_stated"));
  request.site.price_per_gpu_hour = 0.0;
  EXPECT_THAT(warnings_of(request), IsEmpty());
  request.site.price_per_gpu_hour.reset();
  request.site.price_per_kilowatt_hour = 0.0;
  EXPECT_THAT(warnings_of(request), IsEmpty());
}

// The shipped grid figures are of this decade.
TEST(PredictionWarnings, OfAnOldGridFigure) {
  PredictionRequest request = covered_request();
  request.plan.steps = 1;
  request.site.region = Region{.id = "TST", .name = "Testland", .year = 1990};
  const auto warnings = warnings_of(request);
  const Warning* warning = find_warning(warnings, WarningCode::out_of_date);
  ASSERT_NE(warning, nullptr);
  EXPECT_EQ(warning->subject, "Testland");
}

TEST(PredictionWarnings, OfUnsourcedFiguresThatCount) {
  PredictionRequest request = covered_request();
  request.device.peak_flops_per_second[Precision::fp32].unverified = true;
  request.device.peak_flops_per_second[Precision::fp8].unverified = true;  // not in use
  request.device.memory_bandwidth->unverified = true;
  request.device.thermal_design_power->unverified = true;
  std::vector<std::string> subjects;
  for (const Warning& warning : warnings_of(request)) {
    EXPECT_EQ(warning.code, WarningCode::unsourced_figure);
    subjects.push_back(warning.subject);
  }
  EXPECT_THAT(subjects, ElementsAre("peak_flops_per_second.fp32", "memory_bandwidth",
                                    "thermal_design_power"));
}

// Training in TF32 runs its elementwise operations at the FP32 rate.
TEST(PredictionWarnings, OfAnUnsourcedPeakBesideTheTrainingPrecision) {
  PredictionRequest request = dense_request();
  request.setup.precision = Precision::tf32;
  request.device.peak_flops_per_second[Precision::fp32].unverified = true;
  const auto warnings = warnings_of(request);
  const Warning* warning = find_warning(warnings, WarningCode::unsourced_figure);
  ASSERT_NE(warning, nullptr);
  EXPECT_EQ(warning->subject, "peak_flops_per_second.fp32");
}

TEST(PredictionWarnings, KeepThoseOfTheModel) {
  PredictionRequest request = covered_request();
  const Warning defaulted{WarningCode::input_defaulted, "n_inner", "taken as 4 n_embd"};
  request.model.warnings = {defaulted};
  EXPECT_THAT(warnings_of(request), ElementsAre(defaulted));
}

std::string value_of(const Prediction& prediction, std::string_view name) {
  for (const Assumption& assumption : prediction.assumptions) {
    if (assumption.name == name) return assumption.value + " | " + assumption.origin;
  }
  return "not stated";
}

TEST(PredictionAssumptions, NameEveryFigureInUse) {
  PredictionRequest request = dense_request();
  request.setup.num_gpus = 4;
  request.plan = {.steps = 2, .evaluation_fraction = 0.1};
  request.site.host_power = Watts{120.0};
  request.site.power_usage_effectiveness = 1.25;
  request.site.region = Region{.id = "FRA",
                               .name = "France",
                               .carbon_intensity = KilogramsPerJoule{0.05 / 3.6e6},
                               .year = 2024,
                               .source = "a table"};
  const Prediction prediction = predict(request).value();
  EXPECT_EQ(value_of(prediction, "peak rate"), "1e+08 FLOP/s (sheet) | own.toml");
  EXPECT_EQ(value_of(prediction, "memory bandwidth"), "1e+08 B/s (sheet) | own.toml");
  EXPECT_EQ(value_of(prediction, "power limit"), "100 W (sheet) | own.toml");
  EXPECT_EQ(value_of(prediction, "law prior"), "made up | shipped");
  EXPECT_EQ(value_of(prediction, "power"), "made up as well | shipped");
  EXPECT_THAT(value_of(prediction, "data parallelism"), HasSubstr("4 GPUs, ideal"));
  EXPECT_THAT(value_of(prediction, "evaluation"), HasSubstr("0.1 of the training time"));
  EXPECT_THAT(value_of(prediction, "evaluation"), HasSubstr("| stated"));
  EXPECT_THAT(value_of(prediction, "checkpoints"), HasSubstr("| default"));
  EXPECT_EQ(value_of(prediction, "host power"), "120 W per GPU | stated");
  EXPECT_EQ(value_of(prediction, "PUE"), "1.25 | stated");
  // 0.05 kg/kWh are 50 g/kWh.
  EXPECT_EQ(value_of(prediction, "region"), "France (FRA) | stated");
  EXPECT_EQ(value_of(prediction, "carbon intensity"), "50 g/kWh, France (2024) | a table");
  EXPECT_EQ(value_of(prediction, "currency"), "not stated");
}

TEST(PredictionAssumptions, NamePricesAndWhoStatedThem) {
  PredictionRequest request = dense_request();
  request.plan = {.steps = 2};
  request.site.power_usage_effectiveness = 1.25;
  request.site.price_per_kilowatt_hour = 0.25;
  request.site.price_per_gpu_hour = 2.1;
  request.site.currency = "EUR";
  request.site.origins = {{"price-per-kwh", "--price-per-kwh"},
                          {"price-per-gpu-hour", "config.toml"},
                          {"currency", "config.toml"},
                          {"pue", "config.toml"}};
  const Prediction prediction = predict(request).value();
  EXPECT_EQ(value_of(prediction, "PUE"), "1.25 | config.toml");
  EXPECT_EQ(value_of(prediction, "price of electricity"), "0.25 EUR per kWh | --price-per-kwh");
  EXPECT_EQ(value_of(prediction, "price of a GPU hour"),
            "2.1 EUR per hour of one GPU | config.toml");
  EXPECT_EQ(value_of(prediction, "currency"), "EUR | config.toml");
}

TEST(PredictionAssumptions, SayWhereTheCurrencyIsNotStated) {
  PredictionRequest request = dense_request();
  request.plan = {.steps = 2};
  request.site.price_per_kilowatt_hour = 0.25;
  const Prediction prediction = predict(request).value();
  EXPECT_EQ(value_of(prediction, "price of electricity"), "0.25 per kWh | stated");
  EXPECT_EQ(value_of(prediction, "currency"), "that of the prices, which is not stated | default");
}

// TPUs and Gaudi state matrix rates alone.
TEST(PredictionAssumptions, SayWhyOperationsHaveNoHef) {
  PredictionRequest request = dense_request();
  request.setup.precision = Precision::bf16;
  EXPECT_EQ(value_of(predict(request).value(), "fp32 rate"), "not stated");
  request.device.peak_flops_per_second.erase(Precision::fp32);
  const Prediction prediction = predict(request).value();
  EXPECT_FALSE(prediction.operations.back().duration.hef.has_value());
  EXPECT_THAT(value_of(prediction, "fp32 rate"), HasSubstr("have no HEF"));
}

TEST(PredictionAssumptions, OfASingleStepHaveNoRun) {
  const Prediction prediction = predict(dense_request()).value();
  for (const auto* name : {"data parallelism", "evaluation", "checkpoints", "padding", "PUE"}) {
    EXPECT_EQ(value_of(prediction, name), "not stated") << name;
  }
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "../prediction/synthetic_world.hpp"

#include <joulecast/report.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace joulecast {
namespace {

using Json = nlohmann::json;

Json json_of(const Report& report) { return Json::parse(render(report, Format::json)); }

std::vector<std::string> ids_of(const Json& laws) {
  std::vector<std::string> ids;
  for (const Json& law : laws) ids.push_back(law.at("id"));
  return ids;
}

// With one law of its own for "dense", whose power is measured; everything else by the prior.
PredictionRequest request_with_a_law() {
  PredictionRequest request = dense_request();
  request.model.sha256 = "of the model";
  request.device.sha256 = "of the device";
  Law law = with_power(flat_law("dense", Precision::fp32));
  law.sha256 = "of the law";
  Law prior = round_prior();
  prior.sha256 = "of the prior";
  PowerPrior power = round_power();
  power.id = "prior/power";
  power.sha256 = "of the prior";
  request.laws = LawSet({law}, prior, power);
  return request;
}

TEST(LawsUsed, NameThePriorThatSetTheWatts) {
  const Prediction prediction = predict(request_with_a_law()).value();
  const Json laws = json_of(report_prediction(prediction)).at("laws");
  EXPECT_EQ(ids_of(laws), (std::vector<std::string>{"round/fp32/dense", "prior", "prior/power"}));
  EXPECT_EQ(laws[0].at("predicts"), "duration and power");
  EXPECT_EQ(laws[2].at("predicts"), "power");
  for (const Json& law : laws) EXPECT_FALSE(law.at("sha256").get<std::string>().empty());
}

TEST(LawsUsed, StandOnceBesideAComparison) {
  const Prediction prediction = predict(request_with_a_law()).value();
  const Json report = json_of(report_comparison({prediction, prediction}));
  EXPECT_EQ(ids_of(report.at("laws")),
            (std::vector<std::string>{"round/fp32/dense", "prior", "prior/power"}));
}

TEST(LawsUsed, AreThoseOfTheNumberInAnExplanation) {
  const Prediction prediction = predict(request_with_a_law()).value();
  const auto explained = [&](std::string_view subject, Phase phase) {
    return json_of(report_explanation(explain(prediction, subject, phase).value(), prediction));
  };
  const Json dense = explained("dense", Phase::forward);
  EXPECT_EQ(ids_of(dense.at("laws")), std::vector<std::string>{"round/fp32/dense"});
  EXPECT_EQ(dense.at("model").at("sha256"), "of the model");
  EXPECT_EQ(dense.at("device").at("id"), "round");
  EXPECT_EQ(dense.at("device").at("sha256"), "of the device");
  EXPECT_EQ(ids_of(explained("sgd_update", Phase::optimizer_step).at("laws")),
            (std::vector<std::string>{"prior", "prior/power"}));
  EXPECT_EQ(explained("step", Phase::forward).at("laws").size(), 3U);
}

}  // namespace
}  // namespace joulecast

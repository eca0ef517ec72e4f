// SPDX-License-Identifier: Apache-2.0
#include "../prediction/synthetic_world.hpp"

#include <joulecast/report.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace joulecast {
namespace {

using testing::HasSubstr;

Prediction predict_run_of(std::string file, std::int64_t batch_size) {
  PredictionRequest request = dense_request();
  request.model.file = std::move(file);
  request.setup.batch_size = batch_size;
  request.plan = {.steps = 1000};
  request.site.power_usage_effectiveness = 1.25;
  request.site.price_per_kilowatt_hour = 0.25;
  request.site.currency = "EUR";
  return predict(request).value();
}

nlohmann::json compare(const std::vector<Prediction>& predictions) {
  return nlohmann::json::parse(render(report_comparison(predictions), Format::json));
}

TEST(Comparison, GivesIntervalsAndCurrency) {
  const Prediction prediction = predict_run_of("a.toml", 4);
  const auto row = compare({prediction, prediction}).at("predictions").at(0);
  const auto& step = prediction.step;
  EXPECT_EQ(row.at("step_duration_lower_seconds"), step.duration_interval->lower.value());
  EXPECT_EQ(row.at("step_energy_upper_joules"), step.energy_interval->upper.value());
  EXPECT_EQ(row.at("run_facility_energy_upper_joules"),
            prediction.run->facility_energy_interval->upper.value());
  EXPECT_EQ(row.at("run_total_cost_lower"), prediction.run->cost_interval->lower);
  EXPECT_EQ(row.at("currency"), "EUR");
  const std::string csv = render(report_comparison({prediction, prediction}), Format::csv);
  EXPECT_THAT(csv, HasSubstr(",currency,"));
  EXPECT_THAT(csv, HasSubstr(",EUR,"));
  const std::string text = render(report_comparison({prediction, prediction}), Format::text);
  EXPECT_THAT(text, HasSubstr("its 90 % interval"));
  EXPECT_THAT(text, HasSubstr("cost in EUR"));
}

TEST(Comparison, ListsEachAssumptionOnceWithThoseThatMakeIt) {
  const auto report = compare({predict_run_of("a.toml", 4), predict_run_of("b.toml", 8)});
  std::vector<std::string> shown;
  for (const auto& entry : report.at("assumptions")) {
    const std::string name = entry.at("name");
    if (name == "PUE" || name == "batch size" || name == "price of electricity") {
      shown.push_back(name + ", " + std::string(entry.at("predictions")));
    }
  }
  EXPECT_THAT(shown, testing::UnorderedElementsAre("PUE, all", "price of electricity, all",
                                                   "batch size, dense model (a.toml)",
                                                   "batch size, dense model (b.toml)"));
  const std::vector<Prediction> two = {predict_run_of("a.toml", 4), predict_run_of("a.toml", 4)};
  for (const Format format : {Format::text, Format::markdown}) {
    const std::string text = render(report_comparison(two), format);
    EXPECT_THAT(text, HasSubstr("Assumptions"));
    EXPECT_THAT(text, HasSubstr("0.25 EUR per kWh"));
  }
}

TEST(Comparison, NamesTheDeviceWhereAllItsPredictionsShareAnAssumption) {
  const Prediction a = predict_run_of("a.toml", 4);
  const Prediction b = predict_run_of("b.toml", 8);
  std::vector<Prediction> four = {a, a, b, b};
  for (const std::size_t place : {1U, 3U}) {
    four[place].device.id = "square";
    for (Assumption& assumption : four[place].assumptions) {
      if (assumption.name == "power limit") assumption.value = "200 W";
    }
  }
  std::vector<std::string> of;
  const auto report = compare(four);
  for (const auto& entry : report.at("assumptions")) {
    if (entry.at("name") == "power limit") of.push_back(entry.at("predictions"));
  }
  EXPECT_EQ(of, (std::vector<std::string>{"round", "square"}));
}

TEST(Comparison, TellsModelsOfOneNameApart) {
  const auto labels = [](const std::vector<Prediction>& predictions) {
    std::vector<std::string> names;
    const auto report = compare(predictions);
    for (const auto& row : report.at("predictions")) names.push_back(row.at("prediction"));
    return names;
  };
  const Prediction a = predict_run_of("a.toml", 4);
  const Prediction b = predict_run_of("b.toml", 4);
  EXPECT_EQ(labels({a, b}),
            (std::vector<std::string>{"dense model (a.toml)", "dense model (b.toml)"}));
  EXPECT_EQ(labels({a, a}), (std::vector<std::string>{"dense model", "dense model [2]"}));
  Prediction elsewhere = a;
  elsewhere.device.id = "square";
  EXPECT_EQ(labels({a, elsewhere}),
            (std::vector<std::string>{"dense model on round", "dense model on square"}));
}

}  // namespace
}  // namespace joulecast

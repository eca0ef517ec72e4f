// SPDX-License-Identifier: Apache-2.0
#include "validated.hpp"

#include "documents/value.hpp"

#include <joulecast/report.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joulecast {

Report report_validation(const Validation& validation);

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Validation some_validation() {
  std::vector<Measurement> rows = {slower_than_law({1, 2048, 2048, 2048}, 1.25),
                                   slower_than_law({1, 64, 2048, 2048}, 0.8),
                                   with_mark(slower_than_law({1, 32, 64, 64}, 4.0), Mark::warm_up)};
  Measurement unknown = rows[0];
  unknown.operation = "batched_matmul";
  rows.push_back(unknown);
  return validated(rows, law_set({half_of_the_peak()}));
}

std::vector<std::string> keys(const Value& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : std::get<Object>(object.data)) names.push_back(key);
  return names;
}

const Value& at(const Value& object, std::string_view key) {
  for (const auto& [name, value] : std::get<Object>(object.data)) {
    if (name == key) return value;
  }
  throw std::out_of_range(std::string(key));
}

TEST(ValidationReport, HasTheKeysOfGroupsInJson) {
  const std::string text = render(report_validation(some_validation()), Format::json);
  const auto json = parse_json(text, "report");
  ASSERT_TRUE(json.has_value()) << describe(json.error());
  EXPECT_THAT(keys(*json), ElementsAre("schema_version", "kind", "tool", "validation", "groups",
                                       "laws", "not_compared"));
  const auto& groups = std::get<Array>(at(*json, "groups").data);
  ASSERT_FALSE(groups.empty());
  for (const Value& group : groups) {
    EXPECT_THAT(keys(group), ElementsAre("set", "device", "precision", "operation", "regime",
                                         "quantity", "count", "mape", "median_ape", "p90_ape",
                                         "bias", "r2", "r2_log", "coverage_90"));
  }
  // e = 1/1.25 - 1, 1/0.8 - 1 and 1/4 - 1: fractions, never percent.
  const Value& first = groups.front();
  EXPECT_EQ(std::get<std::string>(at(first, "set").data), "out_of_sample");
  EXPECT_EQ(std::get<std::string>(at(first, "regime").data), "all");
  EXPECT_EQ(std::get<std::int64_t>(at(first, "count").data), 3);
  EXPECT_NEAR(std::get<double>(at(first, "mape").data), (0.2 + 0.25 + 0.75) / 3.0, 1e-12);
  // One row does not vary.
  for (const Value& group : groups) {
    if (std::get<std::int64_t>(at(group, "count").data) > 1) continue;
    EXPECT_TRUE(std::holds_alternative<std::nullptr_t>(at(group, "r2").data));
  }
  const auto& gaps = std::get<Array>(at(*json, "not_compared").data);
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(std::get<std::string>(at(gaps[0], "reason").data), "no_law");
  EXPECT_EQ(std::get<std::int64_t>(at(gaps[0], "rows").data), 1);
}

TEST(ValidationReport, IsOneTableInCsv) {
  const std::string text = render(report_validation(some_validation()), Format::csv);
  EXPECT_THAT(text, StartsWith("set,device,precision,operation,regime,quantity,count,mape,"
                               "median_ape,p90_ape,bias,r2,r2_log,coverage_90\n"
                               "out_of_sample,h200-141gb-sxm,bf16,linear,all,duration,3,"));
}

// Three rows, one of them marked: `all` is shown both ways, `training` holds no marked row and
// once.
TEST(ValidationReport, ShowsPeopleEachFigureOnce) {
  const std::string text = render(report_validation(some_validation()), Format::text);
  EXPECT_THAT(text, HasSubstr("linear, bf16, h200-141gb-sxm\n"));
  EXPECT_THAT(text, HasSubstr("out_of_sample_unmarked  all "));
  EXPECT_THAT(text, HasSubstr("out_of_sample           training "));
  EXPECT_THAT(text, Not(HasSubstr("out_of_sample_unmarked  training ")));
  EXPECT_THAT(text, HasSubstr("no law for it"));
  EXPECT_THAT(text, HasSubstr("h200-141gb-sxm/bf16/linear"));
  const std::string markdown = render(report_validation(some_validation()), Format::markdown);
  EXPECT_THAT(markdown, HasSubstr("## linear, bf16, h200-141gb-sxm"));
}

TEST(ValidationReport, NeverSaysNanOrInfinity) {
  const Validation validation =
      validated({slower_than_law({1, 8, 8, 8}, 1e-9), slower_than_law({1, 8, 8, 8}, 1e9),
                 measured_matmul({1, 8, 8, 8}, 1e-300), measured_matmul({1, 8, 8, 8}, 1e300)},
                law_set({half_of_the_peak()}));
  for (const Format format : {Format::text, Format::markdown, Format::csv, Format::json}) {
    const std::string text = render(report_validation(validation), format);
    for (const char* bad : {"nan", "not a number", "infinit", ",inf", "-inf"}) {
      EXPECT_THAT(text, Not(HasSubstr(bad)));
    }
  }
}

}  // namespace
}  // namespace joulecast

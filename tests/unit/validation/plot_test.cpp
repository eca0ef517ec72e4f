// SPDX-License-Identifier: Apache-2.0
#include "validated.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>
#include <sstream>

namespace joulecast {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<Measurement> some_rows(std::int64_t count, double factor = 1.2) {
  std::vector<Measurement> rows;
  for (std::int64_t i = 1; i <= count; ++i) {
    rows.push_back(slower_than_law({1, 16 * i, 512, 512}, factor));
  }
  return rows;
}

// The content of the group of points with this class.
std::string points_of(const std::string& svg, const std::string& name) {
  const std::size_t start = svg.find("<g class=\"" + name + "\"");
  if (start == std::string::npos) return {};
  return svg.substr(start, svg.find("</g>", start) - start);
}

std::int64_t count(const std::string& text, const std::string& part) {
  std::int64_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

// Tags that close what was opened, attributes in quotes, no bare & or <: well-formed as far as this
// picture goes. Returns what is wrong.
std::string find_xml_fault(const std::string& xml) {
  static const std::regex tag(
      R"re(<(\?xml( [a-z]+="[^"<>]*")+\?|/[a-z]+|[a-z]+( [a-zA-Z:-]+="[^"<>]*")*/?)>)re");
  static const std::regex entity("&(?!(amp|lt|gt|quot);)");
  if (std::regex_search(xml, entity)) return "a bare &";
  std::vector<std::string> open;
  std::size_t place = 0;
  while (place < xml.size()) {
    const std::size_t start = xml.find('<', place);
    if (start == std::string::npos) break;
    const std::size_t end = xml.find('>', start);
    if (end == std::string::npos) return "a tag without an end";
    const std::string text = xml.substr(start, end - start + 1);
    if (!std::regex_match(text, tag)) return text;
    const std::string name = text.substr(1, text.find_first_of(" />", 2) - 1);
    if (text[1] == '/') {
      if (open.empty() || "/" + open.back() != text.substr(1, text.size() - 2)) return text;
      open.pop_back();
    } else if (!text.ends_with("/>") && text[1] != '?') {
      open.push_back(name);
    }
    place = end + 1;
  }
  return open.empty() ? "" : "open: " + open.back();
}

// All numbers in attributes of this name.
std::vector<double> numbers(const std::string& svg, const std::string& attribute) {
  std::vector<double> values;
  const std::string key = " " + attribute + "=\"";
  for (std::size_t at = svg.find(key); at != std::string::npos; at = svg.find(key, at + 1)) {
    double value = 0.0;
    const char* begin = svg.data() + at + key.size();
    std::from_chars(begin, svg.data() + svg.size(), value);
    values.push_back(value);
  }
  return values;
}

TEST(Plot, HasOnePointPerRowAndPanel) {
  const auto rows = some_rows(25);
  const std::string svg = plot_validation(validated(rows, law_set({half_of_the_peak()})));
  EXPECT_EQ(find_xml_fault(svg), "");
  for (const char* name : {"measured", "law", "times"}) {
    EXPECT_EQ(count(points_of(svg, name), "<circle "), 25) << name;
  }
  EXPECT_THAT(svg, HasSubstr(">linear, bf16, h200-141gb-sxm<"));
  EXPECT_THAT(svg, HasSubstr("0.1667 out of sample (25 rows); 25 rows drawn"));  // 1 - 1 / 1.2
  EXPECT_THAT(svg, HasSubstr("FLOPs of one execution"));
  EXPECT_THAT(svg, HasSubstr("class=\"diagonal\""));
  EXPECT_THAT(svg, HasSubstr("class=\"band\""));
}

TEST(Plot, StandsAlone) {
  const std::string svg = plot_validation(validated(some_rows(3), law_set({half_of_the_peak()})));
  EXPECT_THAT(svg, testing::StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
  // The one address names the format; nothing is fetched, nothing runs.
  EXPECT_EQ(count(svg, "http"), 1);
  for (const char* part : {"<script", "<image", "href", "url(", "nan", "inf"}) {
    EXPECT_THAT(svg, Not(HasSubstr(part)));
  }
}

// One FLOP decade to a known length: the points of a law at half of the peak lie at one height, and
// measured points lie on the diagonal where the law is right.
TEST(Plot, PutsPointsWhereTheyBelong) {
  const std::string svg =
      plot_validation(validated(some_rows(20, 1.0), law_set({half_of_the_peak()})));
  const auto heights = numbers(points_of(svg, "law"), "cy");
  ASSERT_EQ(heights.size(), 20U);
  EXPECT_EQ(std::ranges::min(heights), std::ranges::max(heights));
  // A decade of efficiency, 0.1 to 1, over 290 pixels: log10(0.5) below the top at 64 + 50.
  EXPECT_NEAR(heights[0], 114.0 + 290.0 * 0.30103, 0.06);
  const auto x = numbers(points_of(svg, "times"), "cx");
  const auto y = numbers(points_of(svg, "times"), "cy");
  for (std::size_t i = 0; i < x.size(); ++i) {
    // From the corner at (640, 404), as far up as to the right.
    EXPECT_NEAR(x[i] - 640.0, 404.0 - y[i], 0.11);
  }
}

// Measured at a quarter of the peak, where the law says half.
TEST(Plot, DrawsTheLawBesideTheMeasurements) {
  const std::string svg =
      plot_validation(validated(some_rows(20, 2.0), law_set({half_of_the_peak()})));
  EXPECT_NEAR(numbers(points_of(svg, "law"), "cy").front(), 114.0 + 290.0 * 0.30103, 0.06);
  EXPECT_NEAR(numbers(points_of(svg, "measured"), "cy").front(), 114.0 + 290.0 * 0.60206, 0.06);
}

// Measurements far off the law, on one side and on both.
TEST(Plot, StaysInsideItsFrame) {
  for (const double other_factor : {300.0, 1.0 / 300.0}) {
    std::vector<Measurement> rows = some_rows(400, 300.0);
    for (std::size_t i = 0; i < rows.size(); i += 3) {
      rows[i] = some_rows(400, other_factor)[i];
    }
    const std::string svg = plot_validation(validated(rows, law_set({half_of_the_peak()})));
    EXPECT_EQ(find_xml_fault(svg), "");
    for (const double x : numbers(svg, "cx")) {
      EXPECT_TRUE((x >= 84.0 && x <= 504.0) || (x >= 640.0 && x <= 930.0)) << x;
    }
    for (const double y : numbers(svg, "cy")) EXPECT_TRUE(y >= 114.0 && y <= 404.0) << y;
  }
}

TEST(Plot, ThinsManyRowsAndSaysSo) {
  const auto rows = some_rows(7001);
  const std::string svg = plot_validation(validated(rows, law_set({half_of_the_peak()})));
  for (const char* name : {"measured", "law", "times"}) {
    EXPECT_EQ(count(points_of(svg, name), "<circle "), 3000) << name;
  }
  EXPECT_THAT(svg, HasSubstr("(7001 rows); 3000 rows drawn"));
  // From all over the table: half of the points lie beyond its middle row. Row i has
  // 2 * 16 * 512^2 * i FLOPs and row 2 is the first that is drawn, so the axis reaches from 10^7 to
  // 10^11 over 420 pixels.
  const double middle = 84.0 + 420.0 * (std::log10(2.0 * 16.0 * 262144.0 * 3500.0) - 7.0) / 4.0;
  const auto x = numbers(points_of(svg, "measured"), "cx");
  const auto beyond = std::ranges::count_if(x, [&](double at) { return at > middle; });
  EXPECT_NEAR(static_cast<double>(beyond), 1500.0, 5.0);
}

// 14 operations with 1 to 14 rows: the two with one and two rows are left out.
TEST(Plot, LeavesOutTheSmallestGroupsBeyondTwelve) {
  std::vector<Measurement> rows;
  std::vector<Law> laws;
  std::int64_t size = 0;
  for (const std::string_view operation : measured_operations()) {
    if (operation == "step" || size == 14) continue;
    Measurement row = measured_matmul({1, 64, 64, 64}, 1e-5);
    row.operation = operation;
    laws.push_back(half_of_the_peak(row.operation));
    laws.back().form = FamilyLaw{.family = "launch", .parameters = {3e-6, 0.5}};
    const Measurement probe = row;
    ++size;
    for (std::int64_t i = 0; i < size; ++i) rows.push_back(probe);
  }
  const std::string svg = plot_validation(validated(rows, law_set(laws)));
  EXPECT_EQ(count(svg, "<g class=\"measured\""), 12);
  EXPECT_THAT(svg, Not(HasSubstr(">" + std::string(measured_operations()[0]) + ", bf16")));
  EXPECT_THAT(svg, Not(HasSubstr(">" + std::string(measured_operations()[1]) + ", bf16")));
  EXPECT_THAT(svg, HasSubstr("12 of 14 groups, the 2 with the fewest measurements left out"));
  EXPECT_EQ(find_xml_fault(svg), "");
}

TEST(Plot, OfNothingSaysSo) {
  const std::string svg = plot_validation(validated(some_rows(3), law_set({})));
  EXPECT_EQ(find_xml_fault(svg), "");
  EXPECT_THAT(svg, HasSubstr("No measurement has a prediction."));
}

// Data moved without a FLOP: bytes over the bandwidth stand in the place of the efficiency.
TEST(Plot, ShowsBandwidthWhereThereAreNoFlops) {
  Measurement row = measured_matmul({1, 1, 1, 1}, 1e-4);
  row.operation = "transpose";
  row.shape = ElementShape{.elements = 1 << 24, .width = 1};
  Law law = half_of_the_peak("transpose");
  law.form =
      RooflineLaw{.compute_fraction = 1.0, .bandwidth_fraction = 0.5, .launch = Seconds{1e-6}};
  const std::string svg = plot_validation(validated({row}, law_set({law})));
  EXPECT_THAT(svg, HasSubstr("bytes of one execution"));
  EXPECT_THAT(svg, HasSubstr("share of the bandwidth"));
}

TEST(Plot, EscapesNames) {
  Validation validation = validated(some_rows(2), law_set({half_of_the_peak()}));
  validation.subjects[0].device = "a<b>&\"c\"\x01";
  const std::string svg = plot_validation(validation);
  EXPECT_EQ(find_xml_fault(svg), "");
  EXPECT_THAT(svg, HasSubstr("a&lt;b&gt;&amp;&quot;c&quot;?"));
}

TEST(Plot, IsSavedWhole) {
  const TemporaryDirectory folder;
  const Validation validation = validated(some_rows(5), law_set({half_of_the_peak()}));
  const auto path = folder.path() / "laws.svg";
  ASSERT_TRUE(save_validation_plot(path, validation).has_value());
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  EXPECT_EQ(content.str(), plot_validation(validation));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  const auto nowhere = save_validation_plot(folder.path() / "none" / "laws.svg", validation);
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(nowhere.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include <joulecast/error.hpp>

#include <gtest/gtest.h>
#include <set>

namespace joulecast {
namespace {

TEST(DescribeError, ShowsEveryPartThatIsKnown) {
  const Error error{ErrorKind::value, "must be positive, is 0",
                    Location{.file = "m.toml", .path = "block[0].n", .line = 3, .column = 9},
                    "give the real size"};
  EXPECT_EQ(describe(error),
            "m.toml:3:9: block[0].n: must be positive, is 0\n  remedy: give the real size");
}

TEST(DescribeError, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(describe({ErrorKind::io, "broken", {}, ""}), "broken");
  EXPECT_EQ(describe({ErrorKind::io, "broken", {.file = "f"}, ""}), "f: broken");
  EXPECT_EQ(describe({ErrorKind::io, "broken", {.path = "--gpu"}, ""}), "--gpu: broken");
  EXPECT_EQ(describe({ErrorKind::io, "broken", {.file = "f", .line = 2}, ""}), "f:2: broken");
}

TEST(ErrorNames, AreDistinct) {
  std::set<std::string_view> names;
  for (const ErrorKind kind :
       {ErrorKind::usage, ErrorKind::not_found, ErrorKind::syntax, ErrorKind::schema,
        ErrorKind::value, ErrorKind::overflow, ErrorKind::unsupported, ErrorKind::io}) {
    names.insert(to_string(kind));
  }
  EXPECT_EQ(names.size(), 8U);
  EXPECT_FALSE(names.contains("unknown"));
}

// The names are part of the machine-readable output: a renamed one breaks its readers.
TEST(WarningNames, AreDistinct) {
  std::set<std::string_view> names;
  constexpr int count = static_cast<int>(WarningCode::out_of_date) + 1;
  for (int code = 0; code < count; ++code) names.insert(to_string(static_cast<WarningCode>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(count));
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(to_string(WarningCode::input_defaulted), "input_defaulted");
  EXPECT_EQ(to_string(WarningCode::unsourced_figure), "unsourced_figure");
}

}  // namespace
}  // namespace joulecast

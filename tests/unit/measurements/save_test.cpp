// SPDX-License-Identifier: Apache-2.0
#include "measured.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

const std::vector<Measurement> one_row = {measured_matmul({.m = 1, .n = 1, .k = 1}, 0.5)};

std::ptrdiff_t file_count(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

TEST(SaveMeasurements, WritesWhatCanBeReadAndNothingBeside) {
  const TemporaryDirectory folder;
  const auto path = folder.path() / "table.csv";
  ASSERT_TRUE(save_measurements(path, one_row).has_value());
  EXPECT_EQ(read_measurements(path).value(), one_row);
  EXPECT_EQ(file_count(folder.path()), 1);
}

TEST(SaveMeasurements, ReplacesAnOlderTable) {
  const TemporaryDirectory folder;
  const auto path = folder.write("table.csv", "old");
  ASSERT_TRUE(save_measurements(path, one_row).has_value());
  EXPECT_EQ(read_measurements(path).value(), one_row);
  EXPECT_EQ(file_count(folder.path()), 1);
}

TEST(SaveMeasurements, FollowsTheUsersMask) {
  const TemporaryDirectory folder;
  const mode_t before = umask(027);
  const auto saved = save_measurements(folder.path() / "table.csv", one_row);
  umask(before);
  ASSERT_TRUE(saved.has_value());
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(folder.path() / "table.csv").permissions(),
            perms::owner_read | perms::owner_write | perms::group_read);
}

TEST(SaveMeasurements, NamesAFolderThatIsMissing) {
  const TemporaryDirectory folder;
  const auto saved = save_measurements(folder.path() / "none" / "table.csv", one_row);
  ASSERT_FALSE(saved.has_value());
  EXPECT_EQ(saved.error().kind, ErrorKind::not_found);
  EXPECT_EQ(file_count(folder.path()), 0);
}

TEST(SaveMeasurements, RefusesToReplaceWhatIsNoFile) {
  const TemporaryDirectory folder;
  std::filesystem::create_directory(folder.path() / "table.csv");
  EXPECT_FALSE(save_measurements(folder.path() / "table.csv", one_row).has_value());
  EXPECT_FALSE(save_measurements("/dev/null", one_row).has_value());
  EXPECT_EQ(file_count(folder.path()), 1);
}

TEST(SaveMeasurements, LeavesTheOldTableWhereTheFolderIsClosed) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may write anywhere";
  const TemporaryDirectory folder;
  const auto path = folder.write("table.csv", "old");
  std::filesystem::permissions(
      folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const auto saved = save_measurements(path, one_row);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  ASSERT_FALSE(saved.has_value());
  EXPECT_EQ(saved.error().kind, ErrorKind::io);
  EXPECT_EQ(std::filesystem::file_size(path), 3U);
}

}  // namespace
}  // namespace joulecast

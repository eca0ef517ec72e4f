// SPDX-License-Identifier: Apache-2.0
#include "documents/embedded.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>
#include <string>

namespace joulecast {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Raw measurements.
bool stays_out(const std::string& name) { return name.starts_with("measurements/"); }

// What the library carries is what lies in data/, byte for byte and file for file; notes for
// people stay out.
TEST(Embedded, IsTheDataFolderByteForByte) {
  const std::filesystem::path data = std::filesystem::path(JOULECAST_SOURCE_DIR) / "data";
  std::set<std::string> expected;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".md") continue;
    const std::string name = std::filesystem::relative(entry.path(), data).generic_string();
    if (stays_out(name)) continue;
    expected.insert(name);
    EXPECT_TRUE(embedded_file(name) == bytes_of(entry.path())) << name;
  }
  std::set<std::string> actual;
  for (const EmbeddedFile& file : embedded_files()) actual.emplace(file.name);
  EXPECT_EQ(actual, expected);
  EXPECT_TRUE(actual.contains("devices/devices.toml"));
}

}  // namespace
}  // namespace joulecast

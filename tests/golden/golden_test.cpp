// SPDX-License-Identifier: Apache-2.0
// Whole commands as text. A case file holds one or more of
//
//   $ joulecast devices p4
//   stdout, exactly
//   [stderr]
//   stderr, exactly
//   [exit 2]
//
// `[stderr]` and `[exit N]` may be missing for an empty stderr and exit code 0. Lines before the
// first `$` are remarks. JOULECAST_UPDATE_GOLDEN=1 rewrites the files with what the commands print;
// the difference is then reviewed like code.
#include "golden/run_command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace {

using joulecast::golden::CommandResult;
using joulecast::golden::run_command;

struct Case {
  std::string command;
  CommandResult expected;
};

struct CaseFile {
  std::string remarks;
  std::vector<Case> cases;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

CaseFile parse_cases(const std::string& text) {
  CaseFile file;
  std::string* target = &file.remarks;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("$ ")) {
      file.cases.push_back({.command = line.substr(2), .expected = {}});
      target = &file.cases.back().expected.output;
    } else if (line == "[stderr]" && !file.cases.empty()) {
      target = &file.cases.back().expected.error_output;
    } else if (line.starts_with("[exit ") && !file.cases.empty()) {
      file.cases.back().expected.exit_code = std::atoi(line.c_str() + 6);
      target = &file.remarks;  // nothing may follow but the next command
    } else {
      *target += line + "\n";
    }
  }
  return file;
}

std::string format_case(const std::string& command, const CommandResult& result) {
  std::string text = "$ " + command + "\n" + result.output;
  if (!result.error_output.empty()) text += "[stderr]\n" + result.error_output;
  return text + "[exit " + std::to_string(result.exit_code) + "]\n";
}

std::vector<std::filesystem::path> case_files() {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path folder =
      std::filesystem::path(JOULECAST_SOURCE_DIR) / "tests/golden/cases";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class Golden : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Golden, CommandsPrintWhatTheFileSays) {
  const CaseFile file = parse_cases(read_file(GetParam()));
  ASSERT_FALSE(file.cases.empty()) << "a case file without commands tests nothing";
  std::string actual = file.remarks;
  for (const Case& one : file.cases) {
    const CommandResult result = run_command(one.command);
    actual += format_case(one.command, result);
    if (std::getenv("JOULECAST_UPDATE_GOLDEN") != nullptr) continue;
    SCOPED_TRACE(one.command);
    EXPECT_EQ(result.exit_code, one.expected.exit_code);
    EXPECT_EQ(result.output, one.expected.output);
    EXPECT_EQ(result.error_output, one.expected.error_output);
  }
  if (std::getenv("JOULECAST_UPDATE_GOLDEN") != nullptr) std::ofstream(GetParam()) << actual;
}

std::string case_name(const testing::TestParamInfo<std::filesystem::path>& tested) {
  return tested.param.stem().string();
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(case_files()), case_name);

}  // namespace

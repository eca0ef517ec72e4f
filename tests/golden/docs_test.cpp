// SPDX-License-Identifier: Apache-2.0
// Every command that README and docs show is executed, and what they show of its output is
// compared. In a ```console block a line that starts with `$ ` is a command, a line `...` stands
// for any lines, everything else must be printed exactly so. `./dev run` is this build's binary.
#include "golden/run_command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace {

using joulecast::golden::run_command;

struct Shown {
  int line = 0;
  std::string command;
  std::vector<std::string> output;
};

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<Shown> shown_commands(const std::string& text) {
  std::vector<Shown> shown;
  bool inside = false;
  int number = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    if (line.starts_with("```")) {
      inside = !inside && line == "```console";
    } else if (inside && line.starts_with("$ ")) {
      shown.push_back({number, line.substr(2), {}});
    } else if (inside && !shown.empty() && shown.back().command.ends_with('\\')) {
      shown.back().command += "\n" + line;
    } else if (inside && !shown.empty()) {
      shown.back().output.push_back(line);
    }
  }
  return shown;
}

// Whether the printed lines are the shown ones, where "..." matches any number of lines.
bool matches(const std::vector<std::string>& shown, std::size_t i,
             const std::vector<std::string>& printed, std::size_t j) {
  if (i == shown.size()) return j == printed.size();
  if (shown[i] != "...") {
    return j < printed.size() && printed[j] == shown[i] && matches(shown, i + 1, printed, j + 1);
  }
  for (std::size_t k = j; k <= printed.size(); ++k) {
    if (matches(shown, i + 1, printed, k)) return true;
  }
  return false;
}

// What cannot run inside the tests, because it builds, tests or fetches the project itself; other
// tests and continuous integration run these.
bool runs_elsewhere(const std::string& command) {
  for (const char* prefix :
       {"git clone", "cd ", "./dev test", "./dev install", "./dev check", "./dev sanitize",
        "./dev fuzz", "./dev golden", "./dev format", "./dev build", ".ci/run", "cmake "}) {
    if (command.starts_with(prefix)) return true;
  }
  return false;
}

std::vector<std::filesystem::path> documents() {
  const std::filesystem::path root = JOULECAST_SOURCE_DIR;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  }
  for (const char* folder : {"docs", "examples"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() == ".md") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Commands of documents run where the reader stands, in a clone, and may write there; this is one
// whose files are those of the source folder.
constexpr const char* clone =
    "mkdir -p \"$TMP/clone\" && ln -sf \"$PWD\"/* \"$TMP/clone\" && cd \"$TMP/clone\" && ";

TEST(Docs, EveryCommandRunsAndPrintsWhatIsShown) {
  int executed = 0;
  for (const std::filesystem::path& document : documents()) {
    for (const Shown& shown : shown_commands(read_file(document))) {
      if (runs_elsewhere(shown.command)) continue;
      std::string command = shown.command;
      if (command.starts_with("./dev run")) command = "joulecast" + command.substr(9);
      const auto result = run_command(clone + command);
      const std::string place = document.string() + ":" + std::to_string(shown.line);
      EXPECT_EQ(result.exit_code, 0) << place << "\n" << command << "\n" << result.error_output;
      const std::string printed = result.output + result.error_output;
      EXPECT_TRUE(shown.output.empty() || matches(shown.output, 0, split_lines(printed), 0))
          << place << "\n"
          << command << "\nprinted:\n"
          << printed;
      ++executed;
    }
  }
  EXPECT_GE(executed, 10) << "the documents show fewer commands than they used to";
}

TEST(Docs, CommandLineReferenceIsWhatTheBinaryPrints) {
  const auto result = run_command("joulecast help --format markdown");
  EXPECT_EQ(result.output, read_file(std::filesystem::path(JOULECAST_SOURCE_DIR) / "docs/cli.md"))
      << "run: joulecast help --format markdown > docs/cli.md";
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
#include "golden/run_command.hpp"

#include <joulecast/version.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

namespace joulecast::golden {
namespace {

// A folder of this process alone, gone when it ends.
class Scratch {
 public:
  Scratch() {
    // Not the system's temporary folder: the width of columns must not depend on its name.
    std::string name = "/tmp/joulecast-golden-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

const std::filesystem::path& scratch() {
  static const Scratch folder;
  return folder.path();
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

std::string take(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  std::string taken = text.str();
  for (const std::string& before :
       {std::string("\"commit\": \""), std::string("commit              "),
        std::string("doctor,commit,"), std::string("(commit ")}) {
    replace_all(taken, before + std::string(commit()), before + "COMMIT");
  }
  replace_all(taken, __VERSION__, "COMPILER");
  replace_all(taken, scratch().string(), "TMP");
  // A last line without its end would run into the next mark.
  if (!taken.empty() && !taken.ends_with('\n')) taken += "\\ no newline\n";
  return taken;
}

}  // namespace

CommandResult run_command(const std::string& command) {
  const std::filesystem::path out = scratch() / "out";
  const std::filesystem::path err = scratch() / "err";
  const std::filesystem::path script = scratch() / "script";
  std::ofstream(script) << "cd '" JOULECAST_SOURCE_DIR "' || exit 99\n"
                        << "export PATH='" JOULECAST_BINARY_DIR "':\"$PATH\" HOME='"
                        << scratch().string() << "' TMP='" << scratch().string() << "'\n"
                        << "unset XDG_CONFIG_HOME NO_COLOR\n"
                        << command << "\n";
  const std::string line =
      "bash '" + script.string() + "' >'" + out.string() + "' 2>'" + err.string() + "' </dev/null";
  const int status = std::system(line.c_str());
  CommandResult result{.output = take(out), .error_output = take(err), .exit_code = -1};
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace joulecast::golden

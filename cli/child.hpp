// SPDX-License-Identifier: Apache-2.0
#pragma once

// A command that runs under joulecast as if it ran alone: the same terminal, signals handed on, the
// same exit code.

#include <joulecast/error.hpp>
#include <joulecast/quantities.hpp>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace joulecast::cli {

// While it lives, the signals that end programs, or tell of children, wait to be asked for. Made
// before any thread, so that all threads inherit it.
class HeldSignals {
 public:
  HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals();

  // The next signal within the time, if one comes.
  [[nodiscard]] std::optional<siginfo_t> next(Seconds within) const;
  [[nodiscard]] const sigset_t& before() const { return before_; }

 private:
  sigset_t held_{};
  sigset_t before_{};
};

struct ChildEnd {
  std::optional<int> exit_code{};
  std::optional<int> signal{};

  // What a shell would report.
  [[nodiscard]] int code() const { return signal ? 128 + *signal : exit_code.value_or(0); }
};

class Child {
 public:
  // Errors: not_found, io; a shell's exit codes for these are 127 and 126. `variables` are added to
  // the environment, each as "NAME=VALUE".
  static Result<Child> start(const std::vector<std::string>& command,
                             const std::vector<std::string>& variables, const HeldSignals& signals);

  // Hands on what was meant for the command. What the terminal sends to the whole group of
  // processes has reached it already.
  void hand_on(const siginfo_t& signal) const;
  // Collects whoever ended. The end of the command itself, once it has.
  std::optional<ChildEnd> collect();
  // Whether children of the command outlived it. Once the command has ended.
  [[nodiscard]] bool left_processes() const;

 private:
  explicit Child(pid_t process) : process_(process) {}

  pid_t process_;
  std::optional<ChildEnd> end_;
};

}  // namespace joulecast::cli

// SPDX-License-Identifier: Apache-2.0
#include "child.hpp"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

// SIGTSTP is not among them: stopping with the terminal's key stops the command and the meter.
constexpr std::array held_signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

std::vector<std::string> environment_with(const std::vector<std::string>& variables) {
  std::vector<std::string> all = variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool replaced = false;
    for (const std::string& variable : variables) {
      replaced = replaced || name_of(variable) == name_of(*entry);
    }
    if (!replaced) all.emplace_back(*entry);
  }
  return all;
}

}  // namespace

HeldSignals::HeldSignals() {
  sigemptyset(&held_);
  for (const int signal : held_signals) sigaddset(&held_, signal);
  sigprocmask(SIG_BLOCK, &held_, &before_);
}

HeldSignals::~HeldSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

std::optional<siginfo_t> HeldSignals::next(Seconds within) const {
  const double whole = std::floor(within.value());
  const timespec time{.tv_sec = static_cast<time_t>(whole),
                      .tv_nsec = static_cast<long>((within.value() - whole) * 1e9)};
  siginfo_t information{};
  if (sigtimedwait(&held_, &information, &time) < 0) return std::nullopt;
  return information;
}

Result<Child> Child::start(const std::vector<std::string>& command,
                           const std::vector<std::string>& variables, const HeldSignals& signals) {
  // Processes that lose their parent come to us, so that their time is counted.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  sigset_t defaults{};
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);  // which joulecast itself ignores
  posix_spawnattr_setsigmask(&attributes, &signals.before());
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> words = command;
  std::vector<std::string> environment = environment_with(variables);
  pid_t process = 0;
  const int error = posix_spawnp(&process, words.front().c_str(), nullptr, &attributes,
                                 pointers_to(words).data(), pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return Child(process);
  const bool absent = error == ENOENT;
  return std::unexpected(
      Error{absent ? ErrorKind::not_found : ErrorKind::io,
            fmt::format("the command cannot be started: {}", std::strerror(error)),
            Location{.file = command.front()},
            absent ? "check its name and PATH; a line for the shell needs `sh -c \"...\"`"
                   : "check that it may be executed"});
}

void Child::hand_on(const siginfo_t& signal) const {
  const bool sent_by_a_process = signal.si_code <= 0;
  if (end_ || signal.si_signo == SIGCHLD || !sent_by_a_process) return;
  kill(process_, signal.si_signo);
}

std::optional<ChildEnd> Child::collect() {
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended <= 0) return end_;
    if (ended != process_) continue;
    end_ = ChildEnd{};
    if (WIFSIGNALED(status)) {
      end_->signal = WTERMSIG(status);
    } else {
      end_->exit_code = WEXITSTATUS(status);
    }
  }
}

bool Child::left_processes() const {
  siginfo_t information{};
  return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace joulecast::cli

// SPDX-License-Identifier: Apache-2.0
#include "arguments.hpp"
#include "configuration.hpp"
#include "help.hpp"
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <csignal>

namespace joulecast::cli {
namespace {

int run_help(const Arguments& arguments) {
  if (arguments.words.empty()) {
    const bool markdown = arguments.value("format") == "markdown";
    return print(markdown ? reference_markdown() : overview());
  }
  const VerbSpec* verb = find_verb(arguments.words.front());
  if (verb == nullptr) {
    return print_error(Error{ErrorKind::usage, "unknown verb",
                             Location{.file = {}, .path = arguments.words.front()},
                             "see `joulecast help`"});
  }
  return print(help_of(*verb));
}

int run_completions(const Arguments& arguments) {
  const std::string& shell = arguments.words.front();
  if (shell == "bash") return print(completions_bash());
  if (shell == "zsh") return print(completions_zsh());
  if (shell == "fish") return print(completions_fish());
  return print_error(Error{ErrorKind::usage, "unknown shell", Location{.file = {}, .path = shell},
                           "choose bash, zsh or fish"});
}

int run_configured(const Arguments& arguments) {
  const auto configuration = load_configuration(arguments);
  if (arguments.verb == Verb::doctor) return run_doctor(arguments, configuration);
  if (!configuration) return print_error(configuration.error());
  switch (arguments.verb) {
    case Verb::predict: return run_predict(arguments, *configuration);
    case Verb::compare: return run_compare(arguments, *configuration);
    case Verb::operations: return run_operations(arguments, *configuration);
    case Verb::explain: return run_explain(arguments, *configuration);
    case Verb::devices: return run_devices(arguments, *configuration);
    case Verb::fit: return run_fit(arguments, *configuration);
    case Verb::validate: return run_validate(arguments, *configuration);
    case Verb::measure: return run_measure(arguments, *configuration);
    case Verb::watch: return run_watch(arguments, *configuration);
    default: return run_import(arguments, *configuration);
  }
}

int run(const Arguments& arguments) {
  if (arguments.has("help")) return print(help_of(spec_of(arguments.verb)));
  switch (arguments.verb) {
    case Verb::help: return run_help(arguments);
    case Verb::man: return print(manual_page());
    case Verb::completions: return run_completions(arguments);
    case Verb::models: return run_models(arguments);
    case Verb::regions: return run_regions(arguments);
    case Verb::reproduce: return run_reproduce(arguments);
    default: return run_configured(arguments);
  }
}

}  // namespace
}  // namespace joulecast::cli

int main(int count, char** arguments) {
  // Writing to a closed pipe must return an error, not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  const auto parsed = joulecast::cli::parse_arguments(count, arguments);
  return parsed ? joulecast::cli::run(*parsed) : joulecast::cli::print_error(parsed.error());
}

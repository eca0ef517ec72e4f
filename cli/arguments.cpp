// SPDX-License-Identifier: Apache-2.0
// The C library's getopt_long does the parsing: `--flag value`, `--flag=value`, `--`, flags before
// and after words. Decision record: docs/decisions/0002-command-line.md.
#include "arguments.hpp"

#include <joulecast/suggest.hpp>

#include <algorithm>

#include <getopt.h>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

Error usage(std::string place, std::string message, std::string remedy) {
  return Error{ErrorKind::usage, std::move(message), Location{.file = {}, .path = std::move(place)},
               std::move(remedy)};
}

std::vector<option> make_options(const std::vector<const FlagSpec*>& flags) {
  std::vector<option> options;
  for (const FlagSpec* flag : flags) {
    // The names are literals in the table, so they end in a zero.
    options.push_back(
        {flag->name.data(), flag->metavar.empty() ? no_argument : required_argument, nullptr, 0});
  }
  options.push_back({nullptr, 0, nullptr, 0});
  return options;
}

Error unknown_flag(const VerbSpec& verb, std::string_view typed) {
  std::vector<std::string> known;
  for (const FlagSpec* flag : flags_of(verb.verb)) known.push_back(fmt::format("--{}", flag->name));
  const std::string name(typed.substr(0, typed.find('=')));
  for (const FlagSpec& flag : flag_specs()) {
    if (fmt::format("--{}", flag.name) != name) continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      return usage(name, "the flag takes no value", fmt::format("write {} alone", name));
    }
    return usage(name, fmt::format("`{}` does not take this flag", verb.name),
                 fmt::format("see `joulecast {} --help`", verb.name));
  }
  const std::string hint = did_you_mean(name, known);
  return usage(
      name.substr(0, 80), "unknown flag",
      fmt::format("{}{}see `joulecast {} --help`", hint, hint.empty() ? "" : " ", verb.name));
}

Result<void> check_words(const VerbSpec& verb, const Arguments& parsed) {
  if (parsed.has("help")) return {};
  const std::string form = fmt::format("usage: joulecast {}{}{}", verb.name,
                                       verb.arguments.empty() ? "" : " ", verb.arguments);
  if (parsed.words.size() < verb.least_arguments) {
    return std::unexpected(
        usage(std::string(verb.name), fmt::format("{} is missing", verb.arguments), form));
  }
  if (parsed.words.size() > verb.most_arguments) {
    return std::unexpected(usage(
        std::string(verb.name),
        fmt::format("unexpected argument \"{}\"", parsed.words[verb.most_arguments].substr(0, 80)),
        form));
  }
  return {};
}

// The word that getopt_long has just matched: the last one, or the one before a value apart.
std::string_view matched_word(const std::vector<char*>& words) {
  const auto last = static_cast<std::size_t>(optind - 1);
  return optarg != nullptr && optarg == words[last] ? words[last - 1] : words[last];
}

// getopt_long also takes beginnings of names. Those would change their meaning with every flag that
// is added, and `--price` may mean two things.
bool written_out(std::string_view word, const FlagSpec& flag) {
  return word.substr(0, word.find('=')) == fmt::format("--{}", flag.name);
}

Result<void> add_value(Arguments& parsed, const FlagSpec& flag) {
  std::vector<std::string>& values = parsed.flags[std::string(flag.name)];
  if (optarg == nullptr) return {};
  if (!flag.repeatable && !values.empty() && values.back() != optarg) {
    return std::unexpected(
        usage(fmt::format("--{}", flag.name),
              fmt::format("stated twice, as \"{}\" and as \"{}\"", values.back().substr(0, 80),
                          std::string_view(optarg).substr(0, 80)),
              "keep one of the two"));
  }
  values.emplace_back(optarg);
  return {};
}

Result<Arguments> parse_flags(const VerbSpec& verb, std::vector<char*> words) {
  Arguments parsed{.verb = verb.verb};
  const std::vector<const FlagSpec*> accepted = flags_of(verb.verb);
  const std::vector<option> options = make_options(accepted);
  const int count = static_cast<int>(words.size());
  words.push_back(nullptr);
  optind = 0;
  opterr = 0;
  // Flags behind the command to measure are the command's own.
  const char* const letters = verb.verb == Verb::measure ? "+:h" : ":h";
  int index = 0;
  for (int code = 0;
       (code = getopt_long(count, words.data(), letters, options.data(), &index)) != -1;) {
    if (code == 'h') {
      parsed.flags["help"];
      continue;
    }
    if (code != 0) {
      const std::string_view culprit = words[static_cast<std::size_t>(optind - 1)];
      // For a cluster of letters such as -xy the word is not known yet, but the letter is.
      const std::string letter{'-', static_cast<char>(optopt)};
      if (code == '?') return std::unexpected(unknown_flag(verb, optopt != 0 ? letter : culprit));
      const bool known = std::any_of(accepted.begin(), accepted.end(), [&](const FlagSpec* flag) {
        return written_out(culprit, *flag);
      });
      if (!known) return std::unexpected(unknown_flag(verb, culprit));
      return std::unexpected(usage(std::string(culprit), "a value is missing",
                                   fmt::format("see `joulecast {} --help`", verb.name)));
    }
    const FlagSpec& flag = *accepted[static_cast<std::size_t>(index)];
    const std::string_view word = matched_word(words);
    if (!written_out(word, flag)) return std::unexpected(unknown_flag(verb, word));
    if (auto added = add_value(parsed, flag); !added) return std::unexpected(added.error());
  }
  for (int i = optind; i < count; ++i) {
    parsed.words.emplace_back(words[static_cast<std::size_t>(i)]);
  }
  if (auto checked = check_words(verb, parsed); !checked) return std::unexpected(checked.error());
  return parsed;
}

}  // namespace

std::optional<std::string> Arguments::value(std::string_view flag) const {
  const auto found = flags.find(flag);
  if (found == flags.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Arguments::values(std::string_view flag) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::vector<std::string>{} : found->second;
}

Result<Arguments> parse_arguments(int count, char* const* arguments) {
  if (count < 2) return Arguments{.verb = Verb::help};
  const std::string_view first = arguments[1];
  if (first == "--help" || first == "-h") return Arguments{.verb = Verb::help};
  if (first == "--version" || first == "-V") {
    return Arguments{.verb = Verb::doctor, .words = {}, .flags = {{"version", {}}}};
  }
  const VerbSpec* verb = find_verb(first);
  if (verb == nullptr) {
    std::vector<std::string> known;
    for (const VerbSpec& spec : verb_specs()) known.emplace_back(spec.name);
    const std::string hint = did_you_mean(first, known);
    return std::unexpected(
        usage(std::string(first.substr(0, 80)), "unknown verb",
              fmt::format("{}{}see `joulecast help`", hint, hint.empty() ? "" : " ")));
  }
  return parse_flags(*verb, std::vector<char*>(arguments + 1, arguments + count));
}

}  // namespace joulecast::cli

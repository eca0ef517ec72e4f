// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one table of verbs and flags. Parsing, help, man page, completions and docs/cli.md are all
// made from it.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast::cli {

enum class Verb {
  predict,
  compare,
  operations,
  explain,
  models,
  devices,
  regions,
  reproduce,
  import,
  fit,
  validate,
  measure,
  watch,
  doctor,
  help,
  man,
  completions,
};

struct VerbSpec {
  Verb verb;
  std::string_view name;
  std::string_view arguments;  // e.g. "MODEL", "[ID]"
  std::size_t least_arguments;
  std::size_t most_arguments;
  std::string_view summary;
  std::string_view description;
  std::vector<std::string_view> examples;
};

struct FlagSpec {
  std::string_view name;     // without dashes
  std::string_view metavar;  // empty for a switch
  std::string_view help;     // one line
  std::string_view section;  // heading in help
  std::vector<Verb> verbs;   // where it is accepted; empty means everywhere
  std::string_view choices;  // "text|json"; empty where anything goes
  bool repeatable = false;
};

std::span<const VerbSpec> verb_specs();
std::span<const FlagSpec> flag_specs();

const VerbSpec* find_verb(std::string_view name);
const VerbSpec& spec_of(Verb verb);
std::vector<const FlagSpec*> flags_of(Verb verb);

}  // namespace joulecast::cli

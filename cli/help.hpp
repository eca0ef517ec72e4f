// SPDX-License-Identifier: Apache-2.0
#pragma once

// Help, manual page and reference, all from the table of flags.

#include "flags.hpp"

#include <string>

namespace joulecast::cli {

std::string overview();
std::string help_of(const VerbSpec& verb);
std::string reference_markdown();  // docs/cli.md
std::string manual_page();         // troff
std::string completions_bash();
std::string completions_zsh();
std::string completions_fish();

}  // namespace joulecast::cli

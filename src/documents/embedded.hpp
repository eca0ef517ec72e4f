// SPDX-License-Identifier: Apache-2.0
#pragma once

// The files of data/, compiled into the library, so that a copied binary needs nothing beside it.

#include <span>
#include <string_view>

namespace joulecast {

struct EmbeddedFile {
  std::string_view name;  // relative to data/, e.g. "published/ecai2025/laws.csv"
  std::string_view content;
};

// In ascending order of their names.
std::span<const EmbeddedFile> embedded_files();

// Asserts that the file exists: a missing shipped file is our fault, never the user's.
std::string_view embedded_file(std::string_view name);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "documents/embedded.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace joulecast {

std::string_view embedded_file(std::string_view name) {
  const auto files = embedded_files();
  const auto found = std::ranges::lower_bound(files, name, {}, &EmbeddedFile::name);
  if (found != files.end() && found->name == name) return found->content;
  assert(false && "a shipped data file is missing from the build");
  std::abort();
}

}  // namespace joulecast

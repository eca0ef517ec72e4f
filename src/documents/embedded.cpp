// SPDX-License-Identifier: Apache-2.0
#include "documents/embedded.hpp"

#include <cassert>
#include <cstdlib>

namespace joulecast {

std::string_view embedded_file(std::string_view name) {
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name == name) return file.content;
  }
  assert(false && "a shipped data file is missing from the build");
  std::abort();
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files appear, or are replaced, once they are complete: what stops in between leaves the old file.

#include <joulecast/error.hpp>

#include <filesystem>
#include <string_view>

namespace joulecast {

// Errors: not_found where the folder does not exist, io.
Result<void> save_text(const std::filesystem::path& path, std::string_view text);

}  // namespace joulecast

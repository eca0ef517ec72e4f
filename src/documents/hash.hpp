// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHA-256 of a text, in hexadecimal: how results name the inputs they were made from.

#include <string>
#include <string_view>

namespace joulecast {

std::string sha256(std::string_view text);

}  // namespace joulecast

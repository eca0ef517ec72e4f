// SPDX-License-Identifier: Apache-2.0
#pragma once

// Digits beyond what was measured are noise, and differ between machines.

#include <charconv>
#include <string>

#include <fmt/format.h>

namespace joulecast {

// The nearest double to the value with so many significant digits. Requires digits above 0.
inline double rounded(double value, int digits) {
  double result = 0.0;
  const std::string text = fmt::format("{:.{}e}", value, digits - 1);
  std::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "validation/log_axis.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace joulecast {

double LogAxis::at(double value) const {
  assert(value > 0.0);
  const double share = (std::log10(value) - first_decade) / (last_decade - first_decade);
  return start + share * (end - start);
}

std::vector<int> LogAxis::labelled_decades(std::size_t most) const {
  const int count = last_decade - first_decade + 1;
  const int stride = (count + static_cast<int>(most) - 1) / static_cast<int>(most);
  std::vector<int> decades;
  for (int decade = first_decade; decade <= last_decade; decade += stride) {
    decades.push_back(decade);
  }
  return decades;
}

void Extent::include(double value) {
  // Nothing is included yet where both are 0: values are above it.
  lowest = highest == 0.0 ? value : std::min(lowest, value);
  highest = std::max(highest, value);
}

LogAxis cover(const Extent& extent, double start, double end) {
  // The logarithm of a power of ten may miss the whole number by its last digit.
  constexpr double rounding = 1e-9;
  LogAxis axis{.first_decade = static_cast<int>(std::floor(std::log10(extent.lowest) + rounding)),
               .last_decade = static_cast<int>(std::ceil(std::log10(extent.highest) - rounding)),
               .start = start,
               .end = end};
  axis.last_decade = std::max(axis.last_decade, axis.first_decade + 1);
  return axis;
}

std::string time_label(int decade) {
  constexpr std::array<std::string_view, 4> units = {"ns", "µs", "ms", "s"};
  constexpr int smallest = -9;
  if (decade < smallest || decade > 3) return fmt::format("1e{} s", decade);
  const auto unit = static_cast<std::size_t>(std::min((decade - smallest) / 3, 3));
  const int left = decade - smallest - 3 * static_cast<int>(unit);
  return fmt::format("{:.0f} {}", std::pow(10.0, left), units[unit]);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where does a value stand on a logarithmic axis, and where are its ticks?

#include <string>
#include <vector>

namespace joulecast {

// From one power of ten to another, drawn from `start` to `end` (in pixels, either may be larger).
struct LogAxis {
  int first_decade = 0;
  int last_decade = 1;
  double start = 0.0;
  double end = 1.0;

  // Requires a value above 0.
  [[nodiscard]] double at(double value) const;
  // The decades that carry a number, few enough that they do not touch.
  [[nodiscard]] std::vector<int> labelled_decades(std::size_t most) const;
};

// Lowest and highest of what an axis shows.
struct Extent {
  double lowest = 0.0;
  double highest = 0.0;

  void include(double value);
};

// The least whole decades that hold the extent; one at least.
LogAxis cover(const Extent& extent, double start, double end);

// "1 us", "100 ms", "10 s".
std::string time_label(int decade);

}  // namespace joulecast

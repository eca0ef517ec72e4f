// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random numbers for resampling: the same on every machine.
// splitmix64: Steele, Lea & Flood 2014, DOI 10.1145/2714064.2660195.

#include <cstddef>
#include <cstdint>

namespace joulecast {

inline std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

// Calls draw(row) for as many rows as there are, drawn with replacement: row (u n) >> 32 for each
// of the n halves u, the low one first, of the numbers that come from the state `resample`.
void draw_rows(std::uint64_t resample, std::size_t rows, const auto& draw) {
  std::uint64_t state = resample;
  const auto row_at = [rows](std::uint64_t half) {
    return static_cast<std::size_t>(((half & 0xFFFFFFFFU) * rows) >> 32U);
  };
  std::size_t drawn = 0;
  for (; drawn + 1 < rows; drawn += 2) {
    const std::uint64_t random = next_random(state);
    draw(row_at(random));
    draw(row_at(random >> 32U));
  }
  if (drawn < rows) draw(row_at(next_random(state)));
}

}  // namespace joulecast

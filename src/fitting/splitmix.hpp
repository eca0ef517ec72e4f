// SPDX-License-Identifier: Apache-2.0
#pragma once

// Random numbers for resampling: the same on every machine.
// splitmix64: Steele, Lea & Flood 2014, DOI 10.1145/2714064.2660195.

#include <cstdint>

namespace joulecast {

inline std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

}  // namespace joulecast

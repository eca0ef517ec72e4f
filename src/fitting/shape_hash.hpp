// SPDX-License-Identifier: Apache-2.0
#pragma once

// What decides which fold of a cross-validation a shape belongs to, and in which order rows stand:
// the shape alone, the same on every machine.

#include <joulecast/measurement.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace joulecast {

// How the tokens were dealt to experts is no part of the shape: the three distributions of one
// layer are as alike as repeats.
inline std::string shape_key(MeasuredShape shape) {
  if (auto* experts = std::get_if<MoeShape>(&shape)) experts->distribution.clear();
  return describe(shape);
}

// FNV-1a from `basis`, with the last steps of MurmurHash3: neighbouring shapes differ in one digit,
// and must not share their low bits. Laws of durations and of power were first dealt to folds from
// two bases; each keeps its own, since another would deal the rows of all shipped laws anew.
inline std::uint64_t hash_of_shape(std::string_view key, std::uint64_t basis) {
  std::uint64_t hash = basis;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  hash ^= hash >> 33U;
  hash *= 0xFF51AFD7ED558CCDULL;
  return hash ^ (hash >> 33U);
}
inline constexpr std::uint64_t duration_basis = 0x14650FB0739D0383ULL;
inline constexpr std::uint64_t power_basis = 0xCBF29CE484222325ULL;

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include <joulecast/ecai2025.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <system_error>

namespace joulecast {
namespace {

// How "-7.66e4" is written: 2 decimals before an exponent of 4.
struct Notation {
  int decimals = 0;
  int exponent = 0;
  bool scientific = false;
};

Notation read_notation(std::string_view text) {
  Notation notation;
  const std::size_t e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  if (e != std::string_view::npos) {
    notation.scientific = true;
    const std::string_view exponent = text.substr(e + 1);
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), notation.exponent);
  }
  const std::size_t point = mantissa.find('.');
  if (point != std::string_view::npos) {
    notation.decimals = static_cast<int>(mantissa.size() - point - 1);
  }
  return notation;
}

}  // namespace

std::optional<PrintedNumber> parse_printed(std::string_view text) {
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
  const Notation notation = read_notation(text);
  // Dividing by an exact power of ten rounds once; pow(10, -2) would round twice.
  const int places = notation.decimals - notation.exponent;
  const double last = places >= 0 ? 1.0 / std::pow(10.0, places) : std::pow(10.0, -places);
  return PrintedNumber{std::string{text}, value, last};
}

PrintedNumber shift_last_place(const PrintedNumber& number, int units) {
  const Notation notation = read_notation(number.text);
  const double mantissa =
      (number.value + units * number.last_place) / std::pow(10.0, notation.exponent);
  std::string text = fmt::format("{:.{}f}", mantissa, notation.decimals);
  if (notation.scientific) text += fmt::format("e{}", notation.exponent);
  return parse_printed(text).value();
}

}  // namespace joulecast

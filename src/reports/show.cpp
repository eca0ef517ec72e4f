// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them: four digits, a unit with an SI prefix.
#include <joulecast/report.hpp>

#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace joulecast {
namespace {

// Four significant digits without an exponent and without trailing noise.
std::string four_digits(double value) {
  if (value == 0.0) return "0";
  if (std::isnan(value)) return "not a number";
  if (std::isinf(value)) return value > 0.0 ? "infinite" : "minus infinite";
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
  const int decimals = magnitude >= 3 ? 0 : 3 - magnitude;
  if (decimals > 9) return fmt::format("{:.3e}", value);
  return fmt::format("{:.{}f}", value, decimals);
}

std::string with_prefix(double value, std::string_view unit, double base = 1000.0) {
  constexpr std::array<std::string_view, 12> prefixes = {"n", "u", "m", "",  "k", "M",
                                                         "G", "T", "P", "E", "Z", "Y"};
  if (value == 0.0) return fmt::format("0 {}", unit);
  if (!std::isfinite(value)) return fmt::format("{} {}", four_digits(value), unit);
  std::size_t index = 3;
  double scaled = value;
  while (std::abs(scaled) >= 999.95 && index + 1 < prefixes.size()) {
    scaled /= base;
    ++index;
  }
  while (std::abs(scaled) < 0.99995 && index > 0) {
    scaled *= base;
    --index;
  }
  return fmt::format("{} {}{}", four_digits(scaled), prefixes[index], unit);
}

std::string show_seconds(double value) {
  if (value < 120.0) return with_prefix(value, "s");
  if (value < 7200.0) return fmt::format("{} min", four_digits(value / 60.0));
  if (value < 172800.0) return fmt::format("{} h", four_digits(value / 3600.0));
  constexpr double seconds_per_year = 365.25 * 86400.0;
  std::string days = fmt::format("{} d", four_digits(value / 86400.0));
  if (value < 2.0 * seconds_per_year) return days;
  return fmt::format("{} ({} years)", days, four_digits(value / seconds_per_year));
}

// Efficiencies and shares; those of tiny operations would all read 0.0000.
std::string show_fraction(double value) {
  const bool tiny = value != 0.0 && std::abs(value) < 0.001;
  return tiny || !std::isfinite(value) ? four_digits(value) : fmt::format("{:.4f}", value);
}

// Cents, unless they would say nothing.
std::string show_money(double value) {
  if (!std::isfinite(value)) return four_digits(value);
  if (value == 0.0 || std::abs(value) >= 0.1) return fmt::format("{:.2f}", value);
  return fmt::format("{:.3g}", value);
}

// Beside the joules of a run people expect kilowatt-hours.
std::string show_joules(double value) {
  if (value < 36000.0) return with_prefix(value, "J");
  return fmt::format("{} ({})", with_prefix(value, "J"), with_prefix(value / 3600.0, "Wh"));
}

std::string group_thousands(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  const std::size_t start = digits.starts_with('-') ? 1 : 0;
  for (std::size_t i = digits.size(); i > start + 3;) {
    i -= 3;
    digits.insert(i, 1, ',');
  }
  return digits;
}

std::string show_number(double value, Unit unit) {
  switch (unit) {
    case Unit::seconds: return show_seconds(value);
    case Unit::joules: return show_joules(value);
    case Unit::watts: return with_prefix(value, "W");
    case Unit::flops: return with_prefix(value, "FLOP");
    case Unit::flops_per_second: return with_prefix(value, "FLOP/s");
    case Unit::bytes: return with_prefix(value, "B");
    case Unit::bytes_per_second: return with_prefix(value, "B/s");
    case Unit::kilograms: return with_prefix(value * 1000.0, "g");
    case Unit::grams_per_kilowatt_hour: return fmt::format("{} g/kWh", four_digits(value));
    case Unit::fraction: return show_fraction(value);
    case Unit::money: return show_money(value);
    case Unit::hertz: return with_prefix(value, "Hz");
    case Unit::celsius: return fmt::format("{:.0f} C", value);
    default: return four_digits(value);
  }
}

// U+200E, U+200F, U+2028 to U+202E and U+2066 to U+2069: they end lines or turn the direction in
// which a terminal shows what follows. U+061C likewise.
bool reorders(std::string_view three) {
  if (three.starts_with("\xD8\x9C")) return true;
  if (three.size() < 3 || three[0] != '\xE2') return false;
  const auto second = static_cast<unsigned char>(three[1]);
  const auto third = static_cast<unsigned char>(three[2]);
  if (second == 0x80) return third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE);
  return second == 0x81 && third >= 0xA6 && third <= 0xA9;
}

// Names come from files and may hold anything. Control characters must not reach a terminal, nor
// may line ends break a table.
std::string printable(const std::string& text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    // U+0080 to U+009F, which some terminals obey as well.
    const bool c1 = byte == 0xC2 && next >= 0x80 && next <= 0x9F;
    const bool turns = reorders(std::string_view(text).substr(i, 3));
    clean += byte < 0x20 || byte == 0x7F || c1 || turns ? '?' : text[i];
    if (c1) ++i;
    if (turns) i += byte == 0xE2 ? 2 : 1;
  }
  return clean;
}

}  // namespace

std::string show(const Datum& value, Unit unit) {
  if (std::holds_alternative<std::monostate>(value)) return "-";
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "yes" : "no";
  if (const auto* text = std::get_if<std::string>(&value)) return printable(*text);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    if (unit == Unit::year || unit == Unit::none) return fmt::format("{}", *integer);
    if (unit == Unit::count || unit == Unit::plain) return group_thousands(*integer);
    return show_number(static_cast<double>(*integer), unit);
  }
  return show_number(std::get<double>(value), unit);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Physical quantities as types, so that joules cannot be added to seconds.
//
// A `Quantity` carries its dimension as integer exponents of (FLOP, byte, second, joule, kilogram
// of CO2 equivalent). Products and quotients get their dimension at compile time; a dimensionless
// result converts to double. Values are SI base units, never scaled, never percent.
//
// Counts are exact: `Count` is a 64-bit integer that remembers whether any step overflowed, so a
// FLOP count is either exact or reported as an error, never wrapped.

#include <cmath>
#include <compare>
#include <cstdint>

namespace joulecast {

template <int Flop, int Byte, int Second, int Joule, int Kilogram>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}

  // The number in SI base units.
  [[nodiscard]] constexpr double value() const { return value_; }

  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity other) {
    value_ += other.value_;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) {
    return Quantity{a.value_ + b.value_};
  }
  friend constexpr Quantity operator-(Quantity a, Quantity b) {
    return Quantity{a.value_ - b.value_};
  }
  friend constexpr Quantity operator*(Quantity a, double factor) {
    return Quantity{a.value_ * factor};
  }
  friend constexpr Quantity operator*(double factor, Quantity a) { return a * factor; }
  friend constexpr Quantity operator/(Quantity a, double divisor) {
    return Quantity{a.value_ / divisor};
  }

 private:
  double value_ = 0.0;
};

template <int F, int B, int S, int J, int K>
constexpr auto make_quantity(double value) {
  if constexpr (F == 0 && B == 0 && S == 0 && J == 0 && K == 0) {
    return value;
  } else {
    return Quantity<F, B, S, J, K>{value};
  }
}

template <int F1, int B1, int S1, int J1, int K1, int F2, int B2, int S2, int J2, int K2>
constexpr auto operator*(Quantity<F1, B1, S1, J1, K1> a, Quantity<F2, B2, S2, J2, K2> b) {
  return make_quantity<F1 + F2, B1 + B2, S1 + S2, J1 + J2, K1 + K2>(a.value() * b.value());
}

template <int F1, int B1, int S1, int J1, int K1, int F2, int B2, int S2, int J2, int K2>
constexpr auto operator/(Quantity<F1, B1, S1, J1, K1> a, Quantity<F2, B2, S2, J2, K2> b) {
  return make_quantity<F1 - F2, B1 - B2, S1 - S2, J1 - J2, K1 - K2>(a.value() / b.value());
}

using Flops = Quantity<1, 0, 0, 0, 0>;  // a count of operations; a multiply-add is two
using Bytes = Quantity<0, 1, 0, 0, 0>;
using Seconds = Quantity<0, 0, 1, 0, 0>;
using Joules = Quantity<0, 0, 0, 1, 0>;
using Kilograms = Quantity<0, 0, 0, 0, 1>;  // of CO2 equivalent
using FlopsPerSecond = Quantity<1, 0, -1, 0, 0>;
using BytesPerSecond = Quantity<0, 1, -1, 0, 0>;
using Watts = Quantity<0, 0, -1, 1, 0>;
using FlopsPerByte = Quantity<1, -1, 0, 0, 0>;
using KilogramsPerJoule = Quantity<0, 0, 0, -1, 1>;

// Exact units outside SI that people state prices and grid figures in.
inline constexpr double joules_per_kilowatt_hour = 3.6e6;
inline constexpr double seconds_per_hour = 3600.0;

// A 64-bit count that cannot wrap: once a step overflows, `overflowed()` stays true.
class Count {
 public:
  constexpr Count() = default;
  // Implicit on purpose: sizes are plain integers in formulas such as `2 * Count{m} * n * k`.
  constexpr Count(std::int64_t value) : value_(value) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] constexpr bool overflowed() const { return overflowed_; }
  // Meaningless once overflowed.
  [[nodiscard]] constexpr std::int64_t value() const { return value_; }
  [[nodiscard]] constexpr double as_double() const { return static_cast<double>(value_); }

  constexpr bool operator==(const Count&) const = default;
  friend constexpr Count operator*(Count a, Count b) {
    Count product;
    product.overflowed_ = __builtin_mul_overflow(a.value_, b.value_, &product.value_) ||
                          a.overflowed_ || b.overflowed_;
    return product;
  }
  friend constexpr Count operator+(Count a, Count b) {
    Count sum;
    sum.overflowed_ =
        __builtin_add_overflow(a.value_, b.value_, &sum.value_) || a.overflowed_ || b.overflowed_;
    return sum;
  }
  constexpr Count& operator+=(Count other) { return *this = *this + other; }

 private:
  std::int64_t value_ = 0;
  bool overflowed_ = false;
};

}  // namespace joulecast

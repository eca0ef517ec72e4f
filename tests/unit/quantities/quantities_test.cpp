// SPDX-License-Identifier: Apache-2.0
#include <joulecast/quantities.hpp>

#include <gtest/gtest.h>
#include <type_traits>

namespace joulecast {
namespace {

template <class A, class B>
concept Addable = requires(A a, B b) { a + b; };
template <class A, class B>
concept Subtractable = requires(A a, B b) { a - b; };
template <class A, class B>
concept Accumulable = requires(A& a, B b) { a += b; };
template <class A, class B>
concept Comparable = requires(A a, B b) { a < b; };

// The dimension of a product or quotient, by type alone.
template <class A, class B>
using Product = decltype(A{} * B{});
template <class A, class B>
using Quotient = decltype(A{} / B{});

// What must not compile, asked without stopping the build.
static_assert(!Addable<Joules, Seconds> && !Addable<Seconds, Joules>);
static_assert(!Addable<Flops, Bytes> && !Addable<Watts, Joules>);
static_assert(!Addable<FlopsPerSecond, BytesPerSecond> && !Addable<Kilograms, Joules>);
static_assert(!Subtractable<Joules, Watts> && !Subtractable<Flops, FlopsPerSecond>);
static_assert(!Accumulable<Joules, Watts> && !Accumulable<Seconds, double>);
static_assert(!Comparable<Watts, Joules> && !Comparable<Seconds, Bytes>);
// A bare number has no unit, so none becomes a quantity unasked, and none is added to one.
static_assert(!Addable<Joules, double> && !Addable<double, Joules>);
static_assert(!std::is_convertible_v<double, Seconds> && !std::is_convertible_v<Seconds, double>);
static_assert(!std::is_convertible_v<Joules, Seconds> && !std::is_constructible_v<Joules, Watts>);
static_assert(!Comparable<Seconds, double>);

// What must: like quantities.
static_assert(Addable<Joules, Joules> && Subtractable<Seconds, Seconds>);
static_assert(Accumulable<Bytes, Bytes> && Comparable<Watts, Watts>);

// The units of every equation in use: E = P t, t = c / v, t = bytes / BW, P = E / t, m = E g.
static_assert(std::is_same_v<Product<Watts, Seconds>, Joules>);
static_assert(std::is_same_v<Product<Seconds, Watts>, Joules>);
static_assert(std::is_same_v<Quotient<Joules, Seconds>, Watts>);
static_assert(std::is_same_v<Quotient<Joules, Watts>, Seconds>);
static_assert(std::is_same_v<Quotient<Flops, FlopsPerSecond>, Seconds>);
static_assert(std::is_same_v<Quotient<Flops, Seconds>, FlopsPerSecond>);
static_assert(std::is_same_v<Quotient<Bytes, BytesPerSecond>, Seconds>);
static_assert(std::is_same_v<Quotient<Flops, Bytes>, FlopsPerByte>);
static_assert(std::is_same_v<Product<Joules, KilogramsPerJoule>, Kilograms>);
// The ridge point, v_max / BW, is an arithmetic intensity.
static_assert(std::is_same_v<Quotient<FlopsPerSecond, BytesPerSecond>, FlopsPerByte>);
// A ratio of like quantities is a plain number.
static_assert(std::is_same_v<Quotient<Seconds, Seconds>, double>);
static_assert(std::is_same_v<Quotient<FlopsPerSecond, FlopsPerSecond>, double>);
static_assert(std::is_same_v<Product<Watts, Quotient<Seconds, Joules>>, double>);

TEST(Quantity, CarriesItsNumberUnscaled) {
  EXPECT_EQ(Seconds{2.5}.value(), 2.5);
  EXPECT_EQ(Seconds{}.value(), 0.0);
}

// 3 W * 4 s = 12 J; 12 J / 4 s = 3 W; 12 J / 3 W = 4 s.
TEST(Quantity, MultipliesAndDividesNumbersWithTheirUnits) {
  constexpr Joules energy = Watts{3.0} * Seconds{4.0};
  EXPECT_EQ(energy, Joules{12.0});
  EXPECT_EQ(energy / Seconds{4.0}, Watts{3.0});
  EXPECT_EQ(energy / Watts{3.0}, Seconds{4.0});
  EXPECT_EQ(Seconds{6.0} / Seconds{4.0}, 1.5);
}

TEST(Quantity, AddsScalesAndCompares) {
  Joules sum{1.0};
  sum += Joules{2.0};
  EXPECT_EQ(sum, Joules{3.0});
  EXPECT_EQ(sum + Joules{1.0}, Joules{4.0});
  EXPECT_EQ(sum - Joules{4.0}, Joules{-1.0});
  EXPECT_EQ(sum * 2.0, Joules{6.0});
  EXPECT_EQ(2.0 * sum, Joules{6.0});
  EXPECT_EQ(sum / 2.0, Joules{1.5});
  EXPECT_LT(Joules{-1.0}, Joules{0.0});
}

// A kilowatt-hour is 1000 W for 3600 s.
TEST(Quantity, UnitsOutsideSiAreExact) {
  EXPECT_EQ(joules_per_kilowatt_hour, (Watts{1000.0} * Seconds{seconds_per_hour}).value());
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// The one place where {fmt} is compiled: its headers, without FMT_HEADER_ONLY, leave their heavy
// part to the library. The functions live in a namespace of ours (joulecast_fmt in
// src/CMakeLists.txt), so that they never meet the {fmt} of a program that links joulecast.
#include <fmt/format-inl.h>

// What {fmt}'s own format.cc makes of its templates.
FMT_BEGIN_NAMESPACE
namespace detail {
template auto dragonbox::to_decimal(float number) noexcept -> dragonbox::decimal_fp<float>;
template auto dragonbox::to_decimal(double number) noexcept -> dragonbox::decimal_fp<double>;
template locale_ref::locale_ref(const std::locale& locale);
template auto locale_ref::get<std::locale>() const -> std::locale;
template auto thousands_sep_impl(locale_ref locale) -> thousands_sep_result<char>;
template auto decimal_point_impl(locale_ref locale) -> char;
template void buffer<char>::append(const char* begin, const char* end);
}  // namespace detail
FMT_END_NAMESPACE

// SPDX-License-Identifier: Apache-2.0
#pragma once

// A shape as one field of the table: `key=value` pairs in a fixed order, separated by blanks.

#include "measurements/names.hpp"

#include <string>
#include <string_view>

namespace joulecast {

// Errors carry no place: the caller knows the file and line.
Result<MeasuredShape> parse_shape(ShapeKind kind, std::string_view text);

// Sizes from 1 to 2^40 (windows and paddings from 0), a kernel that fits its input, heads that
// divide: what `least_work` relies on.
Result<void> check_shape(const MeasuredShape& shape);

// `describe`, appended to what a caller collects row by row.
void append_shape(std::string& out, const MeasuredShape& shape);

}  // namespace joulecast

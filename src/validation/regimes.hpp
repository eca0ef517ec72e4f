// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which rows of a group are like training, which are skinny, which are its largest and smallest?

#include <joulecast/validation.hpp>

#include <span>

namespace joulecast {

// As large as in training, or too small to fill a device, by the bounds for its kind of shape.
bool is_training_shape(const MeasuredShape& shape);
bool is_skinny_shape(const MeasuredShape& shape);

// FLOPs of the least work, or its bytes where the operation has no FLOPs: what "large" is said of.
double size_of(const MeasuredWork& work);

// A row at or beyond a bound belongs to the fifth, so rows of equal size are in it together or not.
struct FifthBounds {
  double small = 0.0;
  double large = 0.0;
};
// Requires at least one size.
FifthBounds find_fifths(std::span<const double> sizes);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which rows at the start of a sweep timed the device waking up?

#include <joulecast/measurement.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace joulecast {

// `starts` are the indices at which a sweep begins, ascending. A row is marked if it is one of the
// first three of its operation in a sweep and took over three times as long as one of the ten that
// follow it and have at least as much work.
void mark_warm_up(std::span<Measurement> measurements, const std::vector<std::size_t>& starts);

}  // namespace joulecast

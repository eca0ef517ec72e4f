// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <joulecast/report.hpp>
#include <joulecast/validation.hpp>

#include <vector>

namespace joulecast {

// Each measured step beside its prediction, then each run. People are told of runs where they are
// sums of several rows.
std::vector<Table> list_measured_steps(const Validation& validation);

}  // namespace joulecast

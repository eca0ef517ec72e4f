// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a prediction assumes and what is doubtful about it, in words.

#include <joulecast/prediction.hpp>

namespace joulecast {

std::vector<Assumption> list_assumptions(const Prediction& prediction);

// Warnings about laws, devices and what the user did not state.
std::vector<Warning> list_warnings(const Prediction& prediction);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a prediction assumes and what is doubtful about it, in words.

#include <joulecast/prediction.hpp>

namespace joulecast {

// The law that answered for an operation of the prediction.
const Law& law_of(const Prediction& prediction, const OperationPrediction& entry);

// OperationPrediction::fitted_range_distance of an operation of so many FLOPs.
std::optional<double> distance_from_fit(const Law& law, Flops flops);

std::vector<Assumption> list_assumptions(const Prediction& prediction);

// Warnings about laws, devices and what the user did not state.
std::vector<Warning> list_warnings(const Prediction& prediction);

// Where the user gave laws and the prediction could draw on none of them.
std::optional<Warning> warn_of_unused_laws(const Prediction& prediction, const LawSet& given);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// The paper's convention, whole: forward attention only, its published laws, its percent slip and
// its energy regression (19), as in its worked example. Nothing else uses equation (19).
// Source: Mayaki & Charpenay, ECAI 2025, DOI 10.3233/FAIA250900.

#include <joulecast/prediction.hpp>

namespace joulecast {

// Fills operations, step, laws, paper figures and warnings. Durations in the result are physical
// seconds c / (v_max eta); the paper's figures stand beside them. Errors: unsupported, for devices
// models, precisions and run plans that the paper has nothing for.
Result<void> fill_paper_step(const PredictionRequest& request, Prediction& prediction);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far do the rows fix a saturation law?
//
// The bootstrap (Efron, Ann. Statist. 7 (1979) 1): as many rows as there are, drawn with
// replacement, are fitted anew, and again. Rows of one size count by their number and mean, so a
// resample is one pass over the draws; its minimum is sought from that of all rows by damped
// Gauss-Newton in (eta_max, ln k, alpha), whose normal equations are three by three. Where a
// resample has two minima, that is the one nearby.

#include "fitting/saturation_fit.hpp"

#include <span>
#include <vector>

namespace joulecast {

struct SaturationResampling {
  int resamples = 1000;
  unsigned threads = 0;  // 0: as many as the machine has; the result does not depend on it
};

// The law of each resample. `fit` is that of all samples with the same options. Resample b takes
// the rows of draw_rows (splitmix.hpp).
// Errors: as fit_saturation_law.
Result<std::vector<SaturationLaw>> resample_saturation_law(std::span<const HefSample> samples,
                                                           const SaturationFit& fit,
                                                           const SaturationFitOptions& options,
                                                           const SaturationResampling& how);

}  // namespace joulecast

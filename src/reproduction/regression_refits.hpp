// SPDX-License-Identifier: Apache-2.0
#pragma once

// What do the paper's regressions give on the released rows?

#include <joulecast/reproduction.hpp>

#include "fitting/linear.hpp"
#include "reproduction/author_tables.hpp"

#include <vector>

namespace joulecast {

// The durations of equation (19) in one unit, in the order of paper_operations: the table has the
// attention output in units a million times larger than the rest.
std::vector<Feature> make_step_features(const std::vector<TransformerStepRow>& rows);
std::vector<double> collect_energies(const std::vector<TransformerStepRow>& rows);

struct RegressionRefits {
  LinearFit step;  // Table 3: ridge, penalty 5, standardised features, all rows given
  LinearFit rnn;   // Table 4: ordinary least squares on centred features, all rows given
};

Result<RegressionRefits> refit_regressions(const AuthorTables& tables);

// Tables 3, 8 and 4; `refits` may be null, then all is quoted.
std::vector<ReproductionSection> compare_regressions(const PublishedNumbers& numbers,
                                                     const RegressionRefits* refits);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What do the paper's regressions give on the released rows?

#include <joulecast/reproduction.hpp>

#include "fitting/linear.hpp"
#include "reproduction/author_tables.hpp"

#include <optional>
#include <vector>

namespace joulecast {

// The durations of equation (19) in one unit, in the order of paper_operations: the table has the
// attention output in units a million times larger than the rest.
std::vector<Feature> make_step_features(const std::vector<TransformerStepRow>& rows);
std::vector<double> collect_energies(const std::vector<TransformerStepRow>& rows);

// Errors of a regression on rows that it was and was not fitted to, means over splits.
struct SplitErrors {
  double r_squared_train = 0.0;
  double r_squared_test = 0.0;
  double mean_absolute_error_test = 0.0;
};

struct RegressionRefits {
  LinearFit step;  // Table 3: ridge, penalty 5, standardised features, all rows given
  LinearFit rnn;   // Table 4: ordinary least squares on centred features, all rows given
  // The same on five splits of 80 % and 20 %; absent where a test part has no two energies.
  std::optional<SplitErrors> rnn_splits{};
};

Result<RegressionRefits> refit_regressions(const AuthorTables& tables);

// Tables 3, 4, the notebook behind Table 4, and Table 8; `refits` may be null, then all is quoted.
std::vector<ReproductionSection> compare_regressions(const PublishedNumbers& numbers,
                                                     const RegressionRefits* refits);

}  // namespace joulecast

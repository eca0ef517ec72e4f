// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which of the paper's claims does its released data carry?
//
// Nine findings, each with the numbers that show it, computed from whatever rows were given. What
// the release does not hold is quoted and says so.

#include <joulecast/reproduction.hpp>

#include "reproduction/author_tables.hpp"
#include "reproduction/law_refits.hpp"
#include "reproduction/regression_refits.hpp"

#include <vector>

namespace joulecast {

struct AuditInputs {
  const AuthorTables& tables;
  const std::vector<LawRefit>& laws;
  const RegressionRefits& regressions;
};

// `inputs` may be null: then all but the formulas' own evidence is quoted.
Result<std::vector<AuditPoint>> audit_release(const PublishedNumbers& numbers,
                                              const AuditInputs* inputs);

// The points one by one, grouped by what they look at.
AuditPoint audit_row_removal(const PublishedNumbers& numbers, const AuditInputs* inputs);       // 1
AuditPoint audit_copies(const AuditInputs* inputs);                                             // 2
AuditPoint audit_percent_slip(const AuditInputs* inputs);                                       // 3
Result<AuditPoint> audit_exchange(const PublishedNumbers& numbers, const AuditInputs* inputs);  // 4
Result<AuditPoint> audit_single_law(const AuditInputs* inputs);                                 // 5
AuditPoint audit_power(const AuditInputs* inputs);                                              // 6
Result<AuditPoint> audit_rnn_counter(const AuditInputs* inputs);                                // 7
AuditPoint audit_epoch(const AuditInputs* inputs);                                              // 8
AuditPoint audit_launch_overhead(const AuditInputs* inputs);                                    // 9

}  // namespace joulecast

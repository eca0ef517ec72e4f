// SPDX-License-Identifier: Apache-2.0
#pragma once

// Predicted rows -> metrics by subject, set, quantity and regime.

#include <joulecast/validation.hpp>

#include <vector>

namespace joulecast {

// Groups without rows are left out.
std::vector<ValidationGroup> make_groups(const std::vector<ValidationSubject>& subjects,
                                         const std::vector<ValidationRow>& rows);

}  // namespace joulecast

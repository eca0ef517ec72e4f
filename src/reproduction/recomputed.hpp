// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which published numbers follow from the paper's laws, coefficients and formulas alone?

#include <joulecast/reproduction.hpp>

namespace joulecast {

// Table 5, the worked example and Tables 9 and 10. An error only if the numbers given make a size
// or an energy impossible.
Result<std::vector<ReproductionSection>> recompute_published(const PublishedNumbers& numbers);

// How many cells of a grid use a law outside the FLOP range it was fitted on.
Result<std::size_t> count_extrapolated_cells(const PublishedNumbers& numbers,
                                             const PublishedGrid& grid);

}  // namespace joulecast

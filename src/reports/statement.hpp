// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <joulecast/prediction.hpp>

#include <string>

namespace joulecast {

// A paragraph for a paper or model card with what was assumed, and BibTeX of joulecast and of the
// paper whose method it follows.
std::string statement_of(const Prediction& prediction);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which joulecast made a result.

#include <string_view>

namespace joulecast {

std::string_view version();  // e.g. "0.1.0"
std::string_view commit();   // the commit it was built from, "+changes" if the tree differed

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// "Did you mean ...?": the known names nearest to what was typed.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// Lower case, letters and digits only: "A100 80GB-PCIe" -> "a10080gbpcie".
std::string fold_name(std::string_view name);

// At most `count` names, nearest first, only those that resemble `typed`.
std::vector<std::string> nearest_names(std::string_view typed, std::span<const std::string> known,
                                       std::size_t count = 3);

// "did you mean a100-80gb-pcie or a100-80gb-sxm?", or empty.
std::string did_you_mean(std::string_view typed, std::span<const std::string> known);

// Whether `typed` is most likely a slip of the pen for `meant`: one letter wrong, missing or too
// many, or two exchanged. Stricter than the names above, which only suggest: encoder and decoder,
// or minimum and maximum, are no slips of each other.
bool is_misspelling(std::string_view typed, std::string_view meant);

}  // namespace joulecast

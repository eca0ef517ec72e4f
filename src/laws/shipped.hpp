// SPDX-License-Identifier: Apache-2.0
#pragma once

// The law files that are part of the library, read one by one as they are asked for.

#include <joulecast/law.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// Beside NAME.json: every family that was tried, and the hashes of the rows.
inline constexpr std::string_view trials_ending = ".families.json";
inline constexpr std::string_view rows_ending = ".rows";

// Ascending.
const std::vector<LawId>& all_shipped_ids();
// The embedded file of a law, with the ending of its kind.
std::string shipped_name(const LawId& id, std::string_view ending);
// Absent where the family was not tried. Without the hashes of the rows.
std::optional<Law> load_shipped(const LawId& id, std::string_view family);
// Null for a device that is not shipped: laws name devices by their ids, so nothing is guessed.
const Device* shipped_device(std::string_view id);

// A committee for what was not measured on the device; absent where no law can stand in.
std::optional<Law> transfer_shipped(const Device& device, MeasuredPrecision precision,
                                    const std::string& operation, const LawRequest& request);

// What other devices tell about kernels in general rests on more of them than what they tell about
// an operation of this name, which comes first in `law_names`.
std::vector<std::string_view> general_first(std::vector<std::string_view> names);

}  // namespace joulecast

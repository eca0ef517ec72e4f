// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far off are committees of laws on a device that none of them has seen? Each measured device
// is left out in turn.

#include "calibration/group.hpp"

#include <joulecast/fit.hpp>

#include <filesystem>
#include <span>
#include <vector>

namespace joulecast {

// For every precision and operation that two devices of a vendor at least were measured in.
std::vector<TransferFit> judge_transfers(std::span<const LawFit> laws,
                                         std::span<const FitGroup> groups,
                                         const DeviceCatalogue& devices);

Result<void> save_transfers(const std::filesystem::path& directory,
                            std::span<const TransferFit> transfers);

}  // namespace joulecast

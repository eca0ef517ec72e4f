// SPDX-License-Identifier: Apache-2.0
#pragma once

// One accelerator of the shipped table, without reading the others: few laws of other devices stand
// behind a prediction.

#include <joulecast/device.hpp>

#include <optional>
#include <string_view>

namespace joulecast {

// By its exact id; nothing for others.
std::optional<Device> find_shipped_device(std::string_view id);

}  // namespace joulecast

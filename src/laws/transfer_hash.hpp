// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which transferred law is this? A committee stands in no file whose bytes could be hashed, so its
// hash is that of what it was formed from, in text.

#include <joulecast/law.hpp>

#include <span>
#include <string>
#include <string_view>

namespace joulecast {

// The hash that a law file states of its own content, as `fit` wrote it; empty where it states
// none. Reading it costs nothing, computing it would cost more than the prediction.
std::string_view stated_content_hash(std::string_view law_file);

// SHA-256 over the facts of the device, the hash of every donor's file with its weight and its
// parameters as asked on this device, and the interval and errors that the record of transfers
// gives. `donor_hashes` are in the order of the members. Requires a CommitteeLaw.
std::string hash_of_transfer(const Law& law, const DeviceFacts& to,
                             std::span<const std::string_view> donor_hashes);

}  // namespace joulecast

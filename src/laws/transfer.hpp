// SPDX-License-Identifier: Apache-2.0
#pragma once

// What do laws of measured devices say about a device that nobody measured?
//
// A law's parameters are shares, counts and times of hosts and kernels: they are taken over, and
// the facts of the device stand in for those of the measured ones. Several laws form a committee
// that averages logarithms, with more weight for more similar devices.

#include <joulecast/law.hpp>

#include <span>
#include <vector>

namespace joulecast {

// How much a device counts as a source for another, above 0; not normalised. The squared distance
// of their facts in logarithms, and 1.5 for kernels of another generation:
//   w = 1 / (D + 0.3)^2.
double similarity(const DeviceFacts& from, const DeviceFacts& to);

struct TransferSource {
  const Law* law = nullptr;  // a FamilyLaw
  DeviceFacts facts{};       // of the law's device, in the law's precision
};

// A law for the device `to`, in the precision and for the operation of the sources. Requires a
// source at least. The interval is absent; whoever measured transfers states it.
Law form_committee(std::span<const TransferSource> sources, const Device& device,
                   const DeviceFacts& to, MeasuredPrecision precision);

// The precisions whose laws may stand in for one that was not measured, the nearest first: the same
// kernels at another rate. Products outside the tensor cores have none.
std::vector<MeasuredPrecision> stand_ins(MeasuredPrecision precision, std::string_view operation);

}  // namespace joulecast

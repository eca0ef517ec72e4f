// SPDX-License-Identifier: Apache-2.0
#pragma once

// What do laws of measured devices say about a device that nobody measured?
//
// A law's parameters are shares, counts and times: most are taken over, and the facts of the device
// stand in for those of the measured ones. Several laws form a committee that averages logarithms,
//   ln t = sum_j W_j ln t_j,  W_j proportional to (D_j + 0.1)^-1.5
//   D_j  = sum of ln^2(ratio) over v, BW, SM, P_limit + ((year - year_j) / 2)^2,
// and 9 more for block-scaled products of another architecture.
// Constants and rules here were chosen with each measured device left out in turn (own study over
// BF16 and FP32 operations; docs/decisions/0013).

#include <joulecast/law.hpp>

#include <span>
#include <vector>

namespace joulecast {

// W_j above, not normalised. A year that is not known does not count.
double similarity(std::string_view family, const DeviceFacts& from, const DeviceFacts& to);

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

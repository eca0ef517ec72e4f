// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many tokens does each expert get on the busiest of the devices that share a layer?
//
// The layer waits for that device. Every one of T tokens visits k of E experts, so there are T k
// visits; a device holds E_l = E / ep experts. The loads are deterministic: they stand for the
// expected draw, not for one of them.
//   balanced              T k > E: every expert gets T k / E, else T k / ep experts get one each
//   power_law_<alpha>     visits x of an expert follow x^-alpha; expert i of E has the quantile at
//                         (i + 1/2) / E, scaled to T k visits, rounded, at most T
// Any other name is taken as balanced. With ep > 1 under a power law, the busiest device gets
//   S = T k / ep + z(ep) sqrt(var E_l (1 - E_l / E))
// visits: its experts are a sample without replacement of all E, whose loads have the variance
// var, and z is the expected maximum of ep standard normals. The recipe for power laws follows the
// open collector of the sweeps (aiconfigurator) as far as its timings show it.

#include <joulecast/measurement.hpp>

#include <vector>

namespace joulecast {

// Of the experts that get a token, each at least 1, at most T. Requires sizes above 0.
std::vector<double> busiest_expert_loads(const MoeShape& shape);

}  // namespace joulecast

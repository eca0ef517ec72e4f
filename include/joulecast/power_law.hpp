// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much power does a board draw while one operation runs?
//
// An energy roofline with two terms for what a running kernel draws apart from its work. With F
// FLOPs and B bytes of memory in t seconds, and the share o of the multiprocessors that have
// something to do:
//   q = P_idle + P_on + P_occ o + (e_flop F + e_byte B) / t
//   P = (q^-s + c^-s)^(-1/s),  c = f P_limit
// q is what the work asks for. A board holds its limit by lowering its clock, so P is the smaller
// of q and c with a corner rounded by s. As q > 0 and f <= 1, 0 < P <= P_limit always; P grows with
// every rate and with o, and P t grows with t at given work (dlnP/dlnt >= -1): a slower run of the
// same work is never cheaper.
//
// Source: the energy roofline E = W e_flop + Q e_mem + pi_0 T of J. W. Choi, D. Bedard, R. Fowler,
// R. Vuduc, IPDPS 2013, DOI 10.1109/IPDPS.2013.77. Occupancy and corner: own study of public
// kernel sweeps (aiconfigurator 095f58a5); docs/theory.md.

#include <joulecast/law_family.hpp>

namespace joulecast {

// From this share of the limit on a board counts as held by it; intervals differ below and above.
inline constexpr double at_limit_share = 0.9;

struct PowerLaw {
  double power_limit_watts = 0.0;  // under which the rows were measured
  double idle_watts = 0.0;         // P_idle, drawn between kernels; stated, kernels do not tell it
  double active_watts = 0.0;       // P_on, more of it while any kernel runs
  double occupancy_watts = 0.0;    // P_occ, more of it with every multiprocessor in use
  double joules_per_flop = 0.0;    // e_flop, with the operands' way through caches
  double joules_per_byte = 0.0;    // e_byte, of memory
  double limit_fraction = 1.0;     // f, in (0, 1]
  double sharpness = 10.0;         // s, > 0

  bool operator==(const PowerLaw&) const = default;
};

struct PowerQuestion {
  double duration_seconds = 0.0;
  double flops = 0.0;
  double bytes = 0.0;
  double occupied_fraction = 0.0;  // of the multiprocessors, in [0, 1]
  double power_limit_watts = 0.0;  // of the board asked about
};

// What the law is asked about an execution that takes so long. FLOPs and bytes are the question's,
// but for experts, whose weights are read as their visits demand; the tiles of common kernels tell
// how many multiprocessors they keep busy.
PowerQuestion power_question(const LawQuestion& question, double duration_seconds);

// Watts, in (0, limit]. Requires a duration and a limit above 0.
double evaluate_power(const PowerLaw& law, const PowerQuestion& question);

// q, what the work asks for, which may exceed the limit.
double demanded_power(const PowerLaw& law, const PowerQuestion& question);

}  // namespace joulecast

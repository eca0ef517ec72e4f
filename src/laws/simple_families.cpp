// SPDX-License-Identifier: Apache-2.0
// Families that see only the FLOPs and bytes of an operation. They are what tile-aware families
// must beat, and what operations of little data get.
#include "laws/families.hpp"

#include <algorithm>
#include <cmath>

namespace joulecast {
namespace {

using Values = std::span<const double>;

bool covers_flops(std::string_view, MeasuredPrecision) { return true; }

double least_seconds(const LawQuestion& question) {
  return question.flops / question.facts.peak_flops_per_second;
}

// eta = eta_max (1 - exp(-k C^alpha)), C in TFLOP; t = c / (v eta).
// Mayaki & Charpenay, ECAI 2025, equations (3) and (4).
double saturation(Values p, const LawQuestion& question) {
  const double scaled = std::max(question.flops, 1.0) * 1e-12;
  const double eta = -p[0] * std::expm1(-p[1] * std::pow(scaled, p[2]));
  return std::max(question.flops, 1.0) / (question.facts.peak_flops_per_second * eta);
}

// eta = eta_max c^a / (c^a + h^a): Hill 1910, half of the maximum at c = h FLOPs.
double hill(Values p, const LawQuestion& question) {
  const double flops = std::max(question.flops, 1.0);
  const double eta = p[0] / (1.0 + std::pow(p[1] / flops, p[2]));
  return flops / (question.facts.peak_flops_per_second * eta);
}

// t = t0 + c / (v eta): a launch and a constant rate.
double launch(Values p, const LawQuestion& question) {
  return p[0] + least_seconds(question) / p[1];
}

// t = t0 + ((c / (v eta))^q + (bytes / (beta BW))^q)^(1/q): the roofline of Williams, Waterman &
// Patterson 2009 (DOI 10.1145/1498765.1498785) with a launch and a rounded ridge.
double roofline(Values p, const LawQuestion& question) {
  const double work = least_seconds(question) / p[1];
  const double traffic = question.bytes / (p[2] * question.facts.bandwidth_bytes_per_second);
  return p[0] + power_sum(work, traffic, p[3]);
}

}  // namespace

std::vector<LawFamily> simple_families() {
  const LawParameter launch_time{"launch_seconds", "time that every execution takes", 1e-8, 5e-2,
                                 5e-6};
  const LawParameter eta{"eta_max", "share of the peak that large operations reach", 0.005, 1.0,
                         0.7};
  return {
      {.name = "paper",
       .formula = "eta = eta_max (1 - exp(-k C^alpha)), C in TFLOP; t = c / (v eta)",
       .source = "Mayaki & Charpenay, ECAI 2025, DOI 10.3233/FAIA250900, equations (3) and (4)",
       .parameters = {{"eta_max", "largest share of the peak", 1e-5, 1.0, 0.7},
                      {"saturation_rate", "k", 1e-3, 1e7, 20.0},
                      {"saturation_exponent", "alpha", 0.05, 3.0, 0.8}},
       .other_starts = {{0.3, 3.0, 0.5}, {0.6, 1e3, 1.0}},
       .takes_any_shape = true,
       .covers = covers_flops,
       .seconds = saturation},
      {.name = "hill",
       .formula = "eta = eta_max c^a / (c^a + h^a); t = c / (v eta)",
       .source = "A. V. Hill, J. Physiol. 40 (1910) iv",
       .parameters = {{"eta_max", "largest share of the peak", 1e-5, 1.0, 0.7},
                      {"half_flops", "work at which half of it is reached", 1e3, 1e15, 1e10},
                      {"exponent", "a", 0.1, 3.0, 0.9}},
       .other_starts = {{0.5, 1e8, 0.7}},
       .takes_any_shape = true,
       .covers = covers_flops,
       .seconds = hill},
      {.name = "launch",
       .formula = "t = launch + c / (v eta)",
       .source = "the simplest law with a launch",
       .parameters = {launch_time, eta},
       .other_starts = {{2e-4, 0.3}},
       .takes_any_shape = true,
       .covers = covers_flops,
       .seconds = launch},
      {.name = "rounded_roofline",
       .formula = "t = launch + ((c / (v eta))^q + (bytes / (beta BW))^q)^(1/q)",
       .source = "Williams, Waterman & Patterson 2009, DOI 10.1145/1498765.1498785, with a launch",
       .parameters = {launch_time,
                      eta,
                      {"bandwidth_share", "share of the bandwidth that is reached", 0.02, 1.0, 0.8},
                      {"ridge_exponent", "q, how sharp the ridge is", 1.0, 8.0, 2.5}},
       .other_starts = {{2e-4, 0.3, 0.3, 2.0}},
       .takes_any_shape = true,
       .covers = covers_flops,
       .seconds = roofline},
  };
}

}  // namespace joulecast

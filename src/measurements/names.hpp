// SPDX-License-Identifier: Apache-2.0
#pragma once

// The words of a measurement table, and which operation has which kind of shape and what its
// elements cost.

#include <joulecast/measurement.hpp>

#include <optional>
#include <string_view>

namespace joulecast {

std::optional<MeasuredPhase> measured_phase_from(std::string_view name);
std::optional<MeasuredPrecision> measured_precision_from(std::string_view name);
std::optional<EnergyKind> energy_kind_from(std::string_view name);
std::optional<Mark> mark_from(std::string_view name);

// In the order of the alternatives of `MeasuredShape`.
enum class ShapeKind { matmul, elements, attention, moe, convolution, step };

struct MeasuredOperation {
  std::string_view name;
  ShapeKind shape = ShapeKind::elements;
  double flops = 0.0;   // per element
  double reads = 0.0;   // elements read per result
  double writes = 0.0;  // elements written per result
};

// Or null.
const MeasuredOperation* find_measured_operation(std::string_view name);

// Storage of one number, without its share of the scales: the least it can take.
double bytes_per_number(MeasuredPrecision precision);
// With its share of the scales where a block is short enough for it to count.
double bytes_with_scales(MeasuredPrecision precision);

}  // namespace joulecast

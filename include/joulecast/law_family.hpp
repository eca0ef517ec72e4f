// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which formulas can give the duration of an operation on a device, and what are their parameters?
//
// A family is one formula with named, bounded, positive parameters. A fitted law is a family with
// values for one device, precision and operation; the shape of the operation and the facts of the
// device's data sheet enter the formula as they are, so a law says something about shapes that
// nobody measured, and, with parameters learnt over several devices, about devices that nobody
// measured. All families are admissible by their bounds: durations are positive, never shorter than
// the operation takes at the device's peak, and do not fall when the work grows by whole tiles.
// docs/theory.md states each formula with its source.

#include <joulecast/device.hpp>
#include <joulecast/error.hpp>
#include <joulecast/measurement.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// What the formulas use of a device. Rates are those of the data sheet.
struct DeviceFacts {
  double peak_flops_per_second = 0.0;  // of the precision the law is for, dense
  double bandwidth_bytes_per_second = 0.0;
  double multiprocessors = 0.0;
  double l2_bytes = 0.0;
  double power_limit_watts = 0.0;
  std::string architecture{};
  // What transfers between devices go by beside the above; no formula does. 0 where not known.
  double launch_year = 0.0;
  double clock_hertz = 0.0;  // at which the data sheet states its FP32 rate
  double fp32_flops_per_second = 0.0;
};

// Errors: unsupported, naming the figure that the device file lacks.
Result<DeviceFacts> facts_of(const Device& device, MeasuredPrecision precision);

struct LawParameter {
  std::string_view name{};     // unit as the last word, or a pure number
  std::string_view meaning{};  // in a few words
  double lowest = 0.0;         // bounds, above 0
  double highest = 0.0;
  double start = 0.0;
};

// What a law is asked about: one execution of an operation. FLOPs and bytes are the least work the
// operation can do (`least_work`, or the operation list of a model).
struct LawQuestion {
  std::string_view operation{};  // a name among `measured_operations()`
  const MeasuredShape& shape;
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  double flops = 0.0;
  double bytes = 0.0;
  const DeviceFacts& facts;
};

struct LawFamily {
  std::string_view name{};
  std::string_view formula{};  // one line, for people
  std::string_view source{};
  std::vector<LawParameter> parameters{};
  // Values that a fit tries first, beside those of `LawParameter::start`: a formula with a minimum
  // over tiles has several valleys.
  std::vector<std::vector<double>> other_starts{};
  bool takes_any_shape = false;  // the formula uses FLOPs and bytes alone
  std::size_t fit_rows = 3000;   // so many rows fix the parameters; costly formulas take fewer
  // Whether the family can be asked about the operation.
  bool (*covers)(std::string_view operation, MeasuredPrecision precision) = nullptr;
  // Seconds of one execution. Requires a shape of the kind that `covers` promises.
  double (*seconds)(std::span<const double> parameters, const LawQuestion& question) = nullptr;
};

// What a measured row asks, by its least work. The row and the facts must outlive the question.
LawQuestion question_of(const Measurement& row, const DeviceFacts& facts);

// Whether the formula covers the operation and takes a shape of its kind.
bool family_answers(const LawFamily& family, const LawQuestion& question);

std::span<const LawFamily> law_families();
// Null for a name that no family has.
const LawFamily* find_family(std::string_view name);

}  // namespace joulecast

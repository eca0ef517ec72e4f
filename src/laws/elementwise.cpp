// SPDX-License-Identifier: Apache-2.0
// Operations that read and write more than they compute: elementwise passes and those that reduce
// the rows of a matrix. Own study of public measurements (NeuSight 6945927d: FP32 on five NVIDIA
// and two AMD boards; vidur 7d475133: FP16 layers; MansMayaki/MLEnergyConsumption: softmax);
// docs/theory.md.
//
// A call takes the host t_host to make and the device t_k0 + w to run; calls follow each other, so
// the slower of the two is seen, with a corner that is rounded by q:
//   t = |(t_host, t_k0 + w)|_q
// elementwise: what fits the share kappa of L2 was left there by the operation before, and moves
// rho times as fast as memory:
//   w = (bytes - near + near / rho) / (beta BW),  near = min(bytes, kappa L2)
// rows of H numbers, R of them: a multiprocessor works on one row after the other while memory
// moves the bytes, together |(memory, rows)|_p.
//   softmax, H <= 1024 (a warp holds a row in registers, of which there is a power of two):
//     memory = bytes / (beta_s BW),  rows = R c_s (2^ceil(log2 H) / 1024) / SM
//   softmax, H > 1024, and norms (a block per row, 512 numbers at a step; rows that outgrow its
//   registers are read again, fully from H = 4096 on):
//     memory = bytes (1 + again clamp(log2(H / 1024) / 2, 0, 1)) / (beta_l BW)
//     rows   = R (c_row + c_step ceil(H / 512)) / SM
// In each w is at least FLOPs / v, which no bandwidth share excludes where a device computes
// slowly. Bytes are the question's, so backward operations and narrow formats are priced by what
// they move.
#include "laws/families.hpp"
#include "measurements/names.hpp"

#include <bit>
#include <cassert>

namespace joulecast {
namespace {

using Values = std::span<const double>;

double peak_seconds(const LawQuestion& question) {
  return question.flops / question.facts.peak_flops_per_second;
}

double elementwise(Values p, const LawQuestion& question) {
  const double near = std::min(question.bytes, p[3] * question.facts.l2_bytes);
  const double far = question.bytes - near;
  const double memory = (far + near / p[4]) / (p[2] * question.facts.bandwidth_bytes_per_second);
  return power_sum(p[0], p[1] + std::max(memory, peak_seconds(question)), p[5]);
}

// The matrix of a row operation.
struct Rows {
  double count, width, bytes;
};

Rows rows_of(const LawQuestion& question) {
  const auto* shape = std::get_if<ElementShape>(&question.shape);
  assert(shape != nullptr && "covers() lets elements through only");
  const auto width = static_cast<double>(std::max<std::int64_t>(shape->width, 1));
  return {static_cast<double>(shape->elements) / width, width, question.bytes};
}

constexpr double widest_warp_row = 1024.0;

struct RowKernel {
  double bandwidth_share;
  double row_seconds;   // of a row of 1024 in a warp; of any row in a block
  double step_seconds;  // per 512 numbers
  double read_again;
};

double warp_seconds(const RowKernel& kernel, double overlap, const Rows& rows,
                    const DeviceFacts& facts) {
  const double held = static_cast<double>(std::bit_ceil(static_cast<std::uint64_t>(rows.width)));
  const double compute =
      rows.count * kernel.row_seconds * (held / widest_warp_row) / facts.multiprocessors;
  const double memory = rows.bytes / (kernel.bandwidth_share * facts.bandwidth_bytes_per_second);
  return power_sum(memory, compute, overlap);
}

double block_seconds(const RowKernel& kernel, double overlap, const Rows& rows,
                     const DeviceFacts& facts) {
  const double again =
      kernel.read_again * std::clamp(std::log2(rows.width / widest_warp_row) / 2.0, 0.0, 1.0);
  const double compute =
      rows.count * (kernel.row_seconds + kernel.step_seconds * std::ceil(rows.width / 512.0)) /
      facts.multiprocessors;
  const double memory =
      rows.bytes * (1.0 + again) / (kernel.bandwidth_share * facts.bandwidth_bytes_per_second);
  return power_sum(memory, compute, overlap);
}

double row_norm(Values p, const LawQuestion& question) {
  const RowKernel block{p[3], p[4], p[5], p[6]};
  const double work = block_seconds(block, p[7], rows_of(question), question.facts);
  return power_sum(p[0], p[1] + std::max(work, peak_seconds(question)), p[2]);
}

double row_softmax(Values p, const LawQuestion& question) {
  const RowKernel block{p[3], p[4], p[5], p[6]};
  const RowKernel warp{p[8], p[9], 0.0, 0.0};
  Rows rows = rows_of(question);
  double work = 0.0;
  if (rows.width <= widest_warp_row) {
    work = warp_seconds(warp, p[7], rows, question.facts);
  } else {
    work = block_seconds(block, p[7], rows, question.facts);
    // Wider rows take no less than the widest that a warp holds, whatever the two kernels' values.
    rows.bytes *= widest_warp_row / rows.width;
    rows.width = widest_warp_row;
    work = std::max(work, warp_seconds(warp, p[7], rows, question.facts));
  }
  return power_sum(p[0], p[1] + std::max(work, peak_seconds(question)), p[2]);
}

bool covers_elements(std::string_view operation, MeasuredPrecision) {
  const MeasuredOperation* known = find_measured_operation(operation);
  return known != nullptr && known->shape == ShapeKind::elements;
}
bool covers_norm(std::string_view operation, MeasuredPrecision) {
  return operation == "layer_norm" || operation == "rms_norm";
}
bool covers_softmax(std::string_view operation, MeasuredPrecision) {
  return operation == "softmax";
}

constexpr std::string_view own_study =
    "own study of public measurements (NeuSight 6945927d, vidur 7d475133); docs/theory.md";

const LawParameter host_time{"host_seconds", "host time of a call", 5e-7, 1.5e-3, 3e-5};
const LawParameter kernel_time{"kernel_seconds", "start and end of a kernel", 2e-7, 4e-4, 1.2e-5};
const LawParameter corner{"corner_exponent", "q, of host and device time", 1.0, 40.0, 12.0};

std::vector<LawParameter> block_parameters() {
  return {host_time,
          kernel_time,
          corner,
          {"block_bandwidth_share", "beta_l, a block per row", 0.05, 1.0, 0.6},
          {"block_row_seconds", "c_row, of a multiprocessor on a row", 1e-9, 1e-5, 3e-7},
          {"block_step_seconds", "c_step, per 512 numbers of it", 1e-10, 2e-6, 5e-8},
          {"read_again", "share of long rows that is read twice", 1e-3, 1.5, 0.2},
          {"overlap_exponent", "p, of memory and row time", 1.0, 12.0, 3.0}};
}

std::vector<double> start_with(const std::vector<LawParameter>& parameters, double host,
                               double kernel, std::size_t place, double value) {
  std::vector<double> start;
  for (const LawParameter& parameter : parameters) start.push_back(parameter.start);
  start[0] = host;
  start[1] = kernel;
  start[place] = value;
  return start;
}

}  // namespace

std::vector<LawFamily> elementwise_families() {
  const std::vector<LawParameter> plain = {
      host_time,
      kernel_time,
      {"bandwidth_share", "beta", 0.05, 1.0, 0.85},
      {"cache_share", "kappa, share of L2 that holds operands", 1e-3, 1.0, 0.3},
      {"cache_speed", "rho, of L2 relative to memory", 1.01, 8.0, 2.0},
      corner};
  const std::vector<LawParameter> norm = block_parameters();
  std::vector<LawParameter> softmax = norm;
  softmax.push_back({"warp_bandwidth_share", "beta_s, a warp per row", 0.05, 1.0, 0.7});
  softmax.push_back(
      {"warp_row_seconds", "c_s, of a multiprocessor on a row of 1024", 1e-10, 3e-6, 2e-8});
  // Hosts differ by two decades: a bare loop of kernels, a framework, a framework that waits.
  const auto starts = [](const std::vector<LawParameter>& parameters, std::size_t share) {
    return std::vector{start_with(parameters, 2e-6, 1e-6, share, 0.8),
                       start_with(parameters, 3e-5, 1.2e-5, share, 0.4),
                       start_with(parameters, 2.5e-4, 4e-5, share, 0.8)};
  };
  return {{.name = "elementwise",
           .formula = "t = |(host, kernel + (far + near / rho) / (beta BW))|_q",
           .source = own_study,
           .parameters = plain,
           .other_starts = starts(plain, 2),
           .covers = covers_elements,
           .seconds = elementwise},
          {.name = "row_norm",
           .formula = "t = |(host, kernel + |(bytes' / (beta BW), R c(H) / SM)|_p)|_q",
           .source = own_study,
           .parameters = norm,
           .other_starts = starts(norm, 3),
           .covers = covers_norm,
           .seconds = row_norm},
          {.name = "row_softmax",
           .formula = "t of row_norm for rows over 1024, below of a warp per row",
           .source = own_study,
           .parameters = softmax,
           .other_starts = starts(softmax, 3),
           .covers = covers_softmax,
           .seconds = row_softmax}};
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// A layer of experts: two grouped matrix products, one group per expert, and passes over the rows
// of the tokens between them. Own study of public kernel sweeps (aiconfigurator 095f58a5);
// docs/theory.md.
//
// T tokens visit k experts each; experts are gated, so the products have N x K of 2 I_l x H and
// H x I_l, I_l = I / tp. n_e: tokens of expert e on the busiest device (laws/moe_loads.hpp). With
// tiles of bm rows (the same in both products) and the best bn of 32, 64, 128 columns on SM
// multiprocessors, e bytes per number,
//   x   = ceil(N/bn) sum_e ceil(n_e/bm) / SM                  tiles per multiprocessor
//   tau = SM |2 bm bn / (v eta), (bm + bn) e / (phi u BW)|_4   per step of K: products, operands
//   t_c = K |ceil(x) tau, lambda|_4 + kappa max(x, 1)
//   t_b = active N K e / (beta u BW)                           weights of experts with a token
//   t_g = |min over bn of t_c, t_b|_q
//   t   = t_0 + min over bm of (t_g(2 I_l, H) + t_g(H, I_l)) + T k ((c_I I_l + c_H H) / BW + r).
// u < 1 where K is no multiple of 16 numbers, which vector loads need. Kernels for over 64 tokens
// are tuned apart: beta is times a share, lambda is larger. Activation, conversion and the sum over
// the k experts pass over all T k rows, also those of other devices. ceil(x) bm bn SM is never
// below the results of the device, hence the rate never above eta v.
#include "laws/families.hpp"
#include "laws/moe_loads.hpp"
#include "measurements/names.hpp"

#include <array>
#include <cassert>
#include <limits>
#include <map>
#include <tuple>

namespace joulecast {
namespace {

constexpr std::array<double, 4> tile_rows = {16.0, 32.0, 64.0, 128.0};
constexpr std::array<double, 3> tile_columns = {32.0, 64.0, 128.0};
constexpr double most_few_tokens = 64.0;

double real(std::int64_t count) { return static_cast<double>(count); }

// What the products need of the loads.
struct Groups {
  double active = 0.0;                               // experts with a token
  std::array<double, tile_rows.size()> row_tiles{};  // sum of ceil(n_e / bm), per bm
};

Groups count_groups(const MoeShape& shape) {
  Groups groups;
  for (const double load : busiest_expert_loads(shape)) {
    groups.active += 1.0;
    for (std::size_t i = 0; i < tile_rows.size(); ++i) {
      groups.row_tiles[i] += std::ceil(load / tile_rows[i] - 1e-9);
    }
  }
  return groups;
}

// A fit asks about the same few thousand shapes again and again, and dealing out tokens costs
// more than the rest of the formula. The cache changes no answer.
Groups groups_of(const MoeShape& shape) {
  using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::string>;
  constexpr std::size_t most_entries = 16384;
  thread_local std::map<Key, Groups> known;
  const Key key{shape.tokens, shape.top_k, shape.num_experts, shape.expert_parallel_size,
                shape.distribution};
  if (const auto found = known.find(key); found != known.end()) return found->second;
  if (known.size() >= most_entries) known.clear();
  return known.emplace(key, count_groups(shape)).first->second;
}

using Values = std::span<const double>;
enum Place : std::size_t {
  launch,
  eta,
  bandwidth,
  many_bandwidth,
  operand_reuse,
  tile_time,
  step_time,
  many_step_time,
  corner,
  misaligned,
  inner_bytes,
  hidden_bytes,
  row_time
};

double fourth_root_of_sum(double a, double b) {
  return std::sqrt(std::sqrt(a * a * a * a + b * b * b * b));
}

// The parameters as they hold for one layer, with what its device brings.
struct Kernel {
  double flops_per_second, bytes_per_second, operand_bytes_per_second;
  double multiprocessors, number_bytes;
  double tile_time, step_time, corner, misaligned;
};

Kernel kernel_of(Values p, const LawQuestion& question, const MoeShape& shape) {
  const bool many = real(shape.tokens) > most_few_tokens;
  const double memory = question.facts.bandwidth_bytes_per_second;
  return {.flops_per_second = question.facts.peak_flops_per_second * p[eta],
          .bytes_per_second = memory * p[bandwidth] * (many ? p[many_bandwidth] : 1.0),
          .operand_bytes_per_second = memory * p[operand_reuse],
          .multiprocessors = question.facts.multiprocessors,
          .number_bytes = bytes_with_scales(question.precision),
          .tile_time = p[tile_time],
          .step_time = p[step_time] + (many ? p[many_step_time] : 0.0),
          .corner = p[corner],
          .misaligned = p[misaligned]};
}

double product_seconds(const Kernel& kernel, double rows, double row_tiles, double active, double n,
                       double k) {
  const double sm = kernel.multiprocessors;
  const double loads = std::fmod(k, 16.0) != 0.0 ? kernel.misaligned : 1.0;
  double best = std::numeric_limits<double>::infinity();
  for (const double columns : tile_columns) {
    const double share = row_tiles * std::ceil(n / columns) / sm;
    const double products = 2.0 * rows * columns / kernel.flops_per_second;
    const double operands =
        (rows + columns) * kernel.number_bytes / (loads * kernel.operand_bytes_per_second);
    const double waves = std::ceil(share) * sm * fourth_root_of_sum(products, operands);
    best = std::min(best, k * fourth_root_of_sum(waves, kernel.step_time) +
                              kernel.tile_time * std::max(share, 1.0));
  }
  const double weights = active * n * k * kernel.number_bytes / (loads * kernel.bytes_per_second);
  return power_sum(best, weights, kernel.corner);
}

double seconds(Values p, const LawQuestion& question) {
  const auto* shape = std::get_if<MoeShape>(&question.shape);
  assert(shape != nullptr && "covers() lets layers of experts through only");
  const Groups groups = groups_of(*shape);
  const Kernel kernel = kernel_of(p, question, *shape);
  const double hidden = real(shape->hidden_size);
  const double inner = real(shape->intermediate_size) / real(shape->tensor_parallel_size);
  // Kernels that scale per block have no tile of 128 rows.
  const std::size_t menu =
      tile_rows.size() - (question.precision == MeasuredPrecision::fp8_block ? 1 : 0);
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < menu; ++i) {
    const auto product = [&](double n, double k) {
      return product_seconds(kernel, tile_rows[i], groups.row_tiles[i], groups.active, n, k);
    };
    best = std::min(best, product(2.0 * inner, hidden) + product(hidden, inner));
  }
  const double rows = real(shape->tokens) * real(shape->top_k);
  return p[launch] + best +
         rows * ((p[inner_bytes] * inner + p[hidden_bytes] * hidden) /
                     question.facts.bandwidth_bytes_per_second +
                 p[row_time]);
}

bool covers(std::string_view operation, MeasuredPrecision) { return operation == "moe"; }

}  // namespace

std::vector<LawFamily> moe_families() {
  LawFamily family{
      .name = "grouped_matmul",
      .formula =
          "t = t_0 + min over bm of (t_g(2 I, H) + t_g(H, I)) + T k ((c_I I + c_H H) / BW + r)",
      .source = "own study of public kernel sweeps (aiconfigurator 095f58a5); docs/theory.md",
      .parameters = {{"launch_seconds", "t_0, of all kernels of the layer", 1e-6, 8e-5, 1.5e-5},
                     {"eta", "share of the peak inside a tile", 0.05, 1.0, 0.6},
                     {"bandwidth_share", "beta, reading weights, to 64 tokens", 0.1, 1.0, 0.8},
                     {"many_bandwidth_share", "of beta, for more tokens", 0.1, 1.0, 0.9},
                     {"operand_reuse", "phi, operand traffic of tiles, of the bandwidth", 0.3, 20.0,
                      2.0},
                     {"tile_seconds", "kappa, start and end of a tile", 1e-9, 5e-6, 2e-7},
                     {"k_step_seconds", "lambda, least time of one step of K", 5e-11, 4e-8, 2.5e-9},
                     {"many_k_step_seconds", "more of lambda over 64 tokens", 1e-11, 4e-8, 4e-9},
                     {"corner_exponent", "q", 1.0, 8.0, 2.0},
                     {"misaligned_rate", "u, of loads where K is no multiple of 16", 0.01, 1.0,
                      0.4},
                     {"inner_bytes", "c_I, moved per row and column of I", 0.1, 120.0, 10.0},
                     {"hidden_bytes", "c_H, moved per row and column of H", 0.1, 120.0, 10.0},
                     {"row_seconds", "r, per row of a token at an expert", 1e-12, 5e-8, 1e-10}},
      .other_starts = {{2e-5, 0.35, 0.9, 0.9, 15.0, 8e-7, 4.5e-9, 1.5e-9, 1.5, 0.4, 30.0, 7.0,
                        4e-10},
                       {1.7e-5, 0.95, 0.95, 1.0, 2.0, 1e-6, 2.3e-9, 7e-9, 1.4, 0.06, 27.0, 12.0,
                        5e-10}},
      .covers = covers,
      .seconds = seconds};
  return {family};
}

}  // namespace joulecast

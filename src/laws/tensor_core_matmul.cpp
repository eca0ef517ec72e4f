// SPDX-License-Identifier: Apache-2.0
// Matrix products on tensor cores, as a library runs them: of a menu of tiles and split-K factors
// the fastest is taken. Own study of public kernel sweeps (aiconfigurator 095f58a5);
// docs/theory.md.
//
// A product of M x N results over K takes, with a tile of bm x bn and K split S ways on SM
// multiprocessors,
//   X = batch ceil(M/bm) ceil(N/bn) S / SM          tiles per multiprocessor
//   W = a ceil(X) + (1 - a) max(X, 1)               waves: whole ones where a = 1
//   tau = ((2 bm bn SM / (v eta))^1.5 + lambda^1.5)^(1/1.5)      time per step of K
//   t_c = tau (W K_s + k_f (1 + 0.6 (W - 1))) + [S > 1] (t_s + 8 S M N / (rho BW))
// K_s: K / S rounded up to the K tile (32 on Ampere and Ada, 64 later). Memory:
//   t_b = bytes / (beta BW),  bytes = w p(6 w + x + y) + (x + y) p(w + x + y) + x (passes - 1)
//   p(...)
// w, x, y: bytes of weights, input and output; p(s) = 1 / (1 + (c L2 / s)^16): what fits the cache
// share c L2 is not read again (the sweeps rotate six copies of the weights). The power limit holds
// large products at the share eta_p of the peak: t_p. Together
//   t = t0 + (((t_c^q + t_b^q)^(1/q))^8 + t_p^8)^(1/8).
#include "laws/families.hpp"
#include "measurements/names.hpp"

#include <array>
#include <cassert>
#include <limits>

namespace joulecast {
namespace {

struct Tile {
  int m;
  int n;
};

// 16-bit kernels, for which libraries split K as well.
constexpr std::array<Tile, 11> wide_menu = {{{16, 32},
                                             {32, 64},
                                             {64, 64},
                                             {64, 32},
                                             {64, 128},
                                             {128, 64},
                                             {128, 128},
                                             {64, 256},
                                             {256, 64},
                                             {128, 256},
                                             {256, 128}}};
// 8- and 4-bit kernels, without split K.
constexpr std::array<Tile, 6> narrow_menu = {
    {{16, 64}, {32, 64}, {64, 64}, {64, 128}, {128, 128}, {256, 128}}};
constexpr std::array<int, 11> splits = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64};

constexpr double waves_overlap = 0.6;     // share of the K prologue that later waves pay again
constexpr double power_traffic = 0.15;    // share of the traffic time that the power limit adds
constexpr double rotating_weights = 6.0;  // copies of the weights that the sweeps cycle through

struct Product {
  double batch, m, n, k;
  double operand_bytes;  // per number
};

Product product_of(const LawQuestion& question) {
  const auto* shape = std::get_if<MatmulShape>(&question.shape);
  assert(shape != nullptr && "covers() lets matrix products through only");
  const auto real = [](std::int64_t size) { return static_cast<double>(size); };
  return {real(shape->batch), real(shape->m), real(shape->n), real(shape->k),
          bytes_with_scales(question.precision)};
}

// What the three families share; seconds and pure numbers.
struct Core {
  double launch, eta, eta_power, beta, lambda, k_fill, wave, cache, raster, corner;
  double split_start = 0.0;
  double split_bandwidth = 1.0;
  double split_single_row = 1.0;
  double misaligned = 1.0;
};

bool has_wide_k_tile(const DeviceFacts& facts) {
  return facts.architecture != "Ampere" && facts.architecture != "Ada" &&
         facts.architecture != "Turing" && facts.architecture != "Volta";
}

double compute_seconds(const Core& core, const Product& product, const DeviceFacts& facts,
                       std::span<const Tile> menu, bool may_split) {
  const double v = facts.peak_flops_per_second;
  const double sm = facts.multiprocessors;
  const double k_tile = has_wide_k_tile(facts) ? 64.0 : 32.0;
  const double latency = core.lambda * std::sqrt(core.lambda);
  double best = std::numeric_limits<double>::infinity();
  for (const Tile& tile : menu) {
    const double tiles =
        product.batch * std::ceil(product.m / tile.m) * std::ceil(product.n / tile.n);
    const double step = 2.0 * tile.m * tile.n * sm / (v * core.eta);
    const double both = step * std::sqrt(step) + latency;
    const double tau = std::cbrt(both * both);
    for (const int split : splits) {
      if (split > 1 && (!may_split || product.k < 128.0 * split)) break;
      const double share = tiles * split / sm;
      const double waves = core.wave * std::ceil(share) + (1.0 - core.wave) * std::max(share, 1.0);
      double t = tau * (waves * k_tile * std::ceil(product.k / (k_tile * split)) +
                        core.k_fill * (1.0 + (waves - 1.0) * waves_overlap));
      if (split > 1) {
        t += (product.m == 1.0 ? core.split_single_row : 1.0) * core.split_start +
             8.0 * split * product.batch * product.m * product.n /
                 (core.split_bandwidth * facts.bandwidth_bytes_per_second);
      }
      best = std::min(best, t);
      if (share > 6.0) break;
    }
  }
  return best;
}

double bytes_read(const Core& core, const Product& product, const DeviceFacts& facts) {
  const double cache = core.cache * facts.l2_bytes;
  const double w = product.batch * product.operand_bytes * product.n * product.k;
  const double x = product.batch * product.operand_bytes * product.m * product.k;
  const double y = product.batch * 2.0 * product.m * product.n;
  const double weights_miss = 1.0 / (1.0 + sixteenth(cache / (rotating_weights * w + x + y)));
  const double others_miss = 1.0 / (1.0 + sixteenth(cache / (w + x + y)));
  // Tiles of a wave that lie beside each other share a strip of the input; the next strip of
  // columns reads it again where it left the cache.
  const double rows = std::ceil(product.m / 128.0);
  const double columns = std::ceil(product.n / 256.0);
  const double strip = std::max(core.raster, facts.multiprocessors / rows);
  const double passes = std::max(1.0, columns / strip);
  const double again = 1.0 / (1.0 + eighth(cache / (x + w * std::min(1.0, strip / columns))));
  return w * weights_miss + (x + y) * others_miss + x * (passes - 1.0) * again;
}

double core_seconds(const Core& core, const Product& product, const DeviceFacts& facts,
                    std::span<const Tile> menu, bool may_split) {
  const double misaligned = std::fmod(product.m, 4.0) != 0.0 ? core.misaligned : 1.0;
  const double compute = misaligned * compute_seconds(core, product, facts, menu, may_split);
  const double bytes = bytes_read(core, product, facts);
  const double memory = bytes / (core.beta * facts.bandwidth_bytes_per_second);
  const double flops = 2.0 * product.batch * product.m * product.n * product.k;
  const double limited = misaligned * flops / (facts.peak_flops_per_second * core.eta_power) +
                         power_traffic * bytes / facts.bandwidth_bytes_per_second;
  return core.launch + power_sum(power_sum(compute, memory, core.corner), limited, 8.0);
}

using Values = std::span<const double>;

Core core_of(Values p) {
  return {.launch = p[0],
          .eta = p[1],
          .eta_power = p[2],
          .beta = p[3],
          .lambda = p[4],
          .k_fill = p[5],
          .wave = p[6],
          .cache = p[7],
          .raster = p[8],
          .corner = p[9]};
}

double half_precision(Values p, const LawQuestion& question) {
  Core core = core_of(p);
  core.split_start = p[10];
  core.split_bandwidth = p[11];
  core.split_single_row = p[12];
  return core_seconds(core, product_of(question), question.facts, wide_menu, true);
}

// The kernel front ends choose 8-bit tiles by M.
std::span<const Tile> narrow_tiles(const LawQuestion& question, double m) {
  const std::span<const Tile> menu = narrow_menu;
  if (question.precision != MeasuredPrecision::fp8) return menu;
  if (question.facts.architecture == "Hopper") {
    if (m <= 64.0) return menu.subspan(2, 1);
    if (m <= 128.0) return menu.subspan(3, 1);
    return menu.subspan(4, 2);
  }
  if (m <= 16.0) return menu.subspan(0, 1);
  if (m <= 32.0) return menu.subspan(1, 1);
  if (m <= 64.0) return menu.subspan(2, 1);
  return menu.subspan(3, 3);
}

// The activations are converted by a kernel of their own: a time per row, and traffic.
double converted(Values p, const LawQuestion& question, const Product& product) {
  Core core = core_of(p);
  core.misaligned = p[12];
  const double matmul =
      core_seconds(core, product, question.facts, narrow_tiles(question, product.m), false);
  return matmul + product.batch * product.m *
                      (p[10] + product.k * (2.0 + product.operand_bytes) /
                                   (p[11] * question.facts.bandwidth_bytes_per_second));
}

double quantized(Values p, const LawQuestion& question) {
  return converted(p, question, product_of(question));
}

// With a scale per block the host prepares each call: a floor with steps.
double block_scaled(Values p, const LawQuestion& question) {
  const Product product = product_of(question);
  const double device = converted(p, question, product);
  double host = p[13];
  if (product.m >= 32.0) host += p[14];
  if (product.m >= 32.0 && std::fmod(product.m, 4.0) != 0.0) host += p[15];
  if (std::fmod(product.n, 64.0) != 0.0 || std::fmod(product.k, 128.0) != 0.0) host += p[16];
  return power_sum(host, device, 16.0);
}

std::vector<LawParameter> core_parameters() {
  return {{"launch_seconds", "launch of a kernel", 2e-7, 3e-4, 2e-6},
          {"eta", "share of the peak inside a tile", 0.1, 1.0, 0.9},
          {"eta_power", "share of the peak that the power limit leaves", 0.1, 1.0, 0.75},
          {"bandwidth_share", "beta", 0.2, 1.0, 0.85},
          {"k_step_seconds", "lambda, least time of one step of K", 1e-11, 1e-7, 1.5e-9},
          {"k_fill", "steps of K to fill and drain a tile", 1.0, 1000.0, 250.0},
          {"whole_waves", "a, 1 where waves are whole", 0.01, 1.0, 0.1},
          {"cache_share", "share of L2 that keeps operands", 0.01, 2.0, 0.7},
          {"raster_columns", "tile columns that share a strip of the input", 0.05, 30.0, 2.5},
          {"corner_exponent", "q", 1.0, 6.0, 2.3}};
}

std::vector<LawParameter> with(std::vector<LawParameter> parameters,
                               const std::vector<LawParameter>& more) {
  parameters.insert(parameters.end(), more.begin(), more.end());
  return parameters;
}

// A start with other values at some places.
std::vector<double> start_with(const std::vector<LawParameter>& parameters,
                               const std::vector<std::pair<std::size_t, double>>& changes) {
  std::vector<double> start;
  for (const LawParameter& parameter : parameters) start.push_back(parameter.start);
  for (const auto& [place, value] : changes) start[place] = value;
  return start;
}

std::vector<std::vector<double>> other_starts(const std::vector<LawParameter>& parameters) {
  return {start_with(parameters, {{4, 5e-9}, {6, 0.95}, {2, 0.9}}),
          start_with(parameters, {{7, 0.1}, {2, 1.0}, {6, 0.5}})};
}

bool is_product(std::string_view operation) {
  const MeasuredOperation* known = find_measured_operation(operation);
  return known != nullptr && known->shape == ShapeKind::matmul;
}

bool covers_half(std::string_view operation, MeasuredPrecision precision) {
  return is_product(operation) &&
         (precision == MeasuredPrecision::bf16 || precision == MeasuredPrecision::fp16 ||
          precision == MeasuredPrecision::tf32);
}
bool covers_quantized(std::string_view operation, MeasuredPrecision precision) {
  return is_product(operation) &&
         (precision == MeasuredPrecision::fp8 || precision == MeasuredPrecision::nvfp4);
}
bool covers_block_scaled(std::string_view operation, MeasuredPrecision precision) {
  return is_product(operation) && precision == MeasuredPrecision::fp8_block;
}

constexpr std::string_view own_study =
    "own study of public kernel sweeps (aiconfigurator 095f58a5); docs/theory.md";

}  // namespace

std::vector<LawFamily> tensor_core_families() {
  const auto half =
      with(core_parameters(),
           {{"split_seconds", "t_s, to add up the parts of a split K", 5e-8, 2e-5, 3e-6},
            {"split_bandwidth_share", "rho, of adding them up", 0.05, 20.0, 2.0},
            {"split_single_row", "share of t_s where M is 1", 0.01, 1.0, 0.8}});
  const auto narrow = with(
      core_parameters(), {{"row_seconds", "conversion of a row of activations", 1e-12, 1e-7, 2e-9},
                          {"conversion_bandwidth_share", "of the conversion", 0.02, 1.0, 0.4},
                          {"misaligned_factor", "where M is no multiple of 4", 1.0001, 1.6, 1.08}});
  const auto block = with(
      narrow, {{"host_seconds", "host time of a call", 1e-6, 1e-3, 6e-5},
               {"host_rows_seconds", "more of it from M = 32", 1e-7, 3e-4, 2e-5},
               {"host_misaligned_seconds", "more where M is no multiple of 4", 1e-7, 1e-4, 8e-6},
               {"host_ragged_seconds", "more where N or K are no whole blocks", 1e-7, 5e-4, 3e-5}});
  auto block_starts = other_starts(block);
  block_starts.push_back(start_with(block, {{13, 1.6e-4}}));
  block_starts.push_back(start_with(block, {{13, 3.4e-4}}));
  return {{.name = "tensor_core_matmul",
           .formula = "t = t0 + |(|(t_c, t_b)|_q, t_p)|_8, t_c the fastest of tiles and split K",
           .source = own_study,
           .parameters = half,
           .other_starts = other_starts(half),
           .covers = covers_half,
           .seconds = half_precision},
          {.name = "quantized_matmul",
           .formula = "t = t0 + |(|(t_c, t_b)|_q, t_p)|_8 + M (r_0 + K (2 + e) / (beta_q BW))",
           .source = own_study,
           .parameters = narrow,
           .other_starts = other_starts(narrow),
           .covers = covers_quantized,
           .seconds = quantized},
          {.name = "block_scaled_matmul",
           .formula = "t = |(host floor, t of quantized_matmul)|_16",
           .source = own_study,
           .parameters = block,
           .other_starts = block_starts,
           .covers = covers_block_scaled,
           .seconds = block_scaled}};
}

}  // namespace joulecast

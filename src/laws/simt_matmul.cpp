// SPDX-License-Identifier: Apache-2.0
// FP32 matrix products on CUDA cores (no TF32), as cuBLAS runs them. Own study of NeuSight's public
// measurements (commit 6945927d); docs/theory.md.
//
// out[B][M][N] = sum over K. For every tile (tn over N, tm over M, `slices` of K, `resident` tiles
// per multiprocessor) of the architecture's menu and every split S of K:
//   n = B ceil(N/tn) ceil(M/tm) S,  x = n / SM,  W = a ceil(x) + (1 - a) max(x, 1)
//   k_i = 8 slices ceil(K / (8 slices S)) + k_fill
//   compute = W 2 tn tm k_i SM / (v eta / (1 + sigma (16/tn + 16/tm)))
//   latency = max(1, W / resident) lambda k_i / slices
//   memory  = (compulsory + (full - compulsory) miss + results) / (beta BW)
// where `full` is what the tiles read without a cache and miss = 1 / (1 + (c L2 / working set)^2).
// The fastest tile and split count; then the host's time is a floor, and boards that reach their
// power limit slow down by s within tau.
#include "laws/families.hpp"

#include <array>
#include <cassert>
#include <limits>

namespace joulecast {
namespace {

struct Tile {
  int n;
  int m;
  int slices;
  int resident;
};

constexpr std::array<Tile, 8> tiles = {{{128, 128, 1, 2},
                                        {128, 64, 1, 4},
                                        {64, 64, 1, 8},
                                        {32, 128, 1, 8},
                                        {128, 32, 1, 8},
                                        {32, 32, 4, 4},
                                        {64, 32, 4, 4},
                                        {128, 32, 4, 2}}};
using Menu = std::array<bool, tiles.size()>;

// The tiles that kernel names of the library show on each architecture.
Menu menu_of(std::string_view operation, std::string_view architecture) {
  if (operation == "batched_matmul") {
    if (architecture == "Pascal") return {false, true};
    if (architecture == "Volta") return {false, false, true, true, true};
    if (architecture == "Turing") return {false, true, true, true, true};
    return {true};
  }
  if (architecture == "Pascal") return {false, false, true, true, true};
  if (architecture == "Turing") return {true, true, true, true, true, true, true, true};
  return {true, true, false, true, true, true, true, true};
}

struct Product {
  double batch, m, n, k;
};

using Values = std::span<const double>;
enum Place : std::size_t {
  host,
  kernel,
  eta,
  whole_waves,
  tile_overhead,
  lambda,
  k_fill,
  beta,
  reuse,
  slow_down,
  slow_down_time,
  cache,
  split_time,
};

// What a tile reads of both inputs, in all its parts together.
double input_bytes(Values p, const DeviceFacts& facts, const Tile& tile, const Product& product) {
  const double columns = std::ceil(product.n / tile.n);
  const double rows = std::ceil(product.m / tile.m);
  // Tiles in flight fill rows of columns first.
  const double flight = facts.multiprocessors * tile.resident;
  const double flight_columns = std::min(columns, flight);
  const double flight_rows = std::min(rows, std::max(1.0, flight / columns));
  const double compulsory = 4.0 * product.batch * (product.k * product.n + product.k * product.m);
  const double full =
      std::max(compulsory, 4.0 * product.k * product.batch * columns * rows *
                               (tile.n * std::exp(-p[reuse] * std::log(flight_rows)) +
                                tile.m * std::exp(-p[reuse] * std::log(flight_columns))));
  const double working_set =
      4.0 * product.k *
      (std::min(product.n, flight_columns * tile.n) + std::min(product.m, flight_rows * tile.m));
  const double fits = p[cache] * facts.l2_bytes / working_set;
  return compulsory + (full - compulsory) / (1.0 + fits * fits);
}

// The cube of a tile's time: the fastest has the least cube, and needs the only root.
double tile_cube(Values p, const DeviceFacts& facts, const Tile& tile, int split,
                 const Product& product, double tiles_per_multiprocessor, double read_bytes) {
  const double sm = facts.multiprocessors;
  const double share = tiles_per_multiprocessor * split;
  const double waves =
      p[whole_waves] * std::ceil(share) + (1.0 - p[whole_waves]) * std::max(share, 1.0);
  const double steps =
      8.0 * tile.slices * std::ceil(product.k / (8.0 * tile.slices * split)) + p[k_fill];
  const double rate = facts.peak_flops_per_second * p[eta] /
                      (1.0 + p[tile_overhead] * (16.0 / tile.n + 16.0 / tile.m));
  const double compute = waves * 2.0 * tile.n * tile.m * steps * sm / rate;
  const double latency = std::max(1.0, waves / tile.resident) * p[lambda] * steps / tile.slices;
  const double results =
      4.0 * product.batch * product.m * product.n * (split > 1 ? 1.0 + 2.0 * split : 1.0);
  const double memory = (read_bytes + results) / (p[beta] * facts.bandwidth_bytes_per_second);
  return compute * compute * compute + latency * latency * latency + memory * memory * memory;
}

double seconds(Values p, const LawQuestion& question) {
  const auto* shape = std::get_if<MatmulShape>(&question.shape);
  assert(shape != nullptr && "covers() lets matrix products through only");
  const Product product{static_cast<double>(shape->batch), static_cast<double>(shape->m),
                        static_cast<double>(shape->n), static_cast<double>(shape->k)};
  const DeviceFacts& facts = question.facts;
  const Menu menu = menu_of(question.operation, facts.architecture);
  const int most_splits = question.operation == "batched_matmul" ? 1 : 16;
  double whole = std::numeric_limits<double>::infinity();
  double parts = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    if (!menu[i]) continue;
    const Tile& tile = tiles[i];
    const double count =
        product.batch * std::ceil(product.n / tile.n) * std::ceil(product.m / tile.m);
    const double read = input_bytes(p, facts, tile, product);
    for (int split = 1; split <= most_splits; split *= 2) {
      const bool idle = product.k / split >= 128.0 &&
                        count * split <= 4.0 * facts.multiprocessors * tile.resident;
      if (split > 1 && !idle) break;
      double& least = split > 1 ? parts : whole;
      least = std::min(
          least, tile_cube(p, facts, tile, split, product, count / facts.multiprocessors, read));
    }
  }
  double best = std::min(std::cbrt(whole), std::cbrt(parts) + p[split_time]);
  best += p[kernel];
  best *= 1.0 + (p[slow_down] - 1.0) * best / (best + p[slow_down_time]);
  return power_sum(p[host], best, 12.0);
}

bool covers(std::string_view operation, MeasuredPrecision precision) {
  return precision == MeasuredPrecision::fp32 &&
         (operation == "linear" || operation == "batched_matmul");
}

}  // namespace

std::vector<LawFamily> simt_families() {
  LawFamily family{
      .name = "simt_matmul",
      .formula = "t = |(host, t_k slow-down)|_12, t_k the fastest of tiles and split K",
      .source = "own study of public FP32 measurements (NeuSight 6945927d); docs/theory.md",
      .parameters = {{"host_seconds", "host time of a call", 5e-6, 1.2e-4, 3.5e-5},
                     {"kernel_seconds", "start and end of a kernel", 5e-7, 8e-5, 1e-5},
                     {"eta", "share of the peak inside a tile", 0.2, 1.0, 0.85},
                     {"whole_waves", "a, 1 where waves are whole", 0.02, 1.0, 0.5},
                     {"tile_overhead", "sigma, cost of small tiles", 1e-3, 3.0, 0.2},
                     {"k_step_seconds", "lambda, least time of one step of K", 1e-10, 5e-7, 2e-8},
                     {"k_fill", "steps of K to fill a tile", 1.0, 200.0, 20.0},
                     {"bandwidth_share", "beta", 0.1, 1.0, 0.8},
                     {"reuse_exponent", "rho, reuse between tiles in flight", 0.02, 1.0, 0.7},
                     {"slow_down", "s, at the power limit", 1.0001, 6.0, 1.1},
                     {"slow_down_seconds", "tau, until it is reached", 2e-5, 0.1, 2e-3},
                     {"cache_share", "c, share of L2 that keeps operands", 0.02, 20.0, 1.0},
                     {"split_seconds", "to add up the parts of a split K", 2e-7, 4e-5, 2e-6}},
      .other_starts = {},
      .covers = covers,
      .seconds = seconds};
  std::vector<double> start;
  for (const LawParameter& parameter : family.parameters) start.push_back(parameter.start);
  for (const auto& [bandwidth, slower] : {std::pair{0.4, 1.05}, {0.8, 2.0}, {0.4, 2.0}}) {
    std::vector<double> other = start;
    other[beta] = bandwidth;
    other[slow_down] = slower;
    family.other_starts.push_back(other);
  }
  return {family};
}

}  // namespace joulecast

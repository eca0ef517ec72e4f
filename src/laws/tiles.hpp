// SPDX-License-Identifier: Apache-2.0
#pragma once

// How long does a tiled matrix product take, of the fastest tile of a menu? What families whose
// sweeps are mostly host time share; those that resolve single kernels have their own.
//
// A batch of products of M x N results over K, cut into tiles of tm x tn, on SM multiprocessors:
//   x = batch ceil(M/tm) ceil(N/tn) / SM      tiles per multiprocessor
//   W = a ceil(x) + (1 - a) max(x, 1)         waves: whole ones where a = 1
//   k_i = k_step ceil(K/k_step) + k_fill      steps of K, with those that fill the pipeline
//   t = W 2 tm tn k_i SM / (v eta / (1 + sigma (edge/tn + edge/tm)))
// A multiprocessor computes 2 tm tn k_i FLOPs per tile at v eta / SM; the last factor is what it
// loads per FLOP, which grows with the edges of the tile over its area. W >= x and k_i >= K make
// t >= 2 batch M N K / v for eta <= 1.
#include <joulecast/law_family.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace joulecast {

struct TileSize {
  int m;
  int n;
};

struct TileCosts {
  double eta = 1.0;
  double whole_waves = 1.0;    // a
  double tile_overhead = 0.0;  // sigma
  double k_fill = 0.0;
  double k_step = 32.0;
  double edge = 32.0;
};

struct TiledProduct {
  double batch = 1.0;
  double m = 0.0;
  double n = 0.0;
  double k = 0.0;
};

inline double wave_count(double tiles_per_multiprocessor, double whole_waves) {
  return whole_waves * std::ceil(tiles_per_multiprocessor) +
         (1.0 - whole_waves) * std::max(tiles_per_multiprocessor, 1.0);
}

inline double fastest_tile_seconds(const TileCosts& costs, const TiledProduct& product,
                                   std::span<const TileSize> menu, const DeviceFacts& facts) {
  const double steps = costs.k_step * std::ceil(product.k / costs.k_step) + costs.k_fill;
  double best = std::numeric_limits<double>::infinity();
  for (const TileSize& tile : menu) {
    const double tiles =
        product.batch * std::ceil(product.m / tile.m) * std::ceil(product.n / tile.n);
    const double waves = wave_count(tiles / facts.multiprocessors, costs.whole_waves);
    const double rate = facts.peak_flops_per_second * costs.eta /
                        (1.0 + costs.tile_overhead * (costs.edge / tile.n + costs.edge / tile.m));
    best = std::min(best, waves * 2.0 * tile.m * tile.n * steps * facts.multiprocessors / rate);
  }
  return best;
}

}  // namespace joulecast

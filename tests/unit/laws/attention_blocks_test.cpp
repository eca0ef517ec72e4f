// SPDX-License-Identifier: Apache-2.0
// The closed form for the blocks of a causal attention against a count of every key.
#include <joulecast/law_family.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <string_view>
#include <vector>

namespace joulecast {
namespace {

// The blocks that tile i of a causal attention walks over, key by key: block j is read if one of
// the tile's queries sees one of its 128 keys.
struct CountedBlocks {
  double mean = 0.0;
  double longest = 0.0;
};

CountedBlocks count_blocks_one_by_one(const AttentionShape& shape, std::int64_t tile_rows) {
  const std::int64_t before = shape.kv_sequence - shape.sequence;
  double sum = 0.0;
  double longest = 0.0;
  std::int64_t tiles = 0;
  for (std::int64_t first = 0; first < shape.sequence; first += tile_rows, ++tiles) {
    const std::int64_t last = std::min(first + tile_rows, shape.sequence) - 1;
    double blocks = 0.0;
    for (std::int64_t block = 0; block < shape.kv_sequence; block += 128) {
      bool seen = false;
      for (std::int64_t key = block; key < std::min(block + 128, shape.kv_sequence); ++key) {
        const bool after_window = shape.window == 0 || key > before + first - shape.window;
        seen = seen || (after_window && key <= before + last);
      }
      blocks += seen ? 1.0 : 0.0;
    }
    sum += blocks;
    longest = std::max(longest, blocks);
  }
  return {sum / static_cast<double>(tiles), longest};
}

// Solves the formula of laws/attention.cpp for its counts where one term is left of each maximum:
// unlimited bandwidth, eta = 0.1 against a power limit at the peak, one head per head of keys.
class AttentionBlocks : public ::testing::Test {
 protected:
  AttentionBlocks() {
    for (const LawParameter& parameter : family_.parameters) {
      if (parameter.name == "eta") {
        p_.push_back(0.1);
      } else if (parameter.name.starts_with("rate_") || parameter.name == "eta_power" ||
                 parameter.name.starts_with("grouped_")) {
        p_.push_back(1.0);
      } else {
        p_.push_back(parameter.lowest);
      }
    }
  }

  [[nodiscard]] double value(std::string_view name) const {
    const auto found = std::ranges::find(family_.parameters, name, &LawParameter::name);
    return p_[static_cast<std::size_t>(found - family_.parameters.begin())];
  }

  // W of the formula, in blocks.
  [[nodiscard]] double waves(const AttentionShape& shape, std::int64_t tile_rows,
                             const char* architecture, double multiprocessors) const {
    const DeviceFacts facts{.peak_flops_per_second = 1e15,
                            .bandwidth_bytes_per_second = 1e40,
                            .multiprocessors = multiprocessors,
                            .l2_bytes = 5e7,
                            .power_limit_watts = 700.0,
                            .architecture = architecture};
    const MeasuredShape question = shape;
    const double seconds =
        family_.seconds(p_, {"attention", question, MeasuredPrecision::bf16, 0.0, 0.0, facts}) -
        value("launch_seconds") - static_cast<double>(shape.batch) * value("sequence_seconds");
    const double d = static_cast<double>(shape.head_size);
    const double softmax = value("softmax_columns");
    const double columns = facts.architecture == "Blackwell"
                               ? std::pow(std::pow(d, 4) + std::pow(softmax, 4), 0.25)
                               : d + softmax;
    return seconds * facts.peak_flops_per_second * value("eta") /
           (4.0 * static_cast<double>(tile_rows) * 128.0 * columns * multiprocessors);
  }

  const LawFamily& family_ = *find_family("fused_attention");
  std::vector<double> p_;
};

struct TileRows {
  const char* architecture;
  std::int64_t head_size;
  std::int64_t rows;
};
constexpr std::array tile_rows = {TileRows{"Hopper", 64, 192}, TileRows{"Hopper", 128, 128},
                                  TileRows{"Hopper", 512, 64}, TileRows{"Blackwell", 128, 256},
                                  TileRows{"Blackwell", 192, 32}};

std::vector<AttentionShape> causal_shapes(std::int64_t head_size) {
  std::vector<AttentionShape> shapes;
  for (const std::int64_t sequence : {1, 127, 128, 300, 1000, 1537}) {
    for (const std::int64_t before : {0, 1, 129, 700}) {
      for (const std::int64_t window : {0, 1, 100, 128, 500, 5000}) {
        shapes.push_back({1 << 14, sequence, sequence + before, 16, 16, head_size, true, window});
      }
    }
  }
  return shapes;
}

// One multiprocessor and 2^18 heads: W = heads ceil(L / bm) (mean + kappa) + a (mean + kappa).
TEST_F(AttentionBlocks, AreOnAverageThoseCountedOneByOne) {
  for (const auto& [architecture, head_size, rows] : tile_rows) {
    for (const AttentionShape& shape : causal_shapes(head_size)) {
      const double tiles =
          std::ceil(static_cast<double>(shape.sequence) / static_cast<double>(rows)) *
          static_cast<double>(shape.batch * shape.heads);
      const double mean = waves(shape, rows, architecture, 1.0) / (tiles + value("last_wave")) -
                          value("tile_overhead");
      EXPECT_NEAR(mean, count_blocks_one_by_one(shape, rows).mean, 1e-5)
          << describe(shape) << " on " << architecture;
    }
  }
}

// With more multiprocessors than tiles by far, W = longest + kappa. Hopper would split the keys.
TEST_F(AttentionBlocks, AreInTheLongestTileThoseCountedOneByOne) {
  for (const auto& [architecture, head_size, rows] : tile_rows) {
    if (std::string_view(architecture) != "Blackwell") continue;
    for (const AttentionShape& shape : causal_shapes(head_size)) {
      const double longest = waves(shape, rows, architecture, 1e14) - value("tile_overhead");
      EXPECT_NEAR(longest, count_blocks_one_by_one(shape, rows).longest, 1e-4)
          << describe(shape) << " on " << architecture;
    }
  }
}

}  // namespace
}  // namespace joulecast

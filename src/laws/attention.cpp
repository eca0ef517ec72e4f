// SPDX-License-Identifier: Apache-2.0
// Attention in one kernel that never writes the scores: own study of public kernel sweeps
// (aiconfigurator 095f58a5); docs/theory.md.
//
// b sequences of L queries, h heads of size d, G = h / kv query heads per head of keys. A tile of
// bm queries walks over the blocks of bn keys that its mask leaves; k_i blocks for tile i of
// ceil(L/bm). The G heads that share keys fill tiles together, so a head has
//   n_q = ceil(L G / bm) / G  tiles,  S = n_q mean(k_i)  blocks,  m = max(k_i) in the longest tile.
// One block on one of SM multiprocessors is 4 bm bn d FLOPs of products, and an exponential for
// each score, worth d_s more columns: added on Hopper, beside the products on Blackwell,
//   tau = 4 bm bn SM D / (v eta g),  D = d' + d_s  or  (d^4 + d_s^4)^(1/4).
// d': the next head size that Hopper's kernel is built for. bn is 128; on Hopper it is longer where
// nothing is masked. g: 1 up to d = 128, else of the kernel for that head size.
// A tile starts and ends in kappa blocks' time. All blocks share the multiprocessors, none ends
// before its longest tile, and the last wave leaves a share a of a tile over: with N = b h heads
//   W = |(N S + kappa N n_q) / SM, m + kappa|_4 + a (S / n_q + kappa) min(1, N n_q / SM).
// Where too few tiles fill the device, Hopper's kernel splits the keys and adds the parts up: m is
// cut, and partial results of 8 bytes per number pass through memory. The power limit holds the
// rate at eta_p v. Queries, results and keys are moved once, at shares of the bandwidth:
//   t_c = |W tau, 4 d N S bm bn / (eta_p v)|_8,
//   t_m = (4 b L h d / beta_q + 2 e b L_k kv d / beta_k + split) / BW,
//   t = t_0 + b t_b + |t_c, t_m|_q.
// N S bm bn is never below the visible pairs, hence the rate never above eta_p v.
#include "laws/families.hpp"
#include "measurements/names.hpp"

#include <cassert>
#include <cstdint>

namespace joulecast {
namespace {

constexpr double split_fill = 0.8;    // of the device; tiles beyond it are not split
constexpr double split_part = 1.1;    // blocks of a part, relative to an even share
constexpr double split_blocks = 2.0;  // to add the parts up, in blocks
constexpr double split_bandwidth = 1.25;

double real(std::int64_t count) { return static_cast<double>(count); }

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// sum of floor((start + i step) / block) over i = 0 .. count - 1, by Euclid's algorithm on the
// lattice points under the line. Requires start, step >= 0.
double sum_floors(std::int64_t count, std::int64_t block, std::int64_t step, std::int64_t start) {
  double sum = 0.0;
  while (count > 0) {
    sum += real(count) * (real(count) - 1.0) / 2.0 * real(step / block);
    sum += real(count) * real(start / block);
    step %= block;
    start %= block;
    const std::int64_t top = step * count + start;
    if (top < block) break;
    count = top / block;
    start = top % block;
    std::swap(block, step);
  }
  return sum;
}

struct Blocks {
  double mean = 0.0;  // per tile of queries
  double longest = 0.0;
};

// Causal: tile i sees keys up to o + (i + 1) bm, o = L_k - L, and, with a window w, from
// o + i bm - w + 1 on; the first block may be cut.
Blocks count_blocks(const AttentionShape& shape, std::int64_t tile_rows, std::int64_t block_keys) {
  const std::int64_t keys = shape.kv_sequence;
  const std::int64_t window = shape.window > 0 ? std::min(shape.window, keys) : 0;
  if (!shape.causal) {
    const std::int64_t seen = window > 0 ? std::min(keys, window + tile_rows) : keys;
    const double blocks = real(divide_up(seen, block_keys));
    return {blocks, blocks};
  }
  const std::int64_t before = std::max<std::int64_t>(keys - shape.sequence, 0);
  const std::int64_t tiles = divide_up(shape.sequence, tile_rows);
  const auto first = [&](std::int64_t i) {
    const std::int64_t from = before + i * tile_rows - window + 1;
    return window > 0 ? std::max<std::int64_t>(from, 0) / block_keys : 0;
  };
  const auto end = [&](std::int64_t i) {
    return divide_up(std::min(keys, before + (i + 1) * tile_rows), block_keys);
  };
  double sum = real(end(tiles - 1)) +
               sum_floors(tiles - 1, block_keys, tile_rows, before + tile_rows + block_keys - 1);
  if (window > 0) {
    const std::int64_t cut = divide_up(std::max<std::int64_t>(window - 1 - before, 0), tile_rows);
    sum -= sum_floors(tiles - cut, block_keys, tile_rows, before + cut * tile_rows - window + 1);
  }
  // Blocks and tiles line up again after at most 4 tiles, so the last 5 hold the longest.
  std::int64_t longest = 0;
  for (std::int64_t i = std::max<std::int64_t>(tiles - 5, 0); i < tiles; ++i) {
    longest = std::max(longest, end(i) - first(i));
  }
  return {sum / real(tiles), real(longest)};
}

// What is known of the kernels: FlashAttention 3 and its heuristics for Hopper, which stand in for
// every other architecture too; the study's inference for Blackwell.
struct Kernel {
  bool blackwell = false;
  std::int64_t tile_rows = 128;
  std::int64_t block_keys = 128;
  std::int64_t columns = 0;  // the head size, filled up to one that the kernel is built for
  bool grouped = false;      // the heads per head of keys fill tiles without a rest
  bool split = false;
};

std::int64_t rows_of_tile(bool blackwell, std::int64_t head_size) {
  if (blackwell) {
    if (head_size > 256) return 64;
    return head_size > 128 && head_size <= 192 ? 32 : 256;
  }
  if (head_size <= 96) return 192;
  return head_size <= 256 ? 128 : 64;
}

// FlashAttention 3 is built for these sizes, and walks in longer steps where nothing is masked.
std::int64_t columns_of_head(std::int64_t head_size) {
  for (const std::int64_t size : {64, 96, 128, 192, 256}) {
    if (head_size <= size) return size;
  }
  return head_size;
}

std::int64_t unmasked_block_keys(std::int64_t head_size) {
  if (head_size <= 64) return 192;
  if (head_size <= 96) return 144;
  return head_size <= 128 ? 176 : 128;
}

std::int64_t split_block_keys(const AttentionShape& shape) {
  if (shape.kv_precision == MeasuredPrecision::fp8 || shape.head_size <= 128) return 128;
  if (shape.head_size <= 192) return 112;
  return shape.head_size <= 256 ? 80 : 64;
}

// The batch does not enter the choice to split: sequences of unequal length are foreseen.
bool splits_keys(const AttentionShape& shape, std::int64_t tile_rows, double multiprocessors) {
  const std::int64_t group_rows =
      divide_up(shape.sequence * shape.heads, shape.kv_heads * tile_rows);
  const std::int64_t seen =
      shape.window > 0 ? std::min(shape.kv_sequence, shape.window + tile_rows) : shape.kv_sequence;
  return real(shape.kv_heads) * real(group_rows) < split_fill * multiprocessors &&
         divide_up(seen, split_block_keys(shape)) > 4;
}

Kernel choose_kernel(const AttentionShape& shape, const DeviceFacts& facts) {
  Kernel kernel;
  kernel.blackwell = facts.architecture == "Blackwell";
  kernel.tile_rows = rows_of_tile(kernel.blackwell, shape.head_size);
  kernel.columns = kernel.blackwell ? shape.head_size : columns_of_head(shape.head_size);
  if (!kernel.blackwell && !shape.causal && shape.window == 0) {
    kernel.block_keys = unmasked_block_keys(shape.head_size);
  }
  const std::int64_t group = shape.heads / shape.kv_heads;
  const bool whole = group * shape.kv_heads == shape.heads && (group & (group - 1)) == 0;
  kernel.grouped = whole && (kernel.blackwell || (group >= 4 && group <= 16));
  kernel.split = !kernel.blackwell && splits_keys(shape, kernel.tile_rows, facts.multiprocessors);
  return kernel;
}

using Values = std::span<const double>;
enum Place : std::size_t {
  launch,
  per_sequence,
  eta,
  eta_power,
  softmax,
  overhead,
  query_bandwidth,
  key_bandwidth,
  corner,
  last_wave,
  size_192,
  size_256,
  size_512,
  grouped_rate,
  grouped_overhead
};

double speed_of(Values p, const Kernel& kernel, std::int64_t head_size) {
  const double group = kernel.grouped ? p[grouped_rate] : 1.0;
  if (head_size <= 128) return group;
  if (head_size <= 192) return group * p[size_192];
  return group * p[head_size <= 256 ? size_256 : size_512];
}

double fourth_root_of_sum(double a, double b) {
  return std::sqrt(std::sqrt(a * a * a * a + b * b * b * b));
}

double compute_seconds(Values p, const AttentionShape& shape, const Kernel& kernel,
                       const DeviceFacts& facts) {
  const double sm = facts.multiprocessors;
  const double v = facts.peak_flops_per_second;
  const double d = real(kernel.columns);
  const double heads = real(shape.batch) * real(shape.heads);
  const double group = real(shape.heads) / real(shape.kv_heads);
  const double rows = real(kernel.tile_rows);
  const Blocks blocks = count_blocks(shape, kernel.tile_rows, kernel.block_keys);
  const double tiles = heads * std::ceil(real(shape.sequence) * group / rows) / group;
  const double speed = speed_of(p, kernel, shape.head_size);
  const double kappa = p[overhead] * speed * (kernel.grouped ? p[grouped_overhead] : 1.0);
  const double columns = kernel.blackwell ? fourth_root_of_sum(d, p[softmax]) : d + p[softmax];
  const double scores = 4.0 * rows * real(kernel.block_keys);
  const double tau = scores * columns * sm / (v * p[eta] * speed);
  const double work = tiles * (blocks.mean + kappa);
  double longest = blocks.longest;
  if (kernel.split) {
    const double part = std::ceil(split_part * tiles * longest / sm) + split_blocks;
    longest = std::min(longest, part);
  }
  const double waves = fourth_root_of_sum(work / sm, longest + kappa) +
                       p[last_wave] * (blocks.mean + kappa) * std::min(1.0, tiles / sm);
  const double limited = scores * real(shape.head_size) * tiles * blocks.mean / (v * p[eta_power]);
  return power_sum(waves * tau, limited, 8.0);
}

double memory_seconds(Values p, const LawQuestion& question, const AttentionShape& shape,
                      const Kernel& kernel) {
  const double width = real(shape.batch) * real(shape.head_size);
  const double queries = width * real(shape.sequence) * real(shape.heads);
  const double keys = width * real(shape.kv_sequence) * real(shape.kv_heads);
  double bytes = 2.0 * bytes_with_scales(question.precision) * queries / p[query_bandwidth] +
                 2.0 * bytes_with_scales(shape.kv_precision) * keys / p[key_bandwidth];
  if (kernel.split) bytes += 8.0 * queries / split_bandwidth;
  return bytes / question.facts.bandwidth_bytes_per_second;
}

double seconds(Values p, const LawQuestion& question) {
  const auto* shape = std::get_if<AttentionShape>(&question.shape);
  assert(shape != nullptr && "covers() lets attention through only");
  const Kernel kernel = choose_kernel(*shape, question.facts);
  return p[launch] + real(shape->batch) * p[per_sequence] +
         power_sum(compute_seconds(p, *shape, kernel, question.facts),
                   memory_seconds(p, question, *shape, kernel), p[corner]);
}

bool covers(std::string_view operation, MeasuredPrecision) {
  return operation == "attention" || operation == "encoder_attention";
}

}  // namespace

std::vector<LawFamily> attention_families() {
  LawFamily family{
      .name = "fused_attention",
      .formula = "t = t_0 + b t_b + |(|(W tau, t_p)|_8, t_m)|_q, W from tiles, blocks and waves",
      .source = "own study of public kernel sweeps (aiconfigurator 095f58a5); docs/theory.md",
      .parameters = {{"launch_seconds", "t_0", 1e-6, 2e-5, 6e-6},
                     {"sequence_seconds", "t_b, per sequence of the batch", 1e-10, 1e-7, 6e-9},
                     {"eta", "share of the peak inside a block", 0.1, 1.0, 0.85},
                     {"eta_power", "share of the peak that the power limit leaves", 0.2, 1.0, 0.8},
                     {"softmax_columns", "d_s, head columns that a score costs more", 1.0, 200.0,
                      40.0},
                     {"tile_overhead", "kappa, start and end of a tile in blocks", 0.01, 20.0, 1.0},
                     {"query_bandwidth_share", "beta_q", 0.05, 1.0, 0.6},
                     {"key_bandwidth_share", "beta_k", 0.02, 1.0, 0.6},
                     {"corner_exponent", "q", 1.0, 8.0, 1.2},
                     {"last_wave", "a, share of a tile that the last wave leaves over", 0.01, 2.0,
                      0.1},
                     {"rate_192", "g where 128 < d <= 192", 0.01, 2.0, 1.0},
                     {"rate_256", "g where 192 < d <= 256", 0.01, 2.0, 1.0},
                     {"rate_512", "g where d > 256", 0.01, 2.0, 0.6},
                     {"grouped_rate", "of g, where groups of heads fill tiles", 0.8, 1.3, 1.03},
                     {"grouped_overhead", "of kappa, likewise", 0.1, 1.5, 0.6}},
      .other_starts = {},
      .covers = covers,
      .seconds = seconds};
  std::vector<double> wide;
  for (const LawParameter& parameter : family.parameters) wide.push_back(parameter.start);
  wide[eta] = 0.98;
  wide[softmax] = 160.0;
  wide[last_wave] = 0.6;
  wide[size_192] = 0.05;
  wide[size_512] = 0.4;
  family.other_starts = {wide};
  return {family};
}

}  // namespace joulecast

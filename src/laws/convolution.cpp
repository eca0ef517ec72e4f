// SPDX-License-Identifier: Apache-2.0
// Convolutions in FP32, as a library runs them: the fastest of three algorithms. Own study of
// NeuSight's public measurements (commit 6945927d: 3 x 3, stride 1, on five boards);
// docs/theory.md.
//
// C channels in, O out, P positions of the output over the batch, filters of k x k, g groups.
// c(...) is the time of a tiled product, by laws/tiles.hpp with whole waves and steps of 8 over K.
// The implicit matrix product moves io = input, filters and output once each:
//   t_1 = t_1' + |(c(g times P x O/g over k^2 C/g), io / (beta BW))|_3
// Winograd's F(r x r, 3 x 3), r = 2 and 4, where k = 3, the stride is 1 and there are no groups, is
// (r + 2)^2 products over the P_r squares of r x r positions (Lavin & Gray 2016,
// DOI 10.1109/CVPR.2016.435). Transformed operands pass through memory; where r = 2 those of the
// input and the output stay in the kernel, which has a rate and a start of its own:
//   t_r = t_r' + c((r + 2)^2 times P_r x O over C) + bytes_r / (beta_w BW)
//   t = |(t_host, min(t_1, t_2, t_4))|_10.
// F(r x r) takes 9 r^2 / (r + 2)^2 times fewer multiplications, 4 at most: t is never below
// FLOPs / (4 v), while it may be below FLOPs / v. What is left, some 15 to 20 %, is mostly the
// library's choice, which is by its own estimates and not always the fastest.
#include "laws/families.hpp"
#include "laws/tiles.hpp"

#include <array>
#include <cassert>

namespace joulecast {
namespace {

constexpr std::array<TileSize, 5> tiles = {{{128, 128}, {128, 64}, {128, 32}, {64, 64}, {32, 128}}};
constexpr double bytes_per_float = 4.0;

using Values = std::span<const double>;
enum Place : std::size_t {
  host,
  implicit_start,
  eta,
  fused_eta,
  large_eta,
  overhead,
  beta,
  winograd_beta,
  fused_start,
  large_start,
};

struct Convolution {
  double batch, in, out, rows, columns;  // rows and columns of the output
  double taps;                           // k^2
  double groups;
  double bytes;  // io
  bool winograd;
};

Convolution convolution_of(const LawQuestion& question) {
  const auto* shape = std::get_if<ConvolutionShape>(&question.shape);
  assert(shape != nullptr && "covers() lets convolutions through only");
  const auto real = [](std::int64_t size) { return static_cast<double>(size); };
  const auto outputs = [&](std::int64_t size) {
    return real((size + 2 * shape->padding - shape->kernel) / shape->stride + 1);
  };
  return {.batch = real(shape->batch),
          .in = real(shape->in_channels),
          .out = real(shape->out_channels),
          .rows = outputs(shape->height),
          .columns = outputs(shape->width),
          .taps = real(shape->kernel) * real(shape->kernel),
          .groups = real(shape->groups),
          .bytes = question.bytes,
          .winograd = shape->kernel == 3 && shape->stride == 1 && shape->groups == 1};
}

double product_seconds(Values p, double share, const TiledProduct& product,
                       const DeviceFacts& facts) {
  const TileCosts costs{
      .eta = share, .whole_waves = 1.0, .tile_overhead = p[overhead], .k_step = 8.0, .edge = 16.0};
  return fastest_tile_seconds(costs, product, tiles, facts);
}

double implicit_seconds(Values p, const Convolution& c, const DeviceFacts& facts) {
  const TiledProduct product{.batch = c.groups,
                             .m = c.batch * c.rows * c.columns,
                             .n = c.out / c.groups,
                             .k = c.taps * c.in / c.groups};
  const double compute = product_seconds(p, p[eta], product, facts);
  const double memory = c.bytes / (p[beta] * facts.bandwidth_bytes_per_second);
  return p[implicit_start] + std::cbrt(compute * compute * compute + memory * memory * memory);
}

double winograd_seconds(Values p, const Convolution& c, double r, const DeviceFacts& facts) {
  const bool fused = r <= 2.0;
  const TiledProduct product{.batch = (r + 2.0) * (r + 2.0),
                             .m = c.batch * std::ceil(c.rows / r) * std::ceil(c.columns / r),
                             .n = c.out,
                             .k = c.in};
  // Each transformed operand is written and read again.
  double transformed = product.n * product.k;
  if (!fused) transformed += product.m * (product.n + product.k);
  const double bytes = c.bytes + 2.0 * bytes_per_float * product.batch * transformed;
  return p[fused ? fused_start : large_start] +
         product_seconds(p, p[fused ? fused_eta : large_eta], product, facts) +
         bytes / (p[winograd_beta] * facts.bandwidth_bytes_per_second);
}

double seconds(Values p, const LawQuestion& question) {
  const Convolution c = convolution_of(question);
  double best = implicit_seconds(p, c, question.facts);
  if (c.winograd) {
    best = std::min(best, winograd_seconds(p, c, 2.0, question.facts));
    best = std::min(best, winograd_seconds(p, c, 4.0, question.facts));
  }
  return power_sum(p[host], best, 10.0);
}

bool covers(std::string_view operation, MeasuredPrecision precision) {
  return operation == "convolution" && precision == MeasuredPrecision::fp32;
}

}  // namespace

std::vector<LawFamily> convolution_families() {
  LawFamily family{
      .name = "convolution",
      .formula = "t = |(host, min(t_1, t_2, t_4))|_10: implicit product, Winograd F2 and F4",
      .source = "own study of public FP32 measurements (NeuSight 6945927d); docs/theory.md",
      .parameters = {{"host_seconds", "host time of a call", 1e-5, 4e-4, 6e-5},
                     {"implicit_seconds", "t_1', start of the implicit product", 5e-7, 1e-4, 1e-5},
                     {"eta", "share of the peak of its tiles", 0.1, 1.0, 0.7},
                     {"fused_eta", "the same where r is 2", 0.1, 1.0, 0.6},
                     {"large_eta", "the same where r is 4", 0.1, 1.0, 0.6},
                     {"tile_overhead", "sigma, cost of small tiles", 1e-3, 4.0, 0.3},
                     {"bandwidth_share", "beta", 0.05, 1.0, 0.7},
                     {"winograd_bandwidth_share", "beta_w, of the transforms", 0.05, 1.0, 0.6},
                     {"fused_seconds", "t_2'", 5e-7, 4e-4, 1e-5},
                     {"large_seconds", "t_4'", 5e-7, 4e-4, 4e-5}},
      .other_starts = {},
      .covers = covers,
      .seconds = seconds};
  std::vector<double> start;
  for (const LawParameter& parameter : family.parameters) start.push_back(parameter.start);
  for (const auto& [share, begin] : {std::pair{0.9, 6e-5}, {0.5, 2e-4}}) {
    std::vector<double> other = start;
    other[fused_eta] = share;
    other[large_eta] = share;
    other[large_start] = begin;
    family.other_starts.push_back(other);
  }
  return {family};
}

}  // namespace joulecast

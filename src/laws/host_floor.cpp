// SPDX-License-Identifier: Apache-2.0
// Operations timed from the host, one at a time, where the host's time is a floor under most sizes:
// the micro-benchmarks of the source paper (github.com/MansMayaki/MLEnergyConsumption, DOI
// 10.3233/FAIA250900). Own study of these public measurements; docs/theory.md.
//
//   t = |(t_host, t_k0 + w)|_q
// the host makes the call while the device runs the one before: the slower of the two is seen.
// Products, with c the time of the fastest tile (laws/tiles.hpp; steps of 32 over K):
//   w = |(c, bytes / (beta BW))|_p
// qkv_projection is three products of a third of the columns, which read the input three times;
// attention_scores divides its results, a pass of its own that reads and writes them:
//   w += rho 8 batch M N / BW
// LSTM gates wait for their weights where a wave's strips of them, ws = 4 K 256 sqrt(2 SM) bytes
// (256 columns for each of the rows of a square of 2 SM tiles), outgrow the share of L2 they get:
//   c (1 + gamma / (1 + (c_L2 L2 / ws)^2))
// LSTM elementwise operations: w = bytes / (beta BW). Sweeps of batch 64 and less found the host in
// a faster phase: their floor is r t_host, r <= 1. This is what the tables show, not a cause.
#include "laws/families.hpp"
#include "laws/tiles.hpp"

#include <array>
#include <cassert>

namespace joulecast {
namespace {

using Values = std::span<const double>;

constexpr std::array<TileSize, 10> tiles = {{{128, 128},
                                             {128, 256},
                                             {256, 128},
                                             {64, 128},
                                             {128, 64},
                                             {64, 64},
                                             {64, 256},
                                             {256, 64},
                                             {64, 32},
                                             {32, 64}}};
// Rows of a recurrent step are few, so its library also has the two smallest.
constexpr std::span<const TileSize> recurrent_menu = tiles;
constexpr std::span<const TileSize> transformer_menu = recurrent_menu.first(8);

constexpr double bytes_per_float = 4.0;
constexpr double small_batch = 64.0;

// Places that all product families share.
enum Place : std::size_t { host, kernel, corner, eta, whole_waves, overhead, k_fill, beta, ridge };

TiledProduct product_of(const LawQuestion& question) {
  const auto* shape = std::get_if<MatmulShape>(&question.shape);
  assert(shape != nullptr && "covers() lets matrix products through only");
  return {static_cast<double>(shape->batch), static_cast<double>(shape->m),
          static_cast<double>(shape->n), static_cast<double>(shape->k)};
}

TileCosts costs_of(Values p) {
  return {.eta = p[eta],
          .whole_waves = p[whole_waves],
          .tile_overhead = p[overhead],
          .k_fill = p[k_fill],
          .k_step = 32.0,
          .edge = 32.0};
}

double memory_seconds(Values p, double bytes, const DeviceFacts& facts) {
  return bytes / (p[beta] * facts.bandwidth_bytes_per_second);
}

double product_work(Values p, const LawQuestion& question) {
  TiledProduct product = product_of(question);
  double bytes = question.bytes;
  double products = 1.0;
  if (question.operation == "qkv_projection") {
    products = 3.0;
    product.n /= products;
    bytes += (products - 1.0) * bytes_per_float * product.batch * product.m * product.k;
  }
  const double compute =
      products * fastest_tile_seconds(costs_of(p), product, transformer_menu, question.facts);
  return power_sum(compute, memory_seconds(p, bytes, question.facts), p[ridge]);
}

double matmul(Values p, const LawQuestion& question) {
  return power_sum(p[host], p[kernel] + product_work(p, question), p[corner]);
}

double scores(Values p, const LawQuestion& question) {
  const TiledProduct product = product_of(question);
  const double division = p[9] * 2.0 * bytes_per_float * product.batch * product.m * product.n /
                          question.facts.bandwidth_bytes_per_second;
  return power_sum(p[host], p[kernel] + product_work(p, question) + division, p[corner]);
}

double lstm_gates(Values p, const LawQuestion& question) {
  const TiledProduct product = product_of(question);
  const double strips =
      bytes_per_float * product.k * 256.0 * std::sqrt(2.0 * question.facts.multiprocessors);
  const double fits = p[11] * question.facts.l2_bytes / strips;
  const double compute =
      fastest_tile_seconds(costs_of(p), product, recurrent_menu, question.facts) *
      (1.0 + p[10] / (1.0 + fits * fits));
  const double work =
      power_sum(compute, memory_seconds(p, question.bytes, question.facts), p[ridge]);
  const double floor = p[host] * (product.m <= small_batch ? p[9] : 1.0);
  return power_sum(floor, p[kernel] + work, p[corner]);
}

double lstm_elementwise(Values p, const LawQuestion& question) {
  const auto* shape = std::get_if<ElementShape>(&question.shape);
  assert(shape != nullptr && "covers() lets elements through only");
  const double rows = static_cast<double>(shape->elements) /
                      static_cast<double>(std::max<std::int64_t>(shape->width, 1));
  const double work = std::max(question.bytes / (p[3] * question.facts.bandwidth_bytes_per_second),
                               question.flops / question.facts.peak_flops_per_second);
  const double floor = p[host] * (rows <= small_batch ? p[4] : 1.0);
  return power_sum(floor, p[kernel] + work, p[corner]);
}

bool is_float(MeasuredPrecision precision) {
  return precision == MeasuredPrecision::fp32 || precision == MeasuredPrecision::tf32;
}
bool covers_matmul(std::string_view operation, MeasuredPrecision precision) {
  return is_float(precision) && (operation == "qkv_projection" || operation == "attention_values" ||
                                 operation == "attention_output_projection");
}
bool covers_scores(std::string_view operation, MeasuredPrecision precision) {
  return is_float(precision) && operation == "attention_scores";
}
bool covers_lstm_gates(std::string_view operation, MeasuredPrecision precision) {
  return is_float(precision) &&
         (operation == "lstm_input_gates" || operation == "lstm_hidden_gates");
}
bool covers_lstm_elementwise(std::string_view operation, MeasuredPrecision precision) {
  return is_float(precision) &&
         (operation == "lstm_activations" || operation == "lstm_cell_update" ||
          operation == "lstm_hidden_update");
}

const LawParameter host_time{"host_seconds", "host time of a call", 5e-6, 2e-3, 2.5e-4};
const LawParameter kernel_time{"kernel_seconds", "start and end of a kernel", 5e-7, 4e-4, 4e-5};
const LawParameter corner_exponent{"corner_exponent", "q, of host and device time", 1.0, 40.0, 6.0};
const LawParameter small_batch_host{"small_batch_host_share", "r, of t_host to batch 64", 0.1, 1.0,
                                    0.6};

std::vector<LawParameter> product_parameters() {
  return {host_time,
          kernel_time,
          corner_exponent,
          {"eta", "share of the peak inside a tile", 0.1, 1.0, 0.8},
          {"whole_waves", "a, 1 where waves are whole", 0.01, 1.0, 0.4},
          {"tile_overhead", "sigma, cost of small tiles", 1e-3, 4.0, 0.3},
          {"k_fill", "steps of K to fill a tile", 1.0, 400.0, 30.0},
          {"bandwidth_share", "beta", 0.02, 1.0, 0.8},
          {"ridge_exponent", "p, of compute and memory time", 1.0, 8.0, 1.5}};
}

std::vector<LawParameter> with(std::vector<LawParameter> parameters,
                               const std::vector<LawParameter>& more) {
  parameters.insert(parameters.end(), more.begin(), more.end());
  return parameters;
}

// The share of the peak, the corner and the share of the bandwidth hide each other behind the
// floor.
std::vector<std::vector<double>> product_starts(const std::vector<LawParameter>& parameters) {
  std::vector<double> base;
  for (const LawParameter& parameter : parameters) base.push_back(parameter.start);
  std::vector<std::vector<double>> starts;
  for (const double share : {0.5, 0.9}) {
    for (const double exponent : {3.0, 12.0}) {
      for (const double bandwidth : {0.3, 0.85}) {
        std::vector<double> start = base;
        start[host] = exponent > 6.0 ? 6e-5 : 2.5e-4;
        start[eta] = share;
        start[corner] = exponent;
        start[beta] = bandwidth;
        starts.push_back(start);
      }
    }
  }
  return starts;
}

constexpr std::string_view own_study =
    "own study of public measurements (MansMayaki/MLEnergyConsumption); docs/theory.md";

}  // namespace

std::vector<LawFamily> host_floor_families() {
  const auto plain = product_parameters();
  const auto divided =
      with(plain, {{"division_bandwidth_cost", "rho, of the pass that divides", 0.05, 3.0, 1.0}});
  const auto gates = with(plain, {small_batch_host,
                                  {"cache_loss", "gamma, where weights outgrow L2", 1e-3, 3.0, 0.3},
                                  {"cache_share", "c_L2, share of L2 per strip", 0.3, 30.0, 5.0}});
  return {{.name = "host_floor_matmul",
           .formula = "t = |(host, kernel + |(c, bytes / (beta BW))|_p)|_q, c of the fastest tile",
           .source = own_study,
           .parameters = plain,
           .other_starts = product_starts(plain),
           .covers = covers_matmul,
           .seconds = matmul},
          {.name = "host_floor_scores",
           .formula = "t of host_floor_matmul with a pass rho 8 batch M N / BW on the device",
           .source = own_study,
           .parameters = divided,
           .other_starts = product_starts(divided),
           .covers = covers_scores,
           .seconds = scores},
          {.name = "host_floor_lstm_gates",
           .formula = "t of host_floor_matmul with a loss of L2 and a lower floor to batch 64",
           .source = own_study,
           .parameters = gates,
           .other_starts = product_starts(gates),
           .covers = covers_lstm_gates,
           .seconds = lstm_gates},
          {.name = "host_floor_lstm_elementwise",
           .formula = "t = |(host, kernel + bytes / (beta BW))|_q, host r times to batch 64",
           .source = own_study,
           .parameters = {host_time,
                          kernel_time,
                          corner_exponent,
                          {"bandwidth_share", "beta", 0.02, 1.0, 0.6},
                          small_batch_host},
           .other_starts = {{6e-5, 2e-5, 3.0, 0.3, 0.9}, {2.5e-4, 1e-4, 12.0, 0.3, 0.5}},
           .covers = covers_lstm_elementwise,
           .seconds = lstm_elementwise}};
}

}  // namespace joulecast

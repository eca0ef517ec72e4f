// SPDX-License-Identifier: Apache-2.0
#pragma once

// A fixed stream of models, trainings and laws. The generator is specified by the standard to the
// bit and the draws are plain remainders, so every machine sees the same cases.

#include "../prediction/synthetic_world.hpp"

#include <array>
#include <fmt/format.h>
#include <ostream>
#include <random>

namespace joulecast {

// The sizes of a language model of either family, and of its training.
struct RandomCase {
  std::int64_t batch = 1, sequence = 1, layers = 1, heads = 1, head_size = 1;
  std::int64_t intermediate = 1, vocab = 2;
  bool recurrent = false;  // LSTM or GRU in place of Transformer layers
  bool gru = false;
  bool cross_or_bidirectional = false;
  bool dropout = false;
  Precision precision = Precision::fp32;
  Optimizer optimizer = Optimizer::sgd;
  bool own_laws = false;
  std::uint64_t law_seed = 0;
};

inline void PrintTo(const RandomCase& c, std::ostream* out) {
  *out << fmt::format(
      "B {} S {} L {} h {} d {} F {} V {} {}{}{} {} {}{}", c.batch, c.sequence, c.layers, c.heads,
      c.head_size, c.intermediate, c.vocab, c.recurrent ? (c.gru ? "gru" : "lstm") : "transformer",
      c.cross_or_bidirectional ? " both" : "", c.dropout ? " dropout" : "", to_string(c.precision),
      to_string(c.optimizer), c.own_laws ? " own laws" : "");
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}
  std::int64_t from(std::int64_t least, std::int64_t most) {
    const auto span = static_cast<std::uint64_t>(most - least + 1);
    return least + static_cast<std::int64_t>(engine_() % span);
  }
  // Small sizes as often as large ones.
  std::int64_t size(std::int64_t most_bits) {
    const std::int64_t bits = from(0, most_bits);
    return from(std::int64_t{1} << bits, std::int64_t{2} << bits);
  }
  double fraction(double least, double most) {
    return least + (most - least) * static_cast<double>(from(0, 1'000'000)) / 1e6;
  }
  bool coin() { return from(0, 1) == 1; }

 private:
  std::mt19937_64 engine_;
};

inline RandomCase draw_case(Draw& draw) {
  constexpr std::array precisions = {Precision::fp32, Precision::tf32, Precision::bf16,
                                     Precision::fp8};
  RandomCase c;
  c.batch = draw.size(8);
  c.sequence = draw.size(9);
  c.layers = draw.size(5);
  c.heads = draw.size(3);
  c.head_size = draw.size(6);
  c.intermediate = draw.size(10);
  c.vocab = draw.size(14);
  c.recurrent = draw.coin();
  c.gru = draw.coin();
  c.cross_or_bidirectional = draw.coin();
  c.dropout = draw.coin();
  c.precision = precisions[static_cast<std::size_t>(draw.from(0, 3))];
  // Not those in 8 bits: a tensor of 4096 numbers needs less than one of 4095.
  c.optimizer = all_optimizers[static_cast<std::size_t>(draw.from(0, 5))];
  c.own_laws = draw.coin();
  c.law_seed = static_cast<std::uint64_t>(draw.from(0, 1'000'000));
  return c;
}

inline Model model_of(const RandomCase& c) {
  Model model{.name = "random"};
  const std::int64_t width = c.heads * c.head_size;
  model.blocks.push_back({"words", EmbeddingBlock{.vocab_size = c.vocab,
                                                  .hidden_size = width,
                                                  .max_position_embeddings = c.dropout ? 9 : 0,
                                                  .layer_norm = c.dropout,
                                                  .dropout = c.dropout}});
  std::int64_t output = width;
  if (c.recurrent) {
    model.blocks.push_back({"body", RecurrentBlock{.cell = c.gru ? RecurrentBlock::Cell::gru
                                                                 : RecurrentBlock::Cell::lstm,
                                                   .num_layers = c.layers,
                                                   .input_size = width,
                                                   .hidden_size = c.intermediate,
                                                   .bidirectional = c.cross_or_bidirectional}});
    output = c.intermediate * (c.cross_or_bidirectional ? 2 : 1);
  } else {
    TransformerBlock body{.num_hidden_layers = c.layers,
                          .hidden_size = width,
                          .attention = {.num_attention_heads = c.heads,
                                        .causal = c.cross_or_bidirectional,
                                        .dropout = c.dropout},
                          .feed_forward = {.intermediate_size = c.intermediate},
                          .final_norm = c.dropout,
                          .hidden_dropout = c.dropout};
    if (c.cross_or_bidirectional)
      body.cross_attention = CrossAttention{.attention = body.attention};
    model.blocks.push_back({"body", body});
  }
  model.blocks.push_back(
      {"head", LanguageModelHeadBlock{
                   .hidden_size = output, .vocab_size = c.vocab, .transform = c.dropout}});
  return model;
}

// An accelerator of the size of an A100.
inline Device large_device() {
  Device device = round_device();
  for (auto& [precision, peak] : device.peak_flops_per_second) {
    peak.value = FlopsPerSecond{precision == Precision::fp32 ? 19.5e12 : 156e12};
  }
  device.memory_bandwidth->value = BytesPerSecond{1.935e12};
  device.thermal_design_power->value = Watts{300.0};
  return device;
}

// Saturation laws of any strength for products, as a fit may give them (alpha at most 1, so that
// more work never takes less time).
inline LawSet draw_laws(const RandomCase& c) {
  const LawSet shipped = shipped_prior();
  if (!c.own_laws) return shipped;
  Draw draw(c.law_seed);
  std::vector<Law> laws;
  for (const Precision precision :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp8}) {
    Law law = flat_law("matmul", precision);
    law.form = SaturationLaw{draw.fraction(0.05, 1.0), draw.fraction(0.1, 30.0),
                             draw.fraction(0.2, 1.0), 1e12};
    law.interval = IntervalFactors{draw.fraction(0.3, 1.0), draw.fraction(1.0, 3.0)};
    laws.push_back(std::move(law));
  }
  return {std::move(laws), shipped.prior(), shipped.power()};
}

inline TrainingSetup setup_of(const RandomCase& c) {
  return {.batch_size = c.batch,
          .sequence_length = c.sequence,
          .precision = c.precision,
          .optimizer = c.optimizer};
}

inline PredictionRequest request_of(const RandomCase& c) {
  return {
      .model = model_of(c), .device = large_device(), .setup = setup_of(c), .laws = draw_laws(c)};
}

inline std::vector<RandomCase> random_cases(std::size_t count, std::uint64_t seed) {
  Draw draw(seed);
  std::vector<RandomCase> cases;
  for (std::size_t i = 0; i < count; ++i) cases.push_back(draw_case(draw));
  return cases;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// A device and laws in round numbers, so that whole predictions can be worked out by hand.

#include <joulecast/prediction.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace joulecast {

// 1e8 FLOP/s in FP32, 1e9 in TF32, BF16 and FP8; 1e8 B/s; 100 W.
inline Device round_device() {
  Device device;
  device.id = "round";
  device.file = "own.toml";
  for (const Precision precision :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp8}) {
    const double peak = precision == Precision::fp32 ? 1e8 : 1e9;
    device.peak_flops_per_second[precision] = {.value = FlopsPerSecond{peak}, .source = "sheet"};
  }
  device.memory_bandwidth = {.value = BytesPerSecond{1e8}, .source = "sheet"};
  device.thermal_design_power = {.value = Watts{100.0}, .source = "sheet"};
  device.multiprocessors = {.value = 1.0, .source = "sheet"};
  device.l2_cache = {.value = Bytes{1e3}, .source = "sheet"};
  return device;
}

// Half of either rate, one millisecond a launch.
inline Law round_prior() {
  return {.id = "prior",
          .origin = LawOrigin::prior,
          .form = RooflineLaw{0.5, 0.5, Seconds{1e-3}},
          .interval = IntervalFactors{0.5, 2.0},
          .source = "made up",
          .file = "shipped"};
}

// 20 W idle, 50 W more at the full peak, 40 W more at the full bandwidth.
inline PowerPrior round_power() {
  return {.idle_fraction = 0.2,
          .compute_fraction = 0.5,
          .bandwidth_fraction = 0.4,
          .interval = {0.8, 3.0},
          .source = "made up as well"};
}

// A law of the round device that gives eta = 0.25 whatever the size (k is so large that the
// exponential vanishes), fitted on 1 to 1e6 FLOPs.
inline Law flat_law(std::string operation, Precision precision) {
  Law law;
  law.id = "round/" + std::string(to_string(precision)) + "/" + operation;
  law.device = "round";
  law.operation = std::move(operation);
  law.precision = measured_precision_of(precision);
  law.form = SaturationLaw{0.25, 1e6, 1.0, 1.0};
  law.fitted_range = FlopsRange{Flops{1.0}, Flops{1e6}};
  law.interval = IntervalFactors{0.9, 1.1};
  law.source = "fitted";
  law.file = "dense.json";
  return law;
}

// Half of the limit whatever the rates: 50 W that any kernel draws.
inline Law with_power(Law law) {
  law.power = LawPower{.law = {.power_limit_watts = 100.0,
                               .idle_watts = 20.0,
                               .active_watts = 30.0,
                               .limit_fraction = 1.0,
                               .sharpness = 100.0},
                       .below_limit = {0.9, 1.2},
                       .at_limit = {0.95, 1.05}};
  return law;
}

inline LawSet round_laws(std::vector<Law> laws = {}) {
  return {std::move(laws), round_prior(), round_power()};
}

// One dense layer of 100 inputs and 50 outputs on 4 * 5 = 20 rows, trained by SGD in FP32.
inline PredictionRequest dense_request() {
  Model model{.name = "dense model"};
  model.blocks = {{"layer", DenseBlock{.input_size = 100, .output_size = 50}}};
  return {.model = std::move(model),
          .device = round_device(),
          .setup = {.batch_size = 4, .sequence_length = 5, .optimizer = Optimizer::sgd},
          .laws = round_laws()};
}

inline std::vector<std::string> codes_of(const std::vector<Warning>& warnings) {
  std::vector<std::string> codes;
  for (const Warning& warning : warnings) codes.emplace_back(to_string(warning.code));
  return codes;
}

inline const Warning* find_warning(const std::vector<Warning>& warnings, WarningCode code) {
  const auto found = std::find_if(warnings.begin(), warnings.end(),
                                  [&](const Warning& warning) { return warning.code == code; });
  return found == warnings.end() ? nullptr : &*found;
}

}  // namespace joulecast

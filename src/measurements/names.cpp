// SPDX-License-Identifier: Apache-2.0
#include "measurements/names.hpp"

#include <algorithm>
#include <cassert>

namespace joulecast {
namespace {

// Flops per element as in src/operations/element_costs.hpp: an arithmetic step or a function is
// one. Reads and writes are compulsory traffic in elements.
constexpr std::array operations = {
    MeasuredOperation{"linear", ShapeKind::matmul},
    MeasuredOperation{"batched_matmul", ShapeKind::matmul},
    MeasuredOperation{"qkv_projection", ShapeKind::matmul},
    MeasuredOperation{"attention_scores", ShapeKind::matmul},
    MeasuredOperation{"attention_values", ShapeKind::matmul},
    MeasuredOperation{"attention_output_projection", ShapeKind::matmul},
    MeasuredOperation{"feed_forward_up", ShapeKind::matmul},
    MeasuredOperation{"feed_forward_down", ShapeKind::matmul},
    MeasuredOperation{"lstm_input_gates", ShapeKind::matmul},
    MeasuredOperation{"lstm_hidden_gates", ShapeKind::matmul},
    MeasuredOperation{"attention", ShapeKind::attention},
    MeasuredOperation{"encoder_attention", ShapeKind::attention},
    MeasuredOperation{"moe", ShapeKind::moe},
    MeasuredOperation{"convolution", ShapeKind::convolution},
    // The largest magnitude of each row: read, take the magnitude, compare.
    MeasuredOperation{"compute_scale", ShapeKind::elements, 2, 1, 0},
    MeasuredOperation{"add", ShapeKind::elements, 1, 2, 1},
    MeasuredOperation{"multiply", ShapeKind::elements, 1, 2, 1},
    MeasuredOperation{"scale", ShapeKind::elements, 1, 1, 1},
    MeasuredOperation{"transpose", ShapeKind::elements, 0, 1, 1},
    MeasuredOperation{"dropout", ShapeKind::elements, 2, 1, 1},
    MeasuredOperation{"relu", ShapeKind::elements, 1, 1, 1},
    MeasuredOperation{"tanh", ShapeKind::elements, 1, 1, 1},
    MeasuredOperation{"gelu", ShapeKind::elements, 5, 1, 1},
    // silu(a) b: both halves of a gated layer are read.
    MeasuredOperation{"silu_multiply", ShapeKind::elements, 5, 2, 1},
    MeasuredOperation{"softmax", ShapeKind::elements, 5, 1, 1},
    MeasuredOperation{"layer_norm", ShapeKind::elements, 8, 1, 1},
    // Square, add, normalise, gain.
    MeasuredOperation{"rms_norm", ShapeKind::elements, 4, 1, 1},
    // Two products and a sum per element; the tables of angles are small.
    MeasuredOperation{"rotary_embedding", ShapeKind::elements, 3, 1, 1},
    MeasuredOperation{"embedding", ShapeKind::elements, 0, 1, 1},
    MeasuredOperation{"lstm_activations", ShapeKind::elements, 1, 1, 1},
    // f c + i g: four operands, two products and a sum.
    MeasuredOperation{"lstm_cell_update", ShapeKind::elements, 3, 4, 1},
    // o tanh(c).
    MeasuredOperation{"lstm_hidden_update", ShapeKind::elements, 2, 2, 1},
    MeasuredOperation{"step", ShapeKind::step},
};

constexpr auto operation_names = [] {
  std::array<std::string_view, operations.size()> names{};
  std::ranges::transform(operations, names.begin(), &MeasuredOperation::name);
  return names;
}();

constexpr std::array all_phases = {MeasuredPhase::forward,         MeasuredPhase::backward_input,
                                   MeasuredPhase::backward_weight, MeasuredPhase::backward,
                                   MeasuredPhase::optimizer_step,  MeasuredPhase::step};

constexpr std::array all_energy_kinds = {EnergyKind::none, EnergyKind::board,
                                         EnergyKind::tracker_counter, EnergyKind::post_step_sample};

template <class Enum, std::size_t N>
std::optional<Enum> find_name(const std::array<Enum, N>& all, std::string_view name) {
  const auto found =
      std::ranges::find_if(all, [&](const Enum value) { return to_string(value) == name; });
  return found == all.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::string_view to_string(MeasuredRecord record) {
  return record == MeasuredRecord::operation ? "operation" : "step";
}

std::string_view to_string(MeasuredPhase phase) {
  switch (phase) {
    case MeasuredPhase::forward: return "forward";
    case MeasuredPhase::backward_input: return "backward_input";
    case MeasuredPhase::backward_weight: return "backward_weight";
    case MeasuredPhase::backward: return "backward";
    case MeasuredPhase::optimizer_step: return "optimizer_step";
    case MeasuredPhase::step: return "step";
  }
  return "unknown";
}

std::string_view to_string(MeasuredPrecision precision) {
  switch (precision) {
    case MeasuredPrecision::fp32: return "fp32";
    case MeasuredPrecision::tf32: return "tf32";
    case MeasuredPrecision::fp16: return "fp16";
    case MeasuredPrecision::bf16: return "bf16";
    case MeasuredPrecision::fp8: return "fp8";
    case MeasuredPrecision::fp8_block: return "fp8_block";
    case MeasuredPrecision::nvfp4: return "nvfp4";
  }
  return "unknown";
}

std::string_view to_string(EnergyKind kind) {
  switch (kind) {
    case EnergyKind::none: return "none";
    case EnergyKind::board: return "board";
    case EnergyKind::tracker_counter: return "tracker_counter";
    case EnergyKind::post_step_sample: return "post_step_sample";
  }
  return "unknown";
}

std::string_view to_string(Mark mark) {
  switch (mark) {
    case Mark::faster_than_peak: return "faster_than_peak";
    case Mark::slower_than_repeats: return "slower_than_repeats";
    case Mark::contradicts_repeats: return "contradicts_repeats";
    case Mark::warm_up: return "warm_up";
    case Mark::power_label_short: return "power_label_short";
    case Mark::power_label_low: return "power_label_low";
    case Mark::power_above_limit: return "power_above_limit";
    case Mark::energy_not_measured: return "energy_not_measured";
  }
  return "unknown";
}

bool doubts_duration(Mark mark) {
  return mark == Mark::faster_than_peak || mark == Mark::slower_than_repeats ||
         mark == Mark::contradicts_repeats || mark == Mark::warm_up;
}

bool MarkSet::doubts_duration() const {
  return std::ranges::any_of(
      all_marks, [&](Mark mark) { return has(mark) && joulecast::doubts_duration(mark); });
}

bool MarkSet::doubts_power() const {
  return std::ranges::any_of(
      all_marks, [&](Mark mark) { return has(mark) && !joulecast::doubts_duration(mark); });
}

std::string describe(const MarkSet& marks) {
  std::string text;
  for (const Mark mark : all_marks) {
    if (!marks.has(mark)) continue;
    if (!text.empty()) text += ';';
    text += to_string(mark);
  }
  return text;
}

std::optional<MeasuredPhase> measured_phase_from(std::string_view name) {
  return find_name(all_phases, name);
}
std::optional<MeasuredPrecision> measured_precision_from(std::string_view name) {
  return find_name(all_measured_precisions, name);
}
std::optional<EnergyKind> energy_kind_from(std::string_view name) {
  return find_name(all_energy_kinds, name);
}
std::optional<Mark> mark_from(std::string_view name) { return find_name(all_marks, name); }

std::span<const std::string_view> measured_operations() { return operation_names; }

const MeasuredOperation* find_measured_operation(std::string_view name) {
  const auto found = std::ranges::find(operations, name, &MeasuredOperation::name);
  return found == operations.end() ? nullptr : &*found;
}

Precision peak_precision(MeasuredPrecision precision) {
  switch (precision) {
    case MeasuredPrecision::fp32: return Precision::fp32;
    case MeasuredPrecision::tf32: return Precision::tf32;
    case MeasuredPrecision::fp16: return Precision::fp16;
    case MeasuredPrecision::bf16: return Precision::bf16;
    case MeasuredPrecision::fp8:
    case MeasuredPrecision::fp8_block: return Precision::fp8;
    case MeasuredPrecision::nvfp4: return Precision::fp4;
  }
  return Precision::fp32;
}

double bytes_per_number(MeasuredPrecision precision) {
  switch (precision) {
    case MeasuredPrecision::fp32:
    case MeasuredPrecision::tf32: return 4.0;
    case MeasuredPrecision::fp16:
    case MeasuredPrecision::bf16: return 2.0;
    case MeasuredPrecision::fp8:
    case MeasuredPrecision::fp8_block: return 1.0;
    case MeasuredPrecision::nvfp4: return 0.5;
  }
  return 0.0;
}

double bytes_with_scales(MeasuredPrecision precision) {
  constexpr double scale_of_16_numbers = 1.0 / 16.0;
  return bytes_per_number(precision) +
         (precision == MeasuredPrecision::nvfp4 ? scale_of_16_numbers : 0.0);
}

}  // namespace joulecast

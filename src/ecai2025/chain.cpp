// SPDX-License-Identifier: Apache-2.0
#include <joulecast/ecai2025.hpp>

#include <algorithm>
#include <cassert>
#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr double flops_per_teraflop = 1e12;

Error not_published(std::string_view device_id) {
  return Error{ErrorKind::unsupported,
               fmt::format("the paper has no attention laws for device {}", device_id),
               {},
               "it measured a100-80gb-pcie and rtx-2080-ti"};
}

std::optional<Error> find_bad_size(const PaperTransformer& model) {
  const std::array sizes{std::pair{"batch_size", model.batch_size},
                         std::pair{"sequence_length", model.sequence_length},
                         std::pair{"num_hidden_layers", model.num_hidden_layers},
                         std::pair{"hidden_size", model.hidden_size},
                         std::pair{"num_attention_heads", model.num_attention_heads}};
  for (const auto& [name, value] : sizes) {
    if (value > 0) continue;
    return Error{ErrorKind::value, fmt::format("{} must be positive, got {}", name, value), {}, ""};
  }
  if (model.num_attention_heads <= model.hidden_size) return std::nullopt;
  return Error{ErrorKind::value,
               fmt::format("{} heads do not fit a hidden size of {}", model.num_attention_heads,
                           model.hidden_size),
               {},
               ""};
}

// Which law an operation is predicted with.
std::string_view choose_law(std::string_view operation, ProjectionLaws projections) {
  if (projections == ProjectionLaws::as_table_1) return operation;
  if (operation == "qkv_projection") return "attention_output_projection";
  if (operation == "attention_output_projection") return "qkv_projection";
  return operation;
}

double find_coefficient(const PublishedNumbers& numbers, StepEnergyCoefficients set,
                        std::string_view term) {
  const std::string_view table = set == StepEnergyCoefficients::table_3 ? "Table 3" : "Table 8";
  const auto found = std::ranges::find_if(numbers.coefficients, [&](const auto& coefficient) {
    return coefficient.table == table && coefficient.term == term;
  });
  assert(found != numbers.coefficients.end() && "the published numbers lack a coefficient");
  return found->coefficient.value;
}

PaperOperation predict_operation(const PublishedLaw& law, FlopsPerSecond peak, Flops flops,
                                 std::int64_t layers) {
  PaperOperation result;
  result.flops_per_layer = flops;
  result.hef = evaluate_hef(to_law(law), flops);
  result.duration = static_cast<double>(layers) * (flops / (peak * result.hef));
  result.paper_microseconds = to_paper_microseconds(result.duration);
  result.extrapolated = flops < law.fitted_minimum || flops > law.fitted_maximum;
  return result;
}

}  // namespace

const PublishedDevice* find_published_device(const PublishedNumbers& numbers,
                                             std::string_view device_id) {
  const auto found = std::ranges::find(numbers.devices, device_id, &PublishedDevice::device_id);
  return found == numbers.devices.end() ? nullptr : &*found;
}

std::optional<FlopsPerSecond> published_peak(const PublishedNumbers& numbers,
                                             std::string_view device_id) {
  const PublishedDevice* device = find_published_device(numbers, device_id);
  if (device == nullptr) return std::nullopt;
  return FlopsPerSecond{device->peak_teraflop_per_second.value * flops_per_teraflop};
}

const PublishedLaw* find_published_law(const PublishedNumbers& numbers, std::string_view device_id,
                                       std::string_view operation) {
  const auto found = std::ranges::find_if(numbers.laws, [&](const PublishedLaw& law) {
    return law.device_id == device_id && law.operation == operation;
  });
  return found == numbers.laws.end() ? nullptr : &*found;
}

SaturationLaw to_law(const PublishedLaw& published) {
  return {published.eta_max_percent.value / 100.0, published.saturation_rate.value,
          published.saturation_exponent.value, flops_per_teraflop};
}

std::optional<SaturationLaw> published_law(const PublishedNumbers& numbers,
                                           std::string_view device_id, std::string_view operation) {
  const PublishedLaw* law = find_published_law(numbers, device_id, operation);
  return law == nullptr ? std::nullopt : std::optional{to_law(*law)};
}

// Per layer, a multiply-add counting two: Q, K and V are three products [B S, D] x [D, D], so
// 3 * 2 B S D^2; scores and their application to V are one [S, d] x [d, S] product for each of B
// sequences and all heads, so 2 B S^2 (heads * d) with d = floor(D / heads); the final projection
// is one [B S, D] x [D, D] product.
Result<std::array<Flops, 4>> count_paper_layer_flops(const PaperTransformer& model) {
  if (auto bad = find_bad_size(model)) return std::unexpected(std::move(*bad));
  const Count batch{model.batch_size};
  const Count length{model.sequence_length};
  const Count width{model.hidden_size};
  const Count head_width{model.num_attention_heads *
                         (model.hidden_size / model.num_attention_heads)};
  const std::array counts{
      6 * batch * length * width * width, 2 * batch * length * length * head_width,
      2 * batch * length * length * head_width, 2 * batch * length * width * width};
  std::array<Flops, 4> flops;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i].overflowed()) {
      return std::unexpected(
          Error{ErrorKind::overflow,
                fmt::format("the FLOPs of {} exceed 64 bits", paper_operations[i]),
                {},
                ""});
    }
    flops[i] = Flops{counts[i].as_double()};
  }
  return flops;
}

double to_paper_microseconds(Seconds duration) { return duration.value() * 1e6 / 100.0; }

Result<Joules> paper_step_energy(const PublishedNumbers& numbers, StepEnergyCoefficients set,
                                 const std::array<double, 4>& durations) {
  double energy = find_coefficient(numbers, set, "constant");
  for (std::size_t i = 0; i < durations.size(); ++i) {
    energy += find_coefficient(numbers, set, paper_operations[i]) * durations[i];
  }
  // Also catches NaN.
  if (energy >= 0.0) return Joules{energy};
  return std::unexpected(
      Error{ErrorKind::value,
            fmt::format("equation (19) gives {:.4g} J, and no training step costs less than "
                        "nothing: its coefficient for the QKV projection is negative",
                        energy),
            {},
            "use a convention other than ecai2025 for this model"});
}

Result<PaperStep> predict_paper_step(const PublishedNumbers& numbers, std::string_view device_id,
                                     const PaperTransformer& model, StepEnergyCoefficients set,
                                     ProjectionLaws projections) {
  const auto peak = published_peak(numbers, device_id);
  if (!peak) return std::unexpected(not_published(device_id));
  const auto flops = count_paper_layer_flops(model);
  if (!flops) return std::unexpected(flops.error());
  PaperStep step;
  std::array<double, 4> durations{};
  for (std::size_t i = 0; i < paper_operations.size(); ++i) {
    const auto* law =
        find_published_law(numbers, device_id, choose_law(paper_operations[i], projections));
    if (law == nullptr) return std::unexpected(not_published(device_id));
    step.operations[i] = predict_operation(*law, *peak, (*flops)[i], model.num_hidden_layers);
    step.operations[i].operation = paper_operations[i];
    durations[i] = step.operations[i].paper_microseconds;
  }
  const auto energy = paper_step_energy(numbers, set, durations);
  if (!energy) return std::unexpected(energy.error());
  step.energy = *energy;
  return step;
}

}  // namespace joulecast

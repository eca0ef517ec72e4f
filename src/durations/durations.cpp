// SPDX-License-Identifier: Apache-2.0
#include <joulecast/duration.hpp>

#include "laws/roofline.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

namespace joulecast {
namespace {

Flops flops_of(const Operation& operation) { return Flops{static_cast<double>(operation.flops)}; }

// The question that an operation puts to a law; the shape is kept beside it.
struct Asked {
  MeasuredShape shape;
  DeviceFacts facts;
  double share = 1.0;  // of the operation's FLOPs and bytes that is one kernel's

  [[nodiscard]] LawQuestion question(const Law& law, const Operation& operation) const {
    return {.operation = law.operation.empty() ? std::string_view(operation.name)
                                               : std::string_view(law.operation),
            .shape = shape,
            .precision = law.precision.value_or(MeasuredPrecision::fp32),
            .flops = static_cast<double>(operation.flops) * share,
            .bytes = static_cast<double>(operation.bytes_moved) * share,
            .facts = facts};
  }
};

// Laws know no grouped products: the groups are asked about as a batch of equal ones, each with its
// share of what is split, rounded up as the largest has it.
MeasuredShape measured_shape(const OperationShape& shape) {
  if (const auto* grouped = std::get_if<GroupedMatmulShape>(&shape)) {
    const auto share = [&](std::int64_t all) { return (all - 1) / grouped->groups + 1; };
    return MatmulShape{.batch = grouped->groups,
                       .m = grouped->split_k ? grouped->m : share(grouped->m),
                       .n = grouped->n,
                       .k = grouped->split_k ? share(grouped->k) : grouped->k};
  }
  if (const auto* matmul = std::get_if<MatmulShape>(&shape)) return *matmul;
  if (const auto* convolution = std::get_if<ConvolutionShape>(&shape)) return *convolution;
  if (const auto* fused = std::get_if<FusedAttentionShape>(&shape)) {
    return AttentionShape{.batch = fused->batch,
                          .sequence = fused->queries,
                          .kv_sequence = fused->keys,
                          .heads = fused->heads,
                          .kv_heads = fused->key_value_heads,
                          .head_size = std::max(fused->query_head_dim, fused->value_head_dim),
                          .causal = fused->causal,
                          .window = fused->window};
  }
  return std::get<ElementShape>(shape);
}

// Several kernels in a row share the traffic evenly. Layers that stand side by side in one product
// are asked about as one.
double kernels_of(const Operation& operation) {
  const bool elements = std::holds_alternative<ElementShape>(operation.shape);
  return elements ? static_cast<double>(std::max<std::int64_t>(
                        {operation.launches, operation.library_launches, 1}))
                  : 1.0;
}

// Laws know the forward kernel of attention. Backward it computes the scores again and two gradients
// of each product, 2.5 times the FLOPs, and sums and converts what several tiles add to.
constexpr double attention_backward_ratio = 3.0;

// The share of the scores that a causal mask leaves to compute.
double visible_share(const Operation& operation) {
  const auto* fused = std::get_if<FusedAttentionShape>(&operation.shape);
  if (fused == nullptr || !fused->causal || fused->queries != fused->keys) return 1.0;
  const double keys = static_cast<double>(fused->keys);
  const double window =
      fused->window > 0 ? std::min(static_cast<double>(fused->window), keys) : keys;
  return window * (2.0 * keys - window + 1.0) / (2.0 * keys * keys);
}

Asked ask(const Operation& operation, const DeviceRates& rates) {
  Asked asked{.shape = measured_shape(operation.shape),
              .facts = rates.facts.value_or(DeviceFacts{}),
              .share = 1.0 / kernels_of(operation)};
  // Simple laws need no more than these two, which may be known where the other facts are not.
  asked.facts.bandwidth_bytes_per_second = rates.bandwidth.value();
  asked.facts.peak_flops_per_second = rates.peak ? rates.peak->value() : 0.0;
  return asked;
}

Bound bound_of(const RooflineLaw& law, const LawQuestion& question) {
  const auto [work, traffic] = roofline_seconds(law, question);
  if (law.launch.value() > std::max(work, traffic)) return Bound::launch;
  return work > traffic ? Bound::compute : Bound::memory;
}

}  // namespace

Result<DeviceRates> find_rates(const Device& device, const Operation& operation) {
  if (!device.memory_bandwidth) {
    return std::unexpected(Error{
        ErrorKind::unsupported, fmt::format("the memory bandwidth of {} is not known", device.id),
        Location{.file = device.file, .path = "memory_bandwidth_bytes_per_second"},
        "state it in a --device-file"});
  }
  DeviceRates rates{.bandwidth = device.memory_bandwidth->value};
  const auto peak = find_peak(device, operation.precision);
  if (peak) rates.peak = peak->value;
  const bool product =
      operation.kind == OperationKind::matmul || operation.kind == OperationKind::convolution;
  if (!peak && product) return std::unexpected(peak.error());
  if (const auto precision = measured_precision_of(operation.precision)) {
    if (auto facts = facts_of(device, *precision)) rates.facts = std::move(*facts);
  }
  return rates;
}

bool law_applies(const Law& law, const Operation& operation, const DeviceRates& rates) {
  const bool needs_facts =
      std::holds_alternative<FamilyLaw>(law.form) || std::holds_alternative<CommitteeLaw>(law.form);
  if (needs_facts && !rates.facts) return false;
  const Asked asked = ask(operation, rates);
  return law_answers(law, asked.question(law, operation));
}

OperationDuration predict_duration(const Law& law, const Operation& operation,
                                   const DeviceRates& rates) {
  const Asked asked = ask(operation, rates);
  const LawQuestion question = asked.question(law, operation);
  OperationDuration duration;
  duration.one = evaluate_law(law, question) * kernels_of(operation);
  if (operation.kind == OperationKind::attention && operation.phase != Phase::forward &&
      !std::holds_alternative<RooflineLaw>(law.form)) {
    duration.one = duration.one * attention_backward_ratio;
  }
  if (const auto* roofline = std::get_if<RooflineLaw>(&law.form)) {
    duration.bound = bound_of(*roofline, question);
  }
  if (rates.peak && operation.flops > 0) {
    duration.hef = flops_of(operation) * visible_share(operation) / (*rates.peak * duration.one);
  }
  return duration;
}

std::optional<PowerAnswer> predict_power(const Law& law, const Operation& operation,
                                         const DeviceRates& rates, Seconds duration) {
  if (!rates.facts) return std::nullopt;
  const Asked asked = ask(operation, rates);
  return evaluate_law_power(law, asked.question(law, operation), duration);
}

std::string_view to_string(Bound bound) {
  switch (bound) {
    case Bound::compute: return "compute";
    case Bound::memory: return "memory";
    case Bound::launch: return "launch";
    case Bound::law: return "law";
  }
  return "unknown";
}

}  // namespace joulecast

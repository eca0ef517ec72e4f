// SPDX-License-Identifier: Apache-2.0
#include "laws/transfer.hpp"

#include "measurements/names.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace joulecast {
namespace {

// Kernels of these generations are written around other instructions.
int kernel_generation(std::string_view architecture) {
  if (architecture == "Ampere" || architecture == "Ada") return 1;
  if (architecture == "Hopper") return 2;
  if (architecture.starts_with("Blackwell")) return 3;
  if (architecture.starts_with("CDNA")) return 4;
  return 0;
}

double squared_log_ratio(double a, double b) {
  const double ratio = std::log(a / b);
  return ratio * ratio;
}

std::size_t place_of(const LawFamily& family, std::string_view name) {
  const auto found = std::ranges::find(family.parameters, name, &LawParameter::name);
  return static_cast<std::size_t>(found - family.parameters.begin());
}

// The share of the peak at which the power limit holds a product follows from the power there is
// per FLOP at the peak. The exponent is below 1 because newer devices also need less energy per
// FLOP.
void adjust(const LawFamily& family, std::vector<double>& values, const DeviceFacts& from,
            const DeviceFacts& to) {
  const std::size_t place = place_of(family, "eta_power");
  if (place == values.size()) return;
  constexpr double exponent = 0.3;
  const double per_flop_from = from.power_limit_watts / from.peak_flops_per_second;
  const double per_flop_to = to.power_limit_watts / to.peak_flops_per_second;
  const double scaled = values[place] * std::pow(per_flop_to / per_flop_from, exponent);
  values[place] =
      std::clamp(scaled, family.parameters[place].lowest, family.parameters[place].highest);
}

}  // namespace

double similarity(const DeviceFacts& from, const DeviceFacts& to) {
  double distance =
      squared_log_ratio(from.peak_flops_per_second, to.peak_flops_per_second) +
      squared_log_ratio(from.bandwidth_bytes_per_second, to.bandwidth_bytes_per_second) +
      squared_log_ratio(from.multiprocessors, to.multiprocessors) +
      squared_log_ratio(from.l2_bytes, to.l2_bytes) +
      squared_log_ratio(from.power_limit_watts, to.power_limit_watts);
  if (kernel_generation(from.architecture) != kernel_generation(to.architecture)) {
    distance += 1.5 * 1.5;
  }
  return 1.0 / ((distance + 0.3) * (distance + 0.3));
}

Law form_committee(std::span<const TransferSource> sources, const Device& device,
                   const DeviceFacts& to, MeasuredPrecision precision) {
  Law law;
  law.device = device.id;
  law.operation = sources.front().law->operation;
  law.precision = precision;
  law.origin = LawOrigin::transferred;
  law.id = fmt::format("{}/{}/{}", device.id, to_string(precision), law.operation);
  law.fitted_range = sources.front().law->fitted_range;
  CommitteeLaw committee;
  double sum = 0.0;
  for (const TransferSource& source : sources) {
    const auto& own = std::get<FamilyLaw>(source.law->form);
    CommitteeMember member{.law_id = source.law->id, .law = own};
    member.weight = similarity(source.facts, to);
    sum += member.weight;
    adjust(*find_family(own.family), member.law.parameters, source.facts, to);
    law.source += (law.source.empty() ? "laws of " : ", ") + source.law->id;
    if (source.law->fitted_range && law.fitted_range) {
      law.fitted_range->lowest =
          std::min(law.fitted_range->lowest, source.law->fitted_range->lowest);
      law.fitted_range->highest =
          std::max(law.fitted_range->highest, source.law->fitted_range->highest);
    }
    committee.members.push_back(std::move(member));
  }
  for (CommitteeMember& member : committee.members) member.weight /= sum;
  law.form = std::move(committee);
  return law;
}

std::vector<MeasuredPrecision> stand_ins(MeasuredPrecision precision, std::string_view operation) {
  using enum MeasuredPrecision;
  const MeasuredOperation* known = find_measured_operation(operation);
  const bool elements = known != nullptr && known->shape == ShapeKind::elements;
  switch (precision) {
    case tf32: return {bf16, fp16};
    case fp16: return elements ? std::vector{bf16, fp32} : std::vector{bf16};
    case bf16: return elements ? std::vector{fp16, fp32} : std::vector{fp16};
    case fp32: return elements ? std::vector{fp16, bf16} : std::vector<MeasuredPrecision>{};
    case fp8:
    case fp8_block:
    case nvfp4: return {};
  }
  return {};
}

}  // namespace joulecast

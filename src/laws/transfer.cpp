// SPDX-License-Identifier: Apache-2.0
#include "laws/transfer.hpp"

#include "measurements/names.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace joulecast {
namespace {

double squared_log_ratio(double a, double b) {
  const double ratio = std::log(a / b);
  return ratio * ratio;
}

// A family's parameters, by name.
class Parameters {
 public:
  explicit Parameters(FamilyLaw& law) : law_(law), family_(*find_family(law.family)) {}

  [[nodiscard]] double* find(std::string_view name) {
    const std::size_t place = place_of(name);
    return place == law_.parameters.size() ? nullptr : &law_.parameters[place];
  }
  // Within the bounds of the family; nothing where it has no such parameter.
  void set(std::string_view name, double value) {
    const std::size_t place = place_of(name);
    if (place == law_.parameters.size()) return;
    const LawParameter& parameter = family_.parameters[place];
    law_.parameters[place] = std::clamp(value, parameter.lowest, parameter.highest);
  }

 private:
  [[nodiscard]] std::size_t place_of(std::string_view name) const {
    const auto found = std::ranges::find(family_.parameters, name, &LawParameter::name);
    return static_cast<std::size_t>(found - family_.parameters.begin());
  }

  FamilyLaw& law_;
  const LawFamily& family_;
};

// The share of the peak at which the power limit holds a product follows from the power there is
// per FLOP at the peak:
//   eta_p = eta_p,j ((P_limit / v) / (P_limit,j / v_j))^0.3
// The exponent is below 1 because newer devices also need less energy per FLOP.
void scale_power_share(Parameters& values, const DeviceFacts& from, const DeviceFacts& to) {
  const double* share = values.find("eta_power");
  if (share == nullptr) return;
  const double per_flop_from = from.power_limit_watts / from.peak_flops_per_second;
  const double per_flop_to = to.power_limit_watts / to.peak_flops_per_second;
  values.set("eta_power", *share * std::pow(per_flop_to / per_flop_from, 0.3));
}

// Launch, a step of K and adding up a split are so many cycles: times go with 1 / f. Only for
// 16-bit products on tensor cores: on CUDA cores and in narrow formats these times did not follow
// the clock.
void scale_by_clock(std::string_view family, Parameters& values, const DeviceFacts& from,
                    const DeviceFacts& to) {
  if (family != "tensor_core_matmul") return;
  if (!(from.clock_hertz > 0.0) || !(to.clock_hertz > 0.0)) return;
  for (const std::string_view name : {"launch_seconds", "k_step_seconds", "split_seconds"}) {
    if (const double* value = values.find(name)) {
      values.set(name, *value * from.clock_hertz / to.clock_hertz);
    }
  }
}

// How far the power limit slows FP32 down, as a multiple of a board that it does not:
//   m = max(1, (v / P_limit) / (0.037 TFLOP/s/W 2^((year - 2016) / 3)))^0.7
// Energy per FLOP halves in some three years; boards whose data sheet promises more than that
// (P4, T4, L4) cannot hold their clock.
double throttle_of(const DeviceFacts& facts) {
  if (!(facts.launch_year > 0.0) || !(facts.fp32_flops_per_second > 0.0)) return 1.0;
  const double sustained = 0.037e12 * std::exp2((facts.launch_year - 2016.0) / 3.0);
  const double promised = facts.fp32_flops_per_second / facts.power_limit_watts;
  return std::pow(std::max(1.0, promised / sustained), 0.7);
}

// s = s_j m / m_j. Where the device slows down more than the source, it takes as long to begin as
// on the source that slows down most.
void scale_slow_down(Parameters& values, std::span<const TransferSource> sources,
                     const DeviceFacts& from, const DeviceFacts& to) {
  const double* slow_down = values.find("slow_down");
  if (slow_down == nullptr) return;
  const double own = throttle_of(to);
  const double others = throttle_of(from);
  values.set("slow_down", *slow_down * own / others);
  constexpr double more = 1.2;
  if (own <= more * others) return;
  const TransferSource& slowest = *std::ranges::max_element(
      sources, {}, [](const TransferSource& source) { return throttle_of(source.facts); });
  if (throttle_of(slowest.facts) <= others) return;
  FamilyLaw law = std::get<FamilyLaw>(slowest.law->form);
  if (const double* begin = Parameters(law).find("slow_down_seconds")) {
    values.set("slow_down_seconds", *begin);
  }
}

// A host is no part of the device, so the sources count alike; 0.3, since newer hosts are faster.
// Quantile of the logarithms, between the order statistics. Absent where no source has a host time.
// Products with a scale per block keep theirs: it is that of the kernels' front end, of which each
// architecture has another.
std::optional<double> usual_host_seconds(std::span<const TransferSource> sources) {
  constexpr double share = 0.3;
  std::vector<double> logs;
  for (const TransferSource& source : sources) {
    FamilyLaw law = std::get<FamilyLaw>(source.law->form);
    if (law.family == "block_scaled_matmul") return std::nullopt;
    if (const double* host = Parameters(law).find("host_seconds")) logs.push_back(std::log(*host));
  }
  if (logs.empty()) return std::nullopt;
  std::ranges::sort(logs);
  const double place = share * static_cast<double>(logs.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, logs.size() - 1);
  return std::exp(std::lerp(logs[below], logs[above], place - std::floor(place)));
}

}  // namespace

double similarity(std::string_view family, const DeviceFacts& from, const DeviceFacts& to) {
  double distance =
      squared_log_ratio(from.peak_flops_per_second, to.peak_flops_per_second) +
      squared_log_ratio(from.bandwidth_bytes_per_second, to.bandwidth_bytes_per_second) +
      squared_log_ratio(from.multiprocessors, to.multiprocessors) +
      squared_log_ratio(from.power_limit_watts, to.power_limit_watts);
  if (from.launch_year > 0.0 && to.launch_year > 0.0) {
    const double apart = (to.launch_year - from.launch_year) / 2.0;
    distance += apart * apart;
  }
  // Each architecture has other kernels with block-wise scales, and another front end to them.
  constexpr double other_kernels = 9.0;
  if (family == "block_scaled_matmul" && from.architecture != to.architecture) {
    distance += other_kernels;
  }
  return std::pow(distance + 0.1, -1.5);
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
  const auto host = usual_host_seconds(sources);
  double sum = 0.0;
  for (const TransferSource& source : sources) {
    const auto& own = std::get<FamilyLaw>(source.law->form);
    CommitteeMember member{.law_id = source.law->id, .law = own};
    member.weight = similarity(own.family, source.facts, to);
    sum += member.weight;
    Parameters values(member.law);
    scale_power_share(values, source.facts, to);
    scale_by_clock(own.family, values, source.facts, to);
    scale_slow_down(values, sources, source.facts, to);
    if (host) values.set("host_seconds", *host);
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

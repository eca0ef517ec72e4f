// SPDX-License-Identifier: Apache-2.0
#include "laws/moe_loads.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <string_view>

namespace joulecast {
namespace {

double real(std::int64_t count) { return static_cast<double>(count); }

struct Layer {
  double tokens, visits, experts, devices;
  double local_experts;
};

Layer layer_of(const MoeShape& shape) {
  const double devices = real(shape.expert_parallel_size);
  return {real(shape.tokens), real(shape.tokens) * real(shape.top_k), real(shape.num_experts),
          devices, std::ceil(real(shape.num_experts) / devices)};
}

std::optional<double> power_law_exponent(std::string_view distribution) {
  constexpr std::string_view prefix = "power_law_";
  if (!distribution.starts_with(prefix)) return std::nullopt;
  distribution.remove_prefix(prefix.size());
  const char* const end = distribution.data() + distribution.size();
  double alpha = 0.0;
  const auto [stop, error] = std::from_chars(distribution.data(), end, alpha);
  if (error != std::errc{} || stop != end || !std::isfinite(alpha)) return std::nullopt;
  return alpha;
}

std::vector<double> balanced_loads(const Layer& layer) {
  const auto several = [](double count, double load) {
    return std::vector<double>(static_cast<std::size_t>(count), load);
  };
  if (layer.visits > layer.experts) {
    return several(layer.local_experts, layer.visits / layer.experts);
  }
  const double visited = std::max(1.0, std::round(layer.visits / layer.devices));
  return several(std::min(visited, layer.local_experts), 1.0);
}

// The inverse of the distribution function of a density x^-alpha on [low, high].
double power_law_quantile(double u, double alpha, double low, double high) {
  const double power = 1.0 - alpha;
  if (std::abs(power) < 1e-9) return low * std::pow(high / low, u);
  const double from = std::pow(low, power);
  return std::pow(from + u * (std::pow(high, power) - from), 1.0 / power);
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// Deals out what is missing to `total` in equal whole parts, in order, none above `most`.
void raise_to(std::vector<double>& loads, double total, double most) {
  double rest = total - sum_of(loads);
  while (rest > 1e-9 * total) {
    const auto open = std::ranges::count_if(loads, [&](double load) { return load < most; });
    if (open == 0) return;
    const double part = std::max(1.0, std::floor(rest / real(open)));
    for (double& load : loads) {
      const double more = std::min({part, most - load, rest});
      load += more;
      rest -= more;
    }
  }
}

struct AllLoads {
  std::vector<double> loads{};  // ascending, whole, together `visits`
  double variance = 0.0;        // before rounding
};

AllLoads power_law_loads(const Layer& layer, double alpha) {
  // The collector draws from [1, 0.8 T], or below one visit per expert from [0.01, 2].
  const bool many = layer.visits > layer.experts;
  const double low = many ? 1.0 : 0.01;
  const double high = many ? std::max(1.01, 0.8 * layer.tokens) : 2.0;
  AllLoads all;
  for (double i = 0.5; i < layer.experts; i += 1.0) {
    all.loads.push_back(power_law_quantile(i / layer.experts, alpha, low, high));
  }
  const double mean = layer.visits / layer.experts;
  const double scale = layer.visits / sum_of(all.loads);
  for (double& load : all.loads) {
    load *= scale;
    all.variance += (load - mean) * (load - mean) / layer.experts;
    load = std::min(layer.tokens, std::round(load));
  }
  // Rounding: what is missing goes to idle experts first, what is too much comes from the largest.
  double sum = sum_of(all.loads);
  for (auto load = all.loads.rbegin(); load != all.loads.rend(); ++load) {
    if (sum < layer.visits && *load == 0.0) {
      *load = 1.0;
      sum += 1.0;
    } else if (sum > layer.visits && *load > 0.0) {
      *load -= 1.0;
      sum -= 1.0;
    }
  }
  raise_to(all.loads, layer.visits, layer.tokens);
  std::ranges::sort(all.loads);
  return all;
}

// Expected maximum of n standard normals: Blom 1958, the quantile at (n - 3/8) / (n + 1/4);
// the quantile by Abramowitz & Stegun 26.2.23, error below 4.5e-4.
double expected_maximum(double n) {
  if (n <= 1.0) return 0.0;
  const double above = 1.0 - (n - 0.375) / (n + 0.25);
  const double t = std::sqrt(-2.0 * std::log(above));
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                 (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

// The quantiles of `sorted` at the middles of `count` equal parts, linear between the values,
// largest first.
std::vector<double> quantiles(const std::vector<double>& sorted, double count) {
  const double size = static_cast<double>(sorted.size());
  std::vector<double> result;
  for (double i = count - 0.5; i > 0.0; i -= 1.0) {
    const double at = std::clamp(i / count * size - 0.5, 0.0, size - 1.0);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    result.push_back(std::lerp(sorted[below], sorted[above], at - std::floor(at)));
  }
  return result;
}

std::vector<double> busiest_of(const Layer& layer, const AllLoads& all) {
  const double share = layer.visits / layer.devices;
  const double held = layer.local_experts / layer.experts;
  const double spread = std::sqrt(all.variance * layer.local_experts * (1.0 - held));
  const double busiest =
      std::clamp(share + expected_maximum(layer.devices) * spread, 1.0,
                 std::max(1.0, std::min(layer.visits, layer.local_experts * layer.tokens)));
  // More visits than an even share reach more experts: by the root, between none and all of it.
  const auto idle = std::ranges::count(all.loads, 0.0);
  const double visited = (layer.experts - real(idle)) / layer.devices;
  const double active =
      std::max(1.0, std::min({layer.local_experts, std::floor(busiest),
                              std::round(visited * std::sqrt(std::max(1.0, busiest / share)))}));
  std::vector<double> loads = quantiles(all.loads, layer.local_experts);
  loads.resize(static_cast<std::size_t>(active));
  for (double& load : loads) load = std::max(load, 1.0);
  // Each keeps one visit; what it has beyond is scaled to the device's total.
  const double beyond = sum_of(loads) - active;
  const double scale = beyond > 1e-6 ? (busiest - active) / beyond : 0.0;
  for (double& load : loads) load = std::min(layer.tokens, 1.0 + (load - 1.0) * scale);
  const double rest = busiest - sum_of(loads);
  if (beyond <= 1e-6) {
    for (double& load : loads) load = std::min(layer.tokens, load + rest / active);
  }
  raise_to(loads, busiest, layer.tokens);
  return loads;
}

}  // namespace

std::vector<double> busiest_expert_loads(const MoeShape& shape) {
  const Layer layer = layer_of(shape);
  const auto alpha = power_law_exponent(shape.distribution);
  if (!alpha) return balanced_loads(layer);
  AllLoads all = power_law_loads(layer, *alpha);
  if (shape.expert_parallel_size > 1) return busiest_of(layer, all);
  std::erase(all.loads, 0.0);
  return all.loads;
}

}  // namespace joulecast

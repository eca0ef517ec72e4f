// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which share of a device's peak does an operation of a given size reach, and how long does it
// take?
//
// The hardware efficiency factor (HEF) of an operation of c FLOPs that takes t seconds on a device
// of peak v_max is eta = (c / t) / v_max. Source: Mayaki & Charpenay, ECAI 2025,
// DOI 10.3233/FAIA250900, equation (1). A law predicts eta or t; t = c / (v_max eta) (3) ties them.

#include <joulecast/device.hpp>
#include <joulecast/error.hpp>
#include <joulecast/operation.hpp>
#include <joulecast/quantities.hpp>
#include <joulecast/training.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace joulecast {

// The paper's law, equation (4): eta(c) = eta_max (1 - exp(-k C^alpha)), C = c / flops_scale.
// All three parameters are positive and eta_max <= 1, so 0 < eta <= eta_max for every c > 0.
struct SaturationLaw {
  double eta_max = 0.0;              // fraction, never percent
  double saturation_rate = 0.0;      // k, per C^alpha
  double saturation_exponent = 0.0;  // alpha
  double flops_scale = 1e12;         // the paper states c in TFLOP

  bool operator==(const SaturationLaw&) const = default;
};

// A roofline with launch time: t = launch + max(c / (f_c v_max), bytes / (f_b bandwidth)).
// Source: Williams, Waterman & Patterson 2009, DOI 10.1145/1498765.1498785, plus the launch term.
struct RooflineLaw {
  double compute_fraction = 0.0;    // f_c, in (0, 1]
  double bandwidth_fraction = 0.0;  // f_b, in (0, 1]
  Seconds launch{};                 // > 0

  bool operator==(const RooflineLaw&) const = default;
};

using LawForm = std::variant<SaturationLaw, RooflineLaw>;

// Multiples of a prediction between which 90 % of measurements lie.
struct IntervalFactors {
  double lower = 1.0;
  double upper = 1.0;

  bool operator==(const IntervalFactors&) const = default;
};

struct FlopsRange {
  Flops lowest{};
  Flops highest{};
};

struct Law {
  std::string id{};                      // e.g. "a100-80gb-pcie/tf32/qkv_projection", or "prior"
  std::string device{};                  // a device id; empty for the prior, which fits any
  std::string operation{};               // an operation's name or kind; empty for any
  std::optional<Precision> precision{};  // absent for any
  LawForm form{};
  std::optional<FlopsRange> fitted_range{};  // of one execution; absent for the prior
  std::optional<IntervalFactors> interval{};
  std::string source{};
  std::string file{};    // "shipped", "published", or the law's file
  std::string sha256{};  // of the bytes that state it
};

// The hardware efficiency factor, a fraction in (0, eta_max]. Requires flops > 0.
double evaluate_hef(const SaturationLaw& law, Flops flops);

// Board power while an operation runs at given rates, as an energy roofline in fractions of the
// power limit: P = limit min(1, idle + a rate / v_max + b traffic / bandwidth).
struct PowerPrior {
  double idle_fraction = 0.0;
  double compute_fraction = 0.0;
  double bandwidth_fraction = 0.0;
  IntervalFactors interval{};
  std::string source{};
};

// The laws a prediction draws from. Laws of `--laws DIR` come first, the prior covers the rest.
class LawSet {
 public:
  LawSet(std::vector<Law> laws, Law prior, PowerPrior power)
      : laws_(std::move(laws)), prior_(std::move(prior)), power_(std::move(power)) {}

  // The most specific law: one for the operation's name before one for its kind. Falls back to
  // the prior.
  [[nodiscard]] const Law& find(const Device& device, const Operation& operation) const;
  [[nodiscard]] const Law& prior() const { return prior_; }
  [[nodiscard]] const PowerPrior& power() const { return power_; }
  [[nodiscard]] const std::vector<Law>& laws() const { return laws_; }
  [[nodiscard]] bool is_prior(const Law& law) const { return &law == &prior_; }

 private:
  std::vector<Law> laws_;
  Law prior_;
  PowerPrior power_;
};

// The prior alone.
LawSet shipped_laws();

// The laws of every .json file in a directory, before the prior. Format: docs/data_formats.md.
// Errors: not_found, io, syntax, schema, value; two laws for one thing are an error.
Result<LawSet> read_laws(const std::filesystem::path& directory);

}  // namespace joulecast

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
#include <joulecast/law_family.hpp>
#include <joulecast/measurement.hpp>
#include <joulecast/operation.hpp>
#include <joulecast/power_law.hpp>
#include <joulecast/quantities.hpp>
#include <joulecast/training.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
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

// A family of law_family.hpp with values, in the order of the family's parameters.
struct FamilyLaw {
  std::string family{};
  std::vector<double> parameters{};

  bool operator==(const FamilyLaw&) const = default;
};

// Laws of other devices, asked with the facts of this one: ln t = sum_i w_i ln t_i, the weights
// summing to 1. The parameters of each member are already those for this device.
struct CommitteeMember {
  std::string law_id{};
  FamilyLaw law{};
  double weight = 0.0;

  bool operator==(const CommitteeMember&) const = default;
};
struct CommitteeLaw {
  std::vector<CommitteeMember> members{};

  bool operator==(const CommitteeLaw&) const = default;
};

using LawForm = std::variant<SaturationLaw, RooflineLaw, FamilyLaw, CommitteeLaw>;

// Multiples of a prediction between which 90 % of measurements lie.
struct IntervalFactors {
  double lower = 1.0;
  double upper = 1.0;

  bool operator==(const IntervalFactors&) const = default;
};

// The same for operations below an arithmetic intensity whose predicted duration is below a limit.
// Bands are ordered by intensity, then by duration; the last of each has no end (infinity).
struct IntervalBand {
  double intensity_below = 0.0;  // FLOPs per byte of the least work
  Seconds below{};
  IntervalFactors factors{};
};

struct FlopsRange {
  Flops lowest{};
  Flops highest{};
};

// How far the law was off on shapes that its fit had not seen.
struct LawErrors {
  std::int64_t rows = 0;
  double mean_absolute_percentage_error = 0.0;  // a fraction, in spite of its name in the field
  double median_absolute_percentage_error = 0.0;
};

// 95 % interval of a parameter of a family.
struct LawParameterInterval {
  std::string name{};
  double lower = 0.0;
  double upper = 0.0;
};

// One family of those among which a fit chose.
struct FamilyTrial {
  FamilyLaw law{};
  LawErrors errors{};
  IntervalFactors interval{};
};

// Board power beside the duration, where it was measured; transferred laws have none.
struct LawPower {
  PowerLaw law{};
  IntervalFactors below_limit{};  // where the prediction is below `at_limit_share` of the limit
  IntervalFactors at_limit{};     // elsewhere
  LawErrors errors{};
  std::vector<LawParameterInterval> parameter_intervals{};
  std::vector<std::string> not_identified{};
};

enum class LawOrigin {
  prior,        // nothing was measured
  published,    // of the source paper
  fitted,       // to measurements on this device
  transferred,  // to measurements on other devices
};

struct Law {
  std::string id{};         // e.g. "a100-80gb-pcie/tf32/qkv_projection", or "prior"
  std::string device{};     // a device id; empty for the prior, which fits any
  std::string operation{};  // an operation's name or kind; empty for any
  std::optional<MeasuredPrecision> precision{};  // absent for any
  LawOrigin origin = LawOrigin::fitted;
  LawForm form{};
  std::optional<FlopsRange> fitted_range{};  // of one execution; absent for the prior
  std::optional<IntervalFactors> interval{};
  std::vector<IntervalBand> bands{};  // in place of `interval`
  std::optional<LawErrors> errors{};
  std::vector<LawParameterInterval> parameter_intervals{};
  std::vector<std::string> not_identified{};  // parameters that the rows did not fix
  std::optional<LawPower> power{};
  std::vector<FamilyTrial> trials{};        // every family that was tried, the best first
  std::vector<std::uint32_t> row_hashes{};  // ascending; of the rows that the fit used
  // Fitted to operations timed one by one from the host, whose time is a floor under them. Steps
  // are not predicted by such laws unless the user gives them.
  bool host_timed = false;
  std::string source{};
  std::string file{};    // "shipped", "published", or the law's file
  std::string sha256{};  // of the bytes that state it; of what it was formed from if transferred
};

// The factors for a prediction of this duration; absent where the law has none. Intensity is FLOPs
// over bytes of the least work.
std::optional<IntervalFactors> interval_for(const Law& law, Seconds predicted, double intensity);

// Whether the law can answer: its form needs FLOPs, or a shape of its kind, or facts of the device.
bool law_answers(const Law& law, const LawQuestion& question);
// Requires law_answers. Above 0.
Seconds evaluate_law(const Law& law, const LawQuestion& question);
// The first 32 bits of `hash_of`, in which laws remember their rows: of the rows that a law never
// saw one in 10^5 seems to be among 40,000 of its own.
std::uint32_t short_hash(const Measurement& row);
// Power and its interval; absent where the law has none, or the question is outside it.
struct PowerAnswer {
  Watts power{};
  IntervalFactors interval{};
};
std::optional<PowerAnswer> evaluate_law_power(const Law& law, const LawQuestion& question,
                                              Seconds duration);
// Whether the fit of the law used the row.
bool is_in_sample(const Law& law, const Measurement& row);

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
  std::string id{};      // "prior/power"
  std::string sha256{};  // of the bytes that state it
};

struct LawId {
  std::string device{};
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  std::string operation{};

  auto operator<=>(const LawId&) const = default;
};

// What a law is looked up for. Names go from the most specific to the least; the first that a law
// has is taken.
struct LawKey {
  std::string_view device{};
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  std::vector<std::string_view> operations{};
};

// The names under which laws for an operation of a model may stand: its own, that of the kernel it
// runs as ("linear", "gelu", ...), its kind.
std::vector<std::string_view> law_names(const Operation& operation);
// The format in which the operation's kernel is measured; absent where none is.
std::optional<MeasuredPrecision> measured_precision_of(Precision precision);

// The laws a prediction draws from: those of `--laws DIR` first, then the shipped ones of the
// device and what was transferred to it, then the prior.
class LawSet {
 public:
  LawSet(std::vector<Law> laws, Law prior, PowerPrior power)
      : laws_(std::move(laws)), prior_(std::move(prior)), power_(std::move(power)) {}

  // Null where only the prior is left.
  [[nodiscard]] const Law* find(const LawKey& key) const;
  // The same for an operation of a model, falling back to the prior.
  [[nodiscard]] const Law& find(const Device& device, const Operation& operation) const;
  [[nodiscard]] const Law& prior() const { return prior_; }
  [[nodiscard]] const PowerPrior& power() const { return power_; }
  [[nodiscard]] const std::vector<Law>& laws() const { return laws_; }
  // The same without the host's part: in a step kernels wait in a queue, and what calls take the host
  // is counted once for all of them. Start and end of a kernel that was timed alone fall together
  // with its neighbours', too.
  [[nodiscard]] LawSet queued() const;
  // These laws, then the others, with the prior of the others.
  [[nodiscard]] LawSet followed_by(const LawSet& others) const;

 private:
  std::vector<Law> laws_;
  Law prior_;
  PowerPrior power_;
};

// What an operation of a model needs: a law under one of its names, as `law_names` gives them.
struct LawNeed {
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  std::vector<std::string_view> names{};

  auto operator<=>(const LawNeed&) const = default;
};

// Which measured devices are treated as if nobody had measured them, so that everything about the
// one in question is transferred: to judge transfers by devices whose measurements are at hand.
// Intervals stay those that ship, which come from these devices as well.
enum class LeaveOut { nothing, device, architecture };

// Which of the shipped laws are wanted. What is absent is not filtered by.
struct LawRequest {
  std::vector<LawNeed> needs{};  // in place of the next two: the laws that `LawSet::find` takes
  std::vector<MeasuredPrecision> precisions{};
  std::vector<std::string_view> operations{};
  bool row_hashes = false;    // so that `is_in_sample` can tell
  std::string_view family{};  // in place of the family that the fit chose, where it was tried
  LeaveOut leave_out = LeaveOut::nothing;
};

// The laws that are part of the library, for one device: its own, and for what was not measured on
// it committees of laws of other devices of its vendor.
LawSet shipped_laws(const Device& device, const LawRequest& request = {});
// The prior alone.
LawSet shipped_prior();
// What was measured, on every device, ascending; for lists.
std::vector<LawId> shipped_law_ids();
// Whether the shipped laws of matrix products in a precision were fitted to this device, to others
// of its vendor, or to none (`prior`).
LawOrigin shipped_coverage(const Device& device, MeasuredPrecision precision);

// The laws of every .json file in a directory, and the prior. Format: docs/data_formats.md.
// With a family, every law that a fit wrote is exchanged for its trial of that family, and laws
// without one are left out.
// Errors: not_found, io, syntax, schema, value; two laws for one thing are an error.
Result<LawSet> read_laws(const std::filesystem::path& directory, std::string_view family = {});

// Writes DEVICE/PRECISION/OPERATION.json, the same with .families.json (every family that was
// tried) and .rows (the hashes of the rows) below the directory; each file as a whole or not at
// all.
Result<void> save_law(const std::filesystem::path& directory, const Law& law);

std::string_view to_string(LawOrigin origin);

}  // namespace joulecast

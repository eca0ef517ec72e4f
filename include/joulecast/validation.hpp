// SPDX-License-Identifier: Apache-2.0
#pragma once

// How far are the laws off on measured operations, and predictions on measured training steps?
//
// With e = (predicted - measured) / measured over the rows of a group,
//   MAPE = mean |e|,  median and p90 of |e|,  bias = mean e,
//   R^2 = 1 - sum (measured - predicted)^2 / sum (measured - mean measured)^2,
// R^2 also of the logarithms, and the share of rows whose measurement lies in the 90 % interval of
// its prediction. All are fractions. Every row counts: one that a mark doubts as well, one without
// a law as such, and rows that a law was fitted to apart from those it has not seen. Energies of
// other kinds than `board` are not what a prediction states, and are counted, not compared.
//
// A step is predicted from its model, as `predict` does. Steps of the same model and training that
// one source measured on one device are a run, whose time and energy are their sums.

#include <joulecast/device.hpp>
#include <joulecast/error.hpp>
#include <joulecast/law.hpp>
#include <joulecast/law_family.hpp>
#include <joulecast/measurement.hpp>
#include <joulecast/model.hpp>
#include <joulecast/quantities.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// What the law says of one measured execution. Errors: unsupported, where its form cannot answer;
// value, where the answer is no duration.
Result<Seconds> predict_measured(const Law& law, const Measurement& row, const DeviceFacts& facts);

// `unmarked`: without the rows whose marks doubt the quantity.
enum class ValidationSet {
  out_of_sample,
  out_of_sample_unmarked,
  in_sample,  // rows that the law was fitted to
  in_sample_unmarked
};

// Parts of a group, which may overlap; docs/data_formats.md states the bounds by kind of shape.
enum class Regime { all, training, skinny, large, small };

enum class ValidatedQuantity { duration, power, energy };

inline constexpr std::array all_validation_sets = {
    ValidationSet::out_of_sample, ValidationSet::out_of_sample_unmarked, ValidationSet::in_sample,
    ValidationSet::in_sample_unmarked};
inline constexpr std::array all_regimes = {Regime::all, Regime::training, Regime::skinny,
                                           Regime::large, Regime::small};
inline constexpr std::array all_validated_quantities = {
    ValidatedQuantity::duration, ValidatedQuantity::power, ValidatedQuantity::energy};

struct ErrorMetrics {
  std::int64_t count = 0;
  double mape = 0.0;
  double median_ape = 0.0;
  double p90_ape = 0.0;
  double bias = 0.0;
  std::optional<double> r2{};           // absent where the measurements do not vary
  std::optional<double> r2_log{};       // the same
  std::optional<double> coverage_90{};  // absent where a prediction has no interval
};

struct ValidationGroup {
  ValidationSet set = ValidationSet::out_of_sample;
  std::string device{};
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  std::string operation{};
  Regime regime = Regime::all;
  ValidatedQuantity quantity = ValidatedQuantity::duration;
  ErrorMetrics metrics{};
};

struct LawReference {
  std::string id{};
  LawOrigin origin = LawOrigin::prior;
  std::string file{};
  std::string sha256{};
};

// The operations of steps, and of the runs that they make up.
inline constexpr std::string_view step_operation = "step";
inline constexpr std::string_view run_operation = "run";

// One operation on one device in one precision, and the laws that were asked about it: one at most,
// of steps all that their operations use.
struct ValidationSubject {
  std::string device{};
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  std::string operation{};
  std::int64_t measurements = 0;  // rows of the tables, compared or not; of runs their number
  std::vector<LawReference> laws{};
  std::optional<DeviceFacts> facts{};  // absent where the device lacks a figure
};

// One measurement beside its prediction. Power is there where both are.
struct ValidationRow {
  const Measurement* row = nullptr;  // one of those that were validated, or of `Validation::runs`
  std::size_t subject = 0;           // its place in `Validation::subjects`
  MeasuredWork work{};               // least work of an operation, all work of a step
  Seconds predicted_duration{};
  std::optional<IntervalFactors> duration_interval{};
  std::optional<Watts> measured_power{};
  std::optional<Watts> predicted_power{};
  std::optional<IntervalFactors> power_interval{};
  std::optional<IntervalFactors> energy_interval{};  // of steps; else both intervals make it
  bool in_sample = false;
  bool doubted_duration = false;
  bool doubted_power = false;
  std::array<bool, all_regimes.size()> regimes{};  // in the order of `all_regimes`
};

// Why a measured quantity has no prediction beside it.
enum class NotCompared {
  no_law,             // none for the device, precision and operation
  refused,            // a step that cannot be predicted; `ValidationGap::detail` says why
  other_phase,        // laws speak of forward executions
  no_answer,          // the law's form, or the device's figures, do not allow one
  implausible,        // the measured value is none that SI units could give
  no_power_law,       // nothing predicts the power
  other_energy_kind,  // the row's energy is not that of the board
};

struct ValidationGap {
  std::string device{};
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  std::string operation{};
  ValidatedQuantity quantity = ValidatedQuantity::duration;  // power stands for energy as well
  NotCompared reason = NotCompared::no_law;
  std::int64_t rows = 0;
  std::string detail{};
};

struct Validation {
  std::int64_t measurements = 0;
  std::vector<ValidationSubject>
      subjects{};                     // by device, operation and precision; runs after steps
  std::vector<ValidationRow> rows{};  // those with a predicted duration, by subject
  std::vector<ValidationGap> gaps{};
  std::vector<ValidationGroup> groups{};  // those that have rows
  // Sums over the steps of each run; rows point to them.
  std::vector<std::shared_ptr<const Measurement>> runs{};
};

struct PowerPrediction {
  Watts power{};
  std::optional<IntervalFactors> interval{};
};

struct ValidationOptions {
  // Board power while the row runs, by its predicted duration. Without it, and for rows for which
  // it answers nothing, power and energy are not compared.
  std::function<std::optional<PowerPrediction>(const Measurement&, const Device&, Seconds)> power{};
  // The model that a measured step names. Without it steps have no prediction.
  std::function<Result<Model>(const Measurement&)> find_model{};
  std::string law_family{};  // of the shipped laws that steps are predicted by
  // Whether the law was fitted to the row.
  std::function<bool(const Law&, const Measurement&)> in_sample = is_in_sample;
};

// Energy is power times duration, for measurements that state one of the two and for predictions,
// whose interval then reaches from the product of both lower bounds to that of the upper ones. The
// measurements must outlive the result. Errors: not_found, for a device the catalogue lacks; those
// of `find_model`.
Result<Validation> validate_laws(std::span<const Measurement> measurements, const LawSet& laws,
                                 const DeviceCatalogue& devices,
                                 const ValidationOptions& options = {});
// Measurements that would not outlive the call.
Result<Validation> validate_laws(const std::vector<Measurement>&& measurements, const LawSet& laws,
                                 const DeviceCatalogue& devices,
                                 const ValidationOptions& options = {}) = delete;

// Whether the subject is of runs each of which is one row of the tables, so that it says what its
// steps say.
bool repeats_steps(const Validation& validation, const ValidationSubject& subject);

// An SVG picture that stands alone: for each group, the efficiency over the work with the law's,
// and predicted over measured time; of steps and runs, predicted over measured energy and time. At
// most `maximum_plotted_subjects` groups with the most rows,
// of each at most `maximum_plotted_rows`; the picture says what it leaves out.
inline constexpr std::size_t maximum_plotted_subjects = 12;
inline constexpr std::size_t maximum_plotted_rows = 3000;
std::string plot_validation(const Validation& validation);
// The same as a file. Errors: not_found, io.
Result<void> save_validation_plot(const std::filesystem::path& path, const Validation& validation);

std::string_view to_string(ValidationSet set);
std::string_view to_string(Regime regime);
std::string_view to_string(ValidatedQuantity quantity);
std::string_view to_string(NotCompared reason);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What was measured? Operations and training steps with shape, duration and, where somebody
// measured them, power or energy: one row each, in one versioned table (docs/data_formats.md).
//
// Laws are fitted to these rows and judged by them. A row says what was run (operation, phase,
// precision, shape), on what (device, software) and how its energy was obtained: energies of
// different kinds are never mixed. A row that looks wrong is marked with the reason and kept;
// whoever uses the rows decides, and reports both.

#include <joulecast/device.hpp>
#include <joulecast/error.hpp>
#include <joulecast/operation.hpp>
#include <joulecast/quantities.hpp>
#include <joulecast/training.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace joulecast {

enum class MeasuredRecord { operation, step };

// Which part of the training was timed. `backward` is both gradients together, `step` a whole
// optimisation step; the others are as in `Phase`.
enum class MeasuredPhase {
  forward,
  backward_input,
  backward_weight,
  backward,
  optimizer_step,
  step
};

// The number format of the multiplication, as the kernels tell them apart: FP8 with one scale per
// block runs other kernels than FP8 with one per tensor, and NVFP4 is FP4 with a scale per 16.
enum class MeasuredPrecision { fp32, tf32, fp16, bf16, fp8, fp8_block, nvfp4 };

// `board`: mean power of the whole accelerator while the work ran. `tracker_counter`: difference of
// a software tracker's counter. `post_step_sample`: one sample taken after the work, times its
// duration. `none`: neither power nor energy is known.
enum class EnergyKind { none, board, tracker_counter, post_step_sample };

inline constexpr std::array all_measured_precisions = {
    MeasuredPrecision::fp32, MeasuredPrecision::tf32, MeasuredPrecision::fp16,
    MeasuredPrecision::bf16, MeasuredPrecision::fp8,  MeasuredPrecision::fp8_block,
    MeasuredPrecision::nvfp4};

// Why a row is doubted. The first four doubt its duration, the others its power or energy alone.
enum class Mark {
  faster_than_peak,     // more work per second than the device's data sheet allows
  slower_than_repeats,  // took over 1.5 times as long as the fastest of its repeats
  contradicts_repeats,  // one of a group of repeats most of which are slower than that
  warm_up,              // began a sweep and took over 3 times as long as more work did soon after
  power_label_short,    // outside 0.15 to 20 ms, or m <= 2: the power averages over more than it
  power_label_low,      // far below the power of neighbouring shapes
  power_above_limit,    // over 1.05 times the power limit
  energy_not_measured,  // the source has a power column, but not for this row
};

inline constexpr std::array all_marks = {Mark::faster_than_peak,    Mark::slower_than_repeats,
                                         Mark::contradicts_repeats, Mark::warm_up,
                                         Mark::power_label_short,   Mark::power_label_low,
                                         Mark::power_above_limit,   Mark::energy_not_measured};

bool doubts_duration(Mark mark);

class MarkSet {
 public:
  constexpr void add(Mark mark) { bits_ |= bit(mark); }
  [[nodiscard]] constexpr bool has(Mark mark) const { return (bits_ & bit(mark)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] bool doubts_duration() const;
  [[nodiscard]] bool doubts_power() const;  // or energy

  constexpr bool operator==(const MarkSet&) const = default;

 private:
  static constexpr std::uint32_t bit(Mark mark) { return 1U << static_cast<std::uint32_t>(mark); }

  std::uint32_t bits_ = 0;
};

// Queries of `sequence` tokens over keys of `kv_sequence`; `window` 0 means that all are seen.
struct AttentionShape {
  std::int64_t batch = 1;
  std::int64_t sequence = 0;
  std::int64_t kv_sequence = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_size = 0;
  bool causal = false;
  std::int64_t window = 0;
  MeasuredPrecision kv_precision = MeasuredPrecision::bf16;

  bool operator==(const AttentionShape&) const = default;
};

// A layer of experts, as one of the devices that share it sees it. `distribution` names how the
// tokens were dealt to the experts.
struct MoeShape {
  std::int64_t tokens = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t top_k = 0;
  std::int64_t num_experts = 0;
  std::int64_t tensor_parallel_size = 1;
  std::int64_t expert_parallel_size = 1;
  std::string distribution{};

  bool operator==(const MoeShape&) const = default;
};

// `model` is the id of a shipped model, or the path of its file from the folder in which joulecast
// runs. The batch is that of each device. Duration and energy are those of one step, the mean over
// `steps` in a row; power and energy are summed over the devices.
struct StepShape {
  std::string model{};
  std::int64_t batch_size = 0;
  std::int64_t sequence_length = 0;  // 0: the model has no sequence
  std::int64_t num_gpus = 1;
  Optimizer optimizer = Optimizer::adamw;
  std::int64_t steps = 1;

  bool operator==(const StepShape&) const = default;
};

using MeasuredShape =
    std::variant<MatmulShape, ElementShape, AttentionShape, MoeShape, ConvolutionShape, StepShape>;

struct Measurement {
  std::string source{};     // format and file, e.g. "aiconfigurator-gemm:h200_gemm_power.csv"
  std::string device{};     // a device's id
  std::string software{};   // the stack, e.g. "vLLM 0.22"; empty where nobody said
  std::string operation{};  // one of `measured_operations()`; "step" for a step
  MeasuredPhase phase = MeasuredPhase::forward;
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  MeasuredShape shape{};
  Seconds duration{};
  std::optional<Watts> power{};
  std::optional<Joules> energy{};
  EnergyKind energy_kind = EnergyKind::none;
  std::optional<Watts> power_limit{};
  MarkSet marks{};

  [[nodiscard]] MeasuredRecord record() const {
    return std::holds_alternative<StepShape>(shape) ? MeasuredRecord::step
                                                    : MeasuredRecord::operation;
  }
  bool operator==(const Measurement&) const = default;
};

// 16 hexadecimal digits that name what was measured: device, operation, phase, precision, shape,
// duration, power, energy and its kind. Source, software, power limit and marks do not enter, so a
// renamed file or a rule that changed leaves the hash alone.
std::string hash_of(const Measurement& measurement);

// The operations that a table may name, and the least work each can do: what the shape demands if
// every operand is read once, every result written once and nothing is computed twice. A source
// that does not tell gated experts from plain ones is counted as plain.
struct MeasuredWork {
  Flops flops{};
  Bytes bytes{};
};
std::span<const std::string_view> measured_operations();
MeasuredWork least_work(const Measurement& measurement);
// The rate of a data sheet that bounds the precision.
Precision peak_precision(MeasuredPrecision precision);

// The table, read strictly: the columns are all there, once and no others.
inline constexpr int measurement_schema_version = 1;
Result<std::vector<Measurement>> read_measurements(const std::filesystem::path& path);
Result<std::vector<Measurement>> parse_measurements(std::string_view text, std::string file);
std::string write_measurements(std::span<const Measurement> measurements);
// All of it or nothing: the file appears, or is replaced, once it is complete.
Result<void> save_measurements(const std::filesystem::path& path,
                               std::span<const Measurement> measurements);

struct ImportRequest {
  std::string format{};  // one of `import_formats()`
  std::vector<std::filesystem::path> files{};
  std::string device{};  // for files that do not name it; an id, name or alias
  std::string software{};
  // Of `campaign`: the file of a model with that many parameters, which a record names as
  // `model_file`.
  std::function<Result<std::string>(const std::string& model_file, std::int64_t parameters)>
      find_model{};
  bool held_out_only = false;  // of `campaign`: rows that are marked so
  // Of `measure`: what was trained, how many steps each marked segment has, and how the names of
  // those segments begin.
  std::optional<StepShape> step{};
  std::optional<MeasuredPrecision> precision{};
  std::string segments{};
};

struct MeasurementCount {
  std::string device{};
  std::string operation{};
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  std::int64_t rows = 0;
  std::int64_t doubted_durations = 0;  // rows with a mark that doubts it
  std::int64_t with_power = 0;         // or energy
  std::int64_t doubted_powers = 0;     // of those with power
};

struct Import {
  std::string format{};
  std::vector<Measurement> measurements{};
  std::int64_t source_rows = 0;
  std::int64_t exact_copies = 0;           // left out
  std::int64_t failed_rows = 0;            // left out: they say that nothing could be measured
  std::int64_t not_held_out = 0;           // left out under `held_out_only`
  std::vector<MeasurementCount> counts{};  // by device, operation and precision
  std::array<std::int64_t, all_marks.size()> mark_counts{};
};

std::vector<std::string> import_formats();
// Reads public sets of measurements, records of the campaign and reports of `measure`. Errors: a
// missing or renamed column or key, a number that is none, a duration that is not positive or in
// another unit, an unknown device, format or operation; those of `find_model`; usage, where
// `measure` lacks what was trained.
Result<Import> import_measurements(const ImportRequest& request, const DeviceCatalogue& devices);

// Stable names, as the table and the reports write them.
std::string_view to_string(MeasuredRecord record);
std::string_view to_string(MeasuredPhase phase);
std::string_view to_string(MeasuredPrecision precision);
std::string_view to_string(EnergyKind kind);
std::string_view to_string(Mark mark);
std::string describe(const MeasuredShape& shape);  // "batch=1 m=64 n=128 k=256"
std::string describe(const MarkSet& marks);        // "warm_up;faster_than_peak"

}  // namespace joulecast

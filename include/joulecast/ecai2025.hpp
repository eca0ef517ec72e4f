// SPDX-License-Identifier: Apache-2.0
#pragma once

// What does the source paper print, and what does its own chain make of a model?
//
// M. Zoubeirou a Mayaki, V. Charpenay, ECAI 2025, DOI 10.3233/FAIA250900. The chain, with the
// paper's conventions and only here:
//   FLOPs of one forward pass and layer     QKV 6 B S D^2, scores and output 2 B S^2 D',
//                                           final projection 2 B S D^2,
//   efficiency                              eta = eta_max (1 - exp(-k c^alpha))          (4)
//   duration                                t = c / (v_max eta)                          (3)
//   step energy                             E = b + sum_i b_i t_i over all layers        (19)
// D' = heads * floor(D / heads) is what the printed tables use where heads do not divide D.
//
// The percent slip: the authors store eta in percent and divide by it in (3) as if it were a
// fraction, so a "microsecond" of the paper is 1e-6 s of a device 100 times too fast. Its
// coefficients absorb the factor. `to_paper_microseconds` is the only place where it exists.

#include <joulecast/error.hpp>
#include <joulecast/law.hpp>
#include <joulecast/quantities.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// A number with the digits it was printed with: "0.80" has a last place of 0.01, "-7.66e4" of 100.
struct PrintedNumber {
  std::string text;
  double value = 0.0;
  double last_place = 0.0;

  bool operator==(const PrintedNumber&) const = default;
};

// Nothing if the text is not a plain decimal number.
std::optional<PrintedNumber> parse_printed(std::string_view text);
// The number with its last digit changed by `units` in the last place, printed the same way.
PrintedNumber shift_last_place(const PrintedNumber& number, int units);

struct PublishedDevice {
  std::string device_id;            // as in the device file, "a100-80gb-pcie"
  std::string printed_name;         // as in the paper
  std::string published_gpu_label;  // as in the authors' tables
  PrintedNumber peak_teraflop_per_second;
  std::string precision;
  std::string source;
};

struct PublishedLaw {
  std::string table;
  std::string device_id;
  std::string operation;  // our name, "qkv_projection"
  std::string printed_operation;
  PrintedNumber eta_max_percent;
  PrintedNumber saturation_rate;
  PrintedNumber saturation_exponent;
  Flops fitted_minimum;  // of the operation, in the rows that `range_source` names
  Flops fitted_maximum;
  std::string range_source;
  std::string source;
};

struct PublishedCoefficient {
  std::string table;  // "Table 3", "Table 4" or "Table 8"
  std::string term;   // "constant" or an operation
  std::string unit;
  PrintedNumber coefficient;
  std::optional<PrintedNumber> lower_95;
  std::optional<PrintedNumber> upper_95;
  std::string source;
};

// The sizes that the chain needs; 0 where a table varies the size.
struct PaperTransformer {
  std::int64_t batch_size = 0;
  std::int64_t sequence_length = 0;
  std::int64_t num_hidden_layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_attention_heads = 0;

  bool operator==(const PaperTransformer&) const = default;
};

struct PublishedSetup {
  std::string name;  // "A", "B", "Table 9", "Table 10"
  PaperTransformer model;
  std::string source;
};

struct PublishedExampleRow {  // of Table 5
  std::string operation;
  std::string setup;
  PrintedNumber teraflop_per_layer;
  PrintedNumber efficiency_percent;
  PrintedNumber duration_paper_microseconds;
  std::string source;
};

struct PublishedGrid {  // step energy in J
  std::string table;
  std::string row_name;
  std::string column_name;
  std::vector<std::int64_t> row_values;
  std::vector<std::int64_t> column_values;
  std::vector<std::vector<PrintedNumber>> cells;  // by row, then column
};

struct PublishedClaim {
  std::string claim;
  std::string published;
  std::string unit;
  std::string statement;
  std::string source;
};

// A cell that contradicts the paper's own formulas. `printed` must be what the table holds and
// `corrected` what the formulas give; both are checked.
struct PublishedMisprint {
  std::string table;
  std::string item;
  PrintedNumber printed;
  PrintedNumber corrected;
  std::string reason;
};

struct PublishedNumbers {
  std::vector<PublishedDevice> devices;
  std::vector<PublishedLaw> laws;                  // Tables 1 and 2
  std::vector<PublishedCoefficient> coefficients;  // Tables 3, 4 and 8
  std::vector<PublishedSetup> setups;
  std::vector<PublishedExampleRow> example;  // Table 5
  PublishedGrid heads_grid;                  // Table 9
  PublishedGrid width_grid;                  // Table 10
  std::vector<PublishedClaim> claims;
  std::vector<PublishedMisprint> misprints;
};

// The numbers shipped with the library, read anew at each call.
PublishedNumbers load_published_numbers();

const PublishedDevice* find_published_device(const PublishedNumbers& numbers,
                                             std::string_view device_id);
// The peak v_max the laws of a device refer to; nothing for a device the paper does not have.
std::optional<FlopsPerSecond> published_peak(const PublishedNumbers& numbers,
                                             std::string_view device_id);
// The entry with digits and range; null where the paper has no law.
const PublishedLaw* find_published_law(const PublishedNumbers& numbers, std::string_view device_id,
                                       std::string_view operation);
// Its law with eta_max as a fraction.
SaturationLaw to_law(const PublishedLaw& published);
std::optional<SaturationLaw> published_law(const PublishedNumbers& numbers,
                                           std::string_view device_id, std::string_view operation);

// The four operations that equation (19) counts, in the order of its terms.
inline constexpr std::array<std::string_view, 4> paper_operations{
    "qkv_projection", "attention_scores", "attention_values", "attention_output_projection"};

// FLOPs of one forward pass through one layer, in the order of `paper_operations`. An error if a
// size is not positive, there are more heads than hidden units, or a count exceeds 64 bits.
Result<std::array<Flops, 4>> count_paper_layer_flops(const PaperTransformer& model);

// True seconds to the paper's "microseconds": 1e6 / 100, the percent slip.
double to_paper_microseconds(Seconds duration);

enum class StepEnergyCoefficients {
  table_3,  // equation (19) as printed
  table_8,  // the variant behind the worked example and Tables 9 and 10
};

// Equation (19). Durations are in the paper's microseconds, summed over all layers, in the order
// of `paper_operations`. Its QKV coefficient is negative, so a step can come out below zero; that
// is an error, never a clamped zero.
Result<Joules> paper_step_energy(const PublishedNumbers& numbers, StepEnergyCoefficients set,
                                 const std::array<double, 4>& durations);

enum class ProjectionLaws {
  as_table_1,  // the worked example: its QKV and final projections use Table 1 as printed
  exchanged,   // each projection under the law that the authors' measurements give for it
};

struct PaperOperation {
  std::string_view operation;
  Flops flops_per_layer;
  double hef = 0.0;                 // fraction
  Seconds duration;                 // all layers, forward pass
  double paper_microseconds = 0.0;  // the same with the percent slip
  bool extrapolated = false;        // outside the range of its law
};

struct PaperStep {
  std::array<PaperOperation, 4> operations;
  Joules energy;
};

// The whole chain for one optimisation step ("epoch" in the paper).
Result<PaperStep> predict_paper_step(const PublishedNumbers& numbers, std::string_view device_id,
                                     const PaperTransformer& model, StepEnergyCoefficients set,
                                     ProjectionLaws projections);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What do the authors' released tables hold, in their own columns?
//
// Only what the reproduction uses is kept, unit for unit as published: efficiencies in percent,
// energy counters in kWh, the "microseconds" of the percent slip. Any number of rows will do.
// Source of the files: github.com/MansMayaki/MLEnergyConsumption, Zenodo 10.5281/zenodo.16920232.

#include <joulecast/error.hpp>
#include <joulecast/reproduction.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace joulecast {

// One timed operation of the efficiency tables.
struct EfficiencyRow {
  std::string gpu;
  std::string operation;
  double flops = 0.0;
  double hef_percent = 0.0;
  double elapsed_seconds = 0.0;
  double peak_flops_per_second = 0.0;
};

// One operation's columns in a row of the Transformer energy table.
struct StepOperation {
  double teraflop_per_layer = 0.0;
  double hef_percent = 0.0;
  double duration = 0.0;  // in the column's own unit
};

struct TransformerStepRow {
  std::int64_t index = 0;  // row number in the unreleased full table
  std::string gpu;
  double duration_seconds = 0.0;
  double energy_joules = 0.0;
  double repeats = 0.0;  // timed steps that `duration_seconds` sums
  double layers = 0.0;
  double peak_teraflop_per_second = 0.0;
  double model_teraflop = 0.0;
  double hef_percent = 0.0;
  double gpu_counter_kwh = 0.0;
  double cpu_counter_kwh = 0.0;
  double ram_counter_kwh = 0.0;
  std::array<StepOperation, 4> operations;  // in the order of paper_operations
  std::string all_but_index;                // every other field, to recognise copies
};

struct RnnStepRow {
  std::int64_t index = 0;
  std::string operation;
  double counter_kwh = 0.0;
  std::array<double, 4> durations{};  // activations, cell update, gates, hidden update
};

struct AuthorTables {
  std::vector<EfficiencyRow> transformer_efficiency;
  std::vector<EfficiencyRow> rnn_efficiency;
  std::vector<TransformerStepRow> transformer_steps;
  std::vector<RnnStepRow> rnn_steps;
  std::vector<AuthorTableFile> files;  // what was read, in the order above
};

// An error names the file and the place: a file or column that is absent, a field that is no
// number, a table without rows.
Result<AuthorTables> read_author_tables(const std::string& directory);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What went wrong, where, and how to mend it.
//
// Two kinds of trouble exist. Input or machine at fault: every fallible function returns
// `Result<T>`, whose `Error` names the file, the place inside it, the cause and a remedy. The
// library at fault: an assertion. Anything doubtful but usable is a typed `Warning` carried inside
// the result. The library never prints, never exits and never reads the environment.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

enum class ErrorKind {
  usage,            // a flag or argument that does not fit
  not_found,        // a file, device, region or family that does not exist
  syntax,           // text that is not JSON, TOML or CSV
  schema,           // a key that is unknown, missing, doubled or of the wrong type
  value,            // a value outside what is possible
  overflow,         // a count beyond 64 bits
  unsupported,      // a combination that exists but cannot be predicted
  io,               // the operating system refused
  hardware_absent,  // a device or driver that this machine lacks
};

// Where in the input: `file` as the user named it, `path` as a key path such as
// "transformer[0].hidden_size", `line` and `column` from 1 where known, else 0.
struct Location {
  std::string file{};
  std::string path{};
  int line = 0;
  int column = 0;

  bool operator==(const Location&) const = default;
};

struct Error {
  ErrorKind kind = ErrorKind::value;
  std::string message{};
  Location where{};
  std::string remedy{};

  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

enum class WarningCode {
  prior_not_measured,          // a roofline from data-sheet facts stands in for a fitted law
  transferred_not_measured,    // laws learnt on other devices stand in for measurements on this one
  rows_disagree,               // repeats of a measurement are too far apart
  rows_copied,                 // exact copies count as measurements of their own
  columns_dependent,           // columns of a regression replace each other
  power_not_measured,          // durations are by laws, the power is by shares of the limit
  law_extrapolated,            // an operation lies outside the range its law was fitted on
  no_law_for_operation,        // the chosen laws do not cover the operation; the prior was used
  communication_not_modelled,  // several devices, predicted as ideal data parallelism
  host_power_not_stated,       // totals leave the host's energy out
  pue_not_stated,              // totals leave cooling and distribution out
  region_not_stated,           // no CO2 can be given
  price_not_stated,            // no cost can be given
  paper_convention,            // figures follow the ECAI 2025 paper's conventions, not SI
  partial_table,               // a table of the paper's authors of which only a part was given
  paper_labels,                // the paper's energy labels do not measure what they claim
  unsourced_figure,            // a device figure without a source that can be checked
  input_defaulted,             // a missing key took its documented default
  out_of_date,                 // a grid figure more than five years behind the newest shipped one
  laws_not_used,               // laws were given, and none of them fits the prediction
  exceeds_memory,              // the step needs more memory than the device has
  no_effect,                   // a flag that the model has no use for
  key_not_modelled,            // a key changes the training, but not the prediction
  sensor_not_readable,         // a sensor exists, and this user or driver cannot read it
  sensor_lost,                 // a device went away while it was measured
  sensor_hung,                 // a driver did not answer in time
  energy_not_measured,         // a device has neither an energy counter nor a power reading
  energies_disagree,           // counter and integrated power differ by more than 5 %
  counter_reset,               // an energy counter began anew
  sampling_gap,                // readings are missing for longer than a second
  clocks_limited,              // heat or the power supply slowed a device down
  device_shared,               // figures are of a whole GPU that is divided into instances
  device_order_uncertain,      // CUDA and the driver may count the GPUs differently
  device_not_measured,         // a device that the program may use has no sensor here
  mark_ignored,                // a mark of the program could not be understood
  segment_not_ended,           // a segment without an end mark
  segments_left_out,           // too many segments to list
  processes_left,              // children of the command outlived it
};

struct Warning {
  WarningCode code = WarningCode::prior_not_measured;
  std::string subject{};  // what it is about: an operation, a device figure, a flag
  std::string message{};

  bool operator==(const Warning&) const = default;
};

// Stable names for machine-readable output, e.g. "prior_not_measured".
std::string_view to_string(ErrorKind kind);
std::string_view to_string(WarningCode code);

// "model.toml:3:9: transformer[0].hidden_size: must be positive, got 0 (remedy: ...)"
std::string describe(const Error& error);

}  // namespace joulecast

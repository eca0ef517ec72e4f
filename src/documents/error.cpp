// SPDX-License-Identifier: Apache-2.0
#include <joulecast/error.hpp>

#include <fmt/format.h>

namespace joulecast {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "usage";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::syntax: return "syntax";
    case ErrorKind::schema: return "schema";
    case ErrorKind::value: return "value";
    case ErrorKind::overflow: return "overflow";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::io: return "io";
    case ErrorKind::hardware_absent: return "hardware_absent";
  }
  return "unknown";
}

std::string_view to_string(WarningCode code) {
  switch (code) {
    case WarningCode::prior_not_measured: return "prior_not_measured";
    case WarningCode::transferred_not_measured: return "transferred_not_measured";
    case WarningCode::rows_disagree: return "rows_disagree";
    case WarningCode::rows_copied: return "rows_copied";
    case WarningCode::columns_dependent: return "columns_dependent";
    case WarningCode::power_not_measured: return "power_not_measured";
    case WarningCode::law_extrapolated: return "law_extrapolated";
    case WarningCode::no_law_for_operation: return "no_law_for_operation";
    case WarningCode::communication_not_modelled: return "communication_not_modelled";
    case WarningCode::host_power_not_stated: return "host_power_not_stated";
    case WarningCode::pue_not_stated: return "pue_not_stated";
    case WarningCode::region_not_stated: return "region_not_stated";
    case WarningCode::price_not_stated: return "price_not_stated";
    case WarningCode::paper_convention: return "paper_convention";
    case WarningCode::partial_table: return "partial_table";
    case WarningCode::paper_labels: return "paper_labels";
    case WarningCode::unsourced_figure: return "unsourced_figure";
    case WarningCode::input_defaulted: return "input_defaulted";
    case WarningCode::out_of_date: return "out_of_date";
    case WarningCode::laws_not_used: return "laws_not_used";
    case WarningCode::exceeds_memory: return "exceeds_memory";
    case WarningCode::no_effect: return "no_effect";
    case WarningCode::key_not_modelled: return "key_not_modelled";
    case WarningCode::sensor_not_readable: return "sensor_not_readable";
    case WarningCode::sensor_lost: return "sensor_lost";
    case WarningCode::sensor_hung: return "sensor_hung";
    case WarningCode::energy_not_measured: return "energy_not_measured";
    case WarningCode::energies_disagree: return "energies_disagree";
    case WarningCode::counter_reset: return "counter_reset";
    case WarningCode::sampling_gap: return "sampling_gap";
    case WarningCode::clocks_limited: return "clocks_limited";
    case WarningCode::device_shared: return "device_shared";
    case WarningCode::device_order_uncertain: return "device_order_uncertain";
    case WarningCode::device_not_measured: return "device_not_measured";
    case WarningCode::mark_ignored: return "mark_ignored";
    case WarningCode::segment_not_ended: return "segment_not_ended";
    case WarningCode::segments_left_out: return "segments_left_out";
    case WarningCode::processes_left: return "processes_left";
  }
  return "unknown";
}

std::string describe(const Error& error) {
  std::string text = error.where.file;
  if (error.where.line > 0) text += fmt::format(":{}", error.where.line);
  if (error.where.column > 0) text += fmt::format(":{}", error.where.column);
  if (!text.empty()) text += ": ";
  if (!error.where.path.empty()) text += error.where.path + ": ";
  text += error.message;
  if (!error.remedy.empty()) text += "\n  remedy: " + error.remedy;
  return text;
}

}  // namespace joulecast

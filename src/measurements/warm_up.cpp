// SPDX-License-Identifier: Apache-2.0
#include "measurements/warm_up.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace joulecast {
namespace {

constexpr std::size_t first_rows = 3;
constexpr std::size_t rows_to_compare = 10;
constexpr double too_slow = 3.0;

void mark_sweep(const std::vector<Measurement*>& rows) {
  for (std::size_t i = 0; i < std::min(first_rows, rows.size()); ++i) {
    const Bytes bytes = least_work(*rows[i]).bytes;
    const std::size_t end = std::min(rows.size(), i + 1 + rows_to_compare);
    for (std::size_t j = i + 1; j < end; ++j) {
      if (least_work(*rows[j]).bytes < bytes) continue;
      if (rows[i]->duration.value() <= too_slow * rows[j]->duration.value()) continue;
      rows[i]->marks.add(Mark::warm_up);
    }
  }
}

}  // namespace

void mark_warm_up(std::span<Measurement> measurements, const std::vector<std::size_t>& starts) {
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t end = i + 1 < starts.size() ? starts[i + 1] : measurements.size();
    std::map<std::string_view, std::vector<Measurement*>> by_operation;
    for (Measurement& row : measurements.subspan(starts[i], end - starts[i])) {
      by_operation[row.operation].push_back(&row);
    }
    for (const auto& [operation, rows] : by_operation) mark_sweep(rows);
  }
}

}  // namespace joulecast

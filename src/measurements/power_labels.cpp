// SPDX-License-Identifier: Apache-2.0
// Which power labels can be trusted? The sweeps repeat a kernel a fixed number of times while the
// board's power is sampled, so the label of a short kernel averages with idle time or with the
// kernel before, and long ones run the board hot. Some slices of m are low as a whole, which only
// neighbouring shapes show.
#include "measurements/checks.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

namespace joulecast {
namespace {

constexpr double shortest_seconds = 0.15e-3;
constexpr double longest_seconds = 20e-3;
constexpr std::int64_t fewest_rows = 3;  // of a matrix product's result
constexpr double above_limit = 1.05;
constexpr std::size_t neighbours_each_side = 3;
constexpr double neighbour_quantile = 0.8;
constexpr double low_share = 0.8;
// B200 sets its clocks so evenly that a smaller gap tells, where the kernel has no host floor.
constexpr double low_share_b200 = 0.93;

struct Label {
  Measurement* row = nullptr;
  MatmulShape shape{};
};

bool is_short(const Measurement& row) {
  const double seconds = row.duration.value();
  const auto* shape = std::get_if<MatmulShape>(&row.shape);
  return seconds <= shortest_seconds || seconds >= longest_seconds ||
         (shape != nullptr && shape->m < fewest_rows);
}

double share_of(const Label& label) {
  const bool even = label.row->device.starts_with("b200") &&
                    label.row->precision != MeasuredPrecision::fp8_block && label.shape.m % 4 == 0;
  return even ? low_share_b200 : low_share;
}

// Linear between order statistics, as numpy's default.
double quantile(std::vector<double>& values) {
  std::ranges::sort(values);
  const double position = neighbour_quantile * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 == values.size()) return values[below];
  const double fraction = position - static_cast<double>(below);
  return values[below] + fraction * (values[below + 1] - values[below]);
}

// A line is a run of labels that differ along one axis only, sorted along it.
void mark_line(std::span<const Label> line) {
  std::vector<double> powers;
  for (std::size_t i = 0; i < line.size(); ++i) {
    powers.clear();
    const std::size_t begin = i - std::min(i, neighbours_each_side);
    const std::size_t end = std::min(line.size(), i + neighbours_each_side + 1);
    for (std::size_t j = begin; j < end; ++j) {
      if (j != i) powers.push_back(line[j].row->power->value());
    }
    if (powers.empty()) continue;
    if (line[i].row->power->value() < share_of(line[i]) * quantile(powers)) {
      line[i].row->marks.add(Mark::power_label_low);
    }
  }
}

using AxisKey = std::array<std::int64_t, 4>;

// What stays the same along an axis, then the place on it.
AxisKey key_of(const Label& label, int axis) {
  const MatmulShape& s = label.shape;
  if (axis == 0) return {s.batch, s.n, s.k, s.m};
  if (axis == 1) return {s.batch, s.m, s.k, s.n};
  return {s.batch, s.m, s.n, s.k};
}

bool same_kind(const Measurement& a, const Measurement& b) {
  return a.precision == b.precision && a.phase == b.phase && a.device == b.device &&
         a.operation == b.operation && a.software == b.software;
}

bool kind_before(const Measurement& a, const Measurement& b) {
  return std::tie(a.precision, a.phase, a.device, a.operation, a.software) <
         std::tie(b.precision, b.phase, b.device, b.operation, b.software);
}

void mark_axis(std::vector<Label>& labels, int axis) {
  std::ranges::stable_sort(labels, [&](const Label& a, const Label& b) {
    if (!same_kind(*a.row, *b.row)) return kind_before(*a.row, *b.row);
    return key_of(a, axis) < key_of(b, axis);
  });
  const auto same_line = [&](const Label& a, const Label& b) {
    const AxisKey left = key_of(a, axis);
    const AxisKey right = key_of(b, axis);
    return same_kind(*a.row, *b.row) && std::equal(left.begin(), left.end() - 1, right.begin());
  };
  for (std::size_t begin = 0; begin < labels.size();) {
    std::size_t end = begin + 1;
    while (end < labels.size() && same_line(labels[begin], labels[end])) ++end;
    mark_line(std::span(labels).subspan(begin, end - begin));
    begin = end;
  }
}

}  // namespace

void mark_power_labels(std::span<Measurement> measurements) {
  std::vector<Label> labels;
  for (Measurement& row : measurements) {
    if (!row.power || row.energy_kind != EnergyKind::board) continue;
    if (row.power_limit && *row.power > above_limit * *row.power_limit) {
      row.marks.add(Mark::power_above_limit);
    }
    if (is_short(row)) {
      row.marks.add(Mark::power_label_short);
      continue;
    }
    const auto* shape = std::get_if<MatmulShape>(&row.shape);
    if (shape != nullptr) labels.push_back({&row, *shape});
  }
  for (int axis = 0; axis < 3; ++axis) mark_axis(labels, axis);
}

}  // namespace joulecast

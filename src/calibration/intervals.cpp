// SPDX-License-Identifier: Apache-2.0
#include "calibration/intervals.hpp"

#include "documents/digits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace joulecast {
namespace {

constexpr double no_end = std::numeric_limits<double>::infinity();
constexpr std::size_t rows_per_band = 60;

// Values between which the sorted ones fall into so many parts of about equal size; ties stay
// together, so there may be fewer.
std::vector<double> inner_edges(std::vector<double> values, std::size_t parts) {
  std::ranges::sort(values);
  std::vector<double> edges;
  for (std::size_t i = 1; i < parts; ++i) {
    // As the law file will state it, lest two edges become one there.
    const double edge = rounded(values[i * values.size() / parts], 4);
    if (edge > values.front() && (edges.empty() || edge > edges.back())) edges.push_back(edge);
  }
  return edges;
}

std::vector<double> intensity_edges(std::span<const Residual> residuals) {
  std::vector<double> intensities;
  for (const Residual& residual : residuals) intensities.push_back(residual.intensity);
  const auto [least, most] = std::ranges::minmax(intensities);
  // Elementwise operations all have the same; two classes that differ by rounding say nothing.
  if (!(most > 4.0 * least) || residuals.size() < 3 * rows_per_band) return {no_end};
  std::vector<double> edges = inner_edges(std::move(intensities), 3);
  edges.push_back(no_end);
  return edges;
}

void add_bands(std::span<const Residual> cell, double intensity_below, std::size_t most_bands,
               std::vector<IntervalBand>& bands) {
  std::vector<double> durations;
  for (const Residual& residual : cell) durations.push_back(residual.predicted_seconds);
  const std::size_t parts = std::clamp<std::size_t>(cell.size() / rows_per_band, 1, most_bands);
  std::vector<double> edges = inner_edges(std::move(durations), parts);
  edges.push_back(no_end);
  double from = 0.0;
  for (const double edge : edges) {
    std::vector<double> ratios;
    for (const Residual& residual : cell) {
      if (residual.predicted_seconds >= from && residual.predicted_seconds < edge) {
        ratios.push_back(residual.log_ratio);
      }
    }
    from = edge;
    if (ratios.empty()) continue;
    bands.push_back({intensity_below, Seconds{edge}, conformal_factors(std::move(ratios))});
  }
}

}  // namespace

IntervalFactors conformal_factors(std::vector<double> log_ratios) {
  std::ranges::sort(log_ratios);
  const double n = static_cast<double>(log_ratios.size());
  // Ranks from 1; too few rows for the rank leave the outermost residual.
  const auto at = [&](double rank) {
    return log_ratios[static_cast<std::size_t>(std::clamp(rank, 1.0, n)) - 1];
  };
  return {.lower = std::min(1.0, std::exp(at(std::floor(0.05 * (n + 1.0))))),
          .upper = std::max(1.0, std::exp(at(std::ceil(0.95 * (n + 1.0)))))};
}

std::vector<IntervalBand> conformal_bands(std::span<const Residual> residuals) {
  std::vector<IntervalBand> bands;
  const std::vector<double> edges = intensity_edges(residuals);
  double from = 0.0;
  for (const double edge : edges) {
    std::vector<Residual> cell;
    for (const Residual& residual : residuals) {
      if (residual.intensity >= from && residual.intensity < edge) cell.push_back(residual);
    }
    from = edge;
    if (!cell.empty()) add_bands(cell, edge, edges.size() > 1 ? 5 : 12, bands);
  }
  return bands;
}

}  // namespace joulecast

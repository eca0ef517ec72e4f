// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sections that several reports share.

#include <joulecast/report.hpp>

#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>

namespace joulecast {

Fields describe_model(const Model& model, const std::vector<ParameterCount>& parameters);
Fields describe_device(const Device& device, Precision precision);
// "bf16, batch size 8 per GPU, sequence length 512": what of the training decides the operations.
std::string name_training(const TrainingSetup& setup);
Fields describe_training(const TrainingSetup& setup);
// The parts with their sum, and whether they fit.
Table list_memory(const MemoryNeed& need);
Fields describe_memory(const MemoryPrediction& memory);
// Every law that the predictions rest on, each once; with `only`, those of these ids.
Table list_laws(std::span<const Prediction> predictions,
                const std::optional<std::vector<std::string>>& only = std::nullopt);
Table list_warnings_table(const std::vector<Warning>& warnings);

// Of a quantity its value in SI units; plain numbers (money) are their own.
template <class Q>
auto number_of(const Q& quantity) {
  if constexpr (std::is_arithmetic_v<Q>) {
    return quantity;
  } else {
    return quantity.value();
  }
}

template <class Q>
Datum datum(const std::optional<Q>& quantity) {
  if (!quantity) return std::monostate{};
  return number_of(*quantity);
}

// A count that is kept as a double, as a whole number where it is one exactly.
inline Datum count_datum(double count) {
  constexpr double exact = 0x1p53;
  const bool whole = count == std::floor(count) && std::abs(count) <= exact;
  return whole ? Datum(static_cast<std::int64_t>(count)) : Datum(count);
}

inline Datum datum(const std::optional<std::string>& text) {
  return text ? Datum(*text) : Datum(std::monostate{});
}

// Bounds of an interval, or two absent values.
template <class Q>
std::pair<Datum, Datum> bounds(const std::optional<Interval<Q>>& interval) {
  if (!interval) return {std::monostate{}, std::monostate{}};
  return {number_of(interval->lower), number_of(interval->upper)};
}

// "12.30 EUR"; a dash where it is not known.
std::string money(const std::optional<double>& amount, const std::string& currency);
std::string money(const Interval<double>& interval, const std::string& currency);

// "12.3 s to 45.6 s": both bounds in the same units.
std::string show_both(double lower, double upper, Unit unit);

// "12.3 s to 45.6 s", or a word that there is none.
template <class Q>
std::string show_interval(const std::optional<Interval<Q>>& interval, Unit unit) {
  if (!interval) return "none known";
  return show_both(interval->lower.value(), interval->upper.value(), unit);
}

}  // namespace joulecast

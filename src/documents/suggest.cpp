// SPDX-License-Identifier: Apache-2.0
#include <joulecast/suggest.hpp>

#include <algorithm>
#include <cctype>
#include <numeric>

#include <fmt/format.h>

namespace joulecast {
namespace {

// Levenshtein distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string fold_name(std::string_view name) {
  std::string folded;
  for (const char raw : name) {
    const auto character = static_cast<unsigned char>(raw);
    if (std::isalnum(character) != 0) folded += static_cast<char>(std::tolower(character));
  }
  return folded;
}

std::vector<std::string> nearest_names(std::string_view typed, std::span<const std::string> known,
                                       std::size_t count) {
  // A name longer than any known one cannot be near; the bound also keeps hostile input cheap.
  if (typed.size() > 200) return {};
  const std::string folded = fold_name(typed);
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const std::string& name : known) {
    const std::string candidate = fold_name(name);
    std::size_t distance = edit_distance(folded, candidate);
    const bool contains = folded.size() >= 2 && candidate.find(folded) != std::string::npos;
    if (contains) distance = 0;
    // Names of one or two letters must share one of them.
    const bool shares = distance < std::max(folded.size(), candidate.size());
    if (shares && distance <= std::max<std::size_t>(2, folded.size() / 3)) {
      ranked.emplace_back(distance, name);
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (auto& [distance, name] : ranked) {
    if (names.size() < count) names.push_back(std::move(name));
  }
  return names;
}

bool is_misspelling(std::string_view typed, std::string_view meant) {
  constexpr std::size_t longest = 200;  // keeps hostile input cheap
  constexpr std::size_t shortest = 4;
  if (typed == meant || typed.size() > longest) return false;
  const std::string folded = fold_name(typed);
  const std::string wanted = fold_name(meant);
  if (std::min(folded.size(), wanted.size()) < shortest) return false;
  // What is left of both without what they begin and end with.
  std::string_view a = folded;
  std::string_view b = wanted;
  while (!a.empty() && !b.empty() && a.front() == b.front()) {
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  while (!a.empty() && !b.empty() && a.back() == b.back()) {
    a.remove_suffix(1);
    b.remove_suffix(1);
  }
  const bool swapped = a.size() == 2 && b.size() == 2 && a[0] == b[1] && a[1] == b[0];
  return swapped || std::max(a.size(), b.size()) <= 1;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string> known) {
  const std::vector<std::string> names = nearest_names(typed, known);
  if (names.empty()) return {};
  if (names.size() == 1) return fmt::format("did you mean {}?", names[0]);
  if (names.size() == 2) return fmt::format("did you mean {} or {}?", names[0], names[1]);
  return fmt::format("did you mean {}, {} or {}?", names[0], names[1], names[2]);
}

}  // namespace joulecast

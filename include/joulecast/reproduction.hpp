// SPDX-License-Identifier: Apache-2.0
#pragma once

// Do the source paper's published numbers follow from its formulas and its data?
//
// Every number of Mayaki & Charpenay, ECAI 2025, DOI 10.3233/FAIA250900 stands here beside ours.
// `recomputed` follows from the paper's own laws and formulas and must agree within half a unit of
// the last printed digit; it alone decides `agrees()`. `refit` was fitted to the rows of the
// authors' tables that were given, and shows a difference. `quoted` is repeated only, with the
// reason. Beside them stands the audit: what the data carries, each point with its evidence.

#include <joulecast/ecai2025.hpp>
#include <joulecast/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

enum class ReproductionStatus { recomputed, refit, quoted };

struct ReproductionRow {
  std::string item;
  std::string unit;       // empty for a pure number
  std::string published;  // exactly as printed
  std::optional<double> ours;
  std::optional<double> difference;  // ours - published
  std::optional<double> tolerance;   // on the difference; of recomputed rows only
  ReproductionStatus status = ReproductionStatus::quoted;
  bool misprint = false;  // the cell contradicts the paper's formulas; `note` has what they give
  bool agrees = true;     // false only for a recomputed row that does not
  std::string note;       // the reason, the recipe, or the misprint; may be empty
};

struct ReproductionSection {
  std::string name;   // "Table 5"
  std::string title;  // what it holds, in a few words
  std::vector<ReproductionRow> rows;
};

enum class EvidenceSource { from_data, from_formulas, quoted };

struct AuditEvidence {
  std::string quantity;
  double value = 0.0;
  std::string unit;  // empty for a pure number
  EvidenceSource source = EvidenceSource::quoted;
};

struct AuditPoint {
  int number = 0;
  std::string claim;
  std::string method;  // how the evidence was computed, or why it is quoted
  std::vector<AuditEvidence> evidence;
};

// One of the authors' tables as it was given.
struct AuthorTableFile {
  std::string name;  // "dataForLstmHEF.csv"
  std::string file;  // where it was read
  std::string sha256;
  std::int64_t rows = 0;
  std::optional<std::int64_t> released_rows{};  // of the whole table, where that is known
};

struct Reproduction {
  std::vector<ReproductionSection> sections;  // in the order of the paper
  std::vector<AuditPoint> audit;
  std::vector<Warning> warnings;
  std::vector<AuthorTableFile> tables{};  // as they were given; empty without a data directory

  // Whether every recomputed row agrees.
  [[nodiscard]] bool agrees() const;
};

struct ReproductionOptions {
  // Where the authors' tables lie, under their published file names; without it nothing is refit.
  std::optional<std::string> data_directory;
  // In place of the shipped numbers.
  std::optional<PublishedNumbers> published;
};

Result<Reproduction> reproduce_ecai2025(const ReproductionOptions& options);

std::string_view to_string(ReproductionStatus status);
std::string_view to_string(EvidenceSource source);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// One law as a file: what is read and written is checked against the family it names, and a file
// that `fit` wrote carries the hash of its own content, so that an edit by hand shows.

#include "documents/value.hpp"

#include <joulecast/law.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace joulecast {

// Errors: syntax, schema, value; a content that differs from its hash.
Result<Law> parse_law(std::string_view text, const std::string& file);
// The same for a text that nobody can have changed, without any hash of it.
Result<Law> parse_sealed_law(std::string_view text, const std::string& file);
// The text of a law file, which `parse_law` reads.
std::string write_law(const Law& law);

// The families that a fit tried, beside the law it chose; `parse` puts them into the law.
std::string write_trials(const Law& law);
Result<void> parse_trials(std::string_view text, const std::string& file, Law& law);
// The law with the form of that trial; nothing where the family was not tried.
std::optional<Law> with_family(const Law& law, std::string_view family);

// Hashes of rows as 4 bytes each, the lowest first, ascending.
std::string write_row_hashes(const Law& law);
Result<void> parse_row_hashes(std::string_view bytes, const std::string& file, Law& law);

// The two factors of an interval, and the parameters of the roofline: the prior has them as well.
IntervalFactors read_factors(ObjectReader& reader);
RooflineLaw read_roofline(ObjectReader& reader);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// The law of last resort, from prior.toml.
#include <joulecast/law.hpp>

#include "documents/embedded.hpp"
#include "documents/hash.hpp"
#include "documents/value.hpp"
#include "laws/law_file.hpp"

#include <cassert>

namespace joulecast {

LawSet shipped_prior() {
  constexpr Range positive_range{1e-300, 1e300};
  const std::string_view text = embedded_file("laws/prior.toml");
  const auto document = parse_toml(text, "prior.toml");
  assert(document && "the shipped prior is valid TOML");
  ObjectReader reader(*document, "prior.toml");
  reader.number("schema_version", {1, 1});
  Law prior;
  PowerPrior power_prior;
  auto duration = reader.child("duration");
  prior.id = "prior";
  prior.origin = LawOrigin::prior;
  prior.form = read_roofline(*duration);
  prior.interval = read_factors(*duration);
  prior.source = duration->text("source");
  prior.file = "shipped";
  prior.sha256 = sha256(text);
  auto power = reader.child("power");
  power_prior = {.idle_fraction = power->number("idle_fraction", {0.0, 1.0}),
                 .compute_fraction = power->number("compute_fraction", positive_range),
                 .bandwidth_fraction = power->number("bandwidth_fraction", positive_range),
                 .interval = read_factors(*power),
                 .source = power->text("source"),
                 .id = "prior/power",
                 .sha256 = prior.sha256};
  for (ObjectReader* part : {&*duration, &*power, &reader}) {
    part->refuse_unknown_keys();
    assert(!part->error() && "the shipped prior follows its schema");
  }
  return {{}, std::move(prior), std::move(power_prior)};
}

}  // namespace joulecast

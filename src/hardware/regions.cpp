// SPDX-License-Identifier: Apache-2.0
#include <joulecast/region.hpp>

#include <joulecast/suggest.hpp>
#include "documents/embedded.hpp"
#include "documents/value.hpp"

#include <cassert>

#include <fmt/format.h>

namespace joulecast {
namespace {

std::vector<Region> read_regions() {
  const auto document = parse_toml(embedded_file("regions/regions.toml"), "regions.toml");
  assert(document && "the shipped region table is valid TOML");
  ObjectReader reader(*document, "regions.toml");
  reader.number("schema_version", {1, 1});
  const std::string source = reader.text("source");
  std::vector<Region> regions;
  for (ObjectReader& entry : reader.children("region")) {
    Region region;
    region.id = entry.text("id");
    region.name = entry.text("name");
    region.year = entry.size("year");
    // 1 g to 5 kg per kWh: no grid lies outside.
    region.carbon_intensity = KilogramsPerJoule{
        entry.number("carbon_intensity_kilograms_per_joule", {1e-3 / 3.6e6, 5.0 / 3.6e6})};
    region.source = source;
    entry.refuse_unknown_keys();
    reader.adopt(entry.error());
    regions.push_back(std::move(region));
  }
  reader.refuse_unknown_keys();
  assert(!reader.error() && "the shipped region table follows its schema");
  return regions;
}

}  // namespace

const std::vector<Region>& shipped_regions() {
  static const std::vector<Region> regions = read_regions();
  return regions;
}

Result<Region> find_region(std::string_view name) {
  const std::string folded = fold_name(name);
  std::vector<std::string> known;
  for (const Region& region : shipped_regions()) {
    if (fold_name(region.id) == folded || fold_name(region.name) == folded) return region;
    known.push_back(region.id);
    known.push_back(region.name);
  }
  const std::string hint = did_you_mean(name, known);
  return std::unexpected(Error{
      ErrorKind::not_found, fmt::format("unknown region \"{}\"", name.substr(0, 80)),
      Location{.file = {}, .path = "--region"},
      fmt::format("{}{}give an ISO 3166-1 alpha-3 code such as FRA; `joulecast regions` lists "
                  "all; --carbon-intensity states your own figure",
                  hint, hint.empty() ? "" : " ")});
}

}  // namespace joulecast

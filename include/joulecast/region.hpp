// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much CO2 does a kilowatt-hour cause where the training runs? A shipped table of yearly
// averages per country, each with year and source. There is no default for the world.

#include <joulecast/error.hpp>
#include <joulecast/quantities.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

struct Region {
  std::string id{};    // ISO 3166-1 alpha-3, e.g. "FRA"
  std::string name{};  // e.g. "France"
  KilogramsPerJoule carbon_intensity{};
  std::int64_t year = 0;
  std::string source{};
};

const std::vector<Region>& shipped_regions();

// By code or name. Errors: not_found, with the nearest regions.
Result<Region> find_region(std::string_view name);

}  // namespace joulecast

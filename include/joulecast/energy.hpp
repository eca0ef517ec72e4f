// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much power does a device draw while an operation runs, and what becomes of the energy: host,
// facility, CO2, money.

#include <joulecast/device.hpp>
#include <joulecast/duration.hpp>
#include <joulecast/law.hpp>
#include <joulecast/operation.hpp>
#include <joulecast/region.hpp>

#include <map>
#include <optional>
#include <string>

namespace joulecast {

// P = limit min(1, idle + a (c/t)/v_max + b (bytes/t)/BW). In (0, limit].
Watts predict_power(const PowerPrior& prior, Watts limit, const Operation& operation,
                    const DeviceRates& rates, Seconds duration);

// Errors: unsupported, where the device's power limit is not known.
Result<Watts> find_power_limit(const Device& device);

// Where the training runs. Everything is optional: what is not stated is left out of the totals
// and named in a warning, never guessed.
struct Site {
  std::optional<Watts> host_power{};                  // processors, memory, disks, fans: per GPU
  std::optional<double> power_usage_effectiveness{};  // facility energy / IT energy, >= 1
  std::optional<Region> region{};
  std::optional<double> price_per_kilowatt_hour{};
  std::optional<double> price_per_gpu_hour{};
  std::string currency{};  // e.g. "EUR"; empty where not stated
  // Who stated a figure, by the name of its flag, e.g. "pue" -> "--pue" or "config.toml"; for the
  // list of assumptions, which says "stated" where this says nothing.
  std::map<std::string, std::string, std::less<>> origins{};
};

// Nothing negative, infinite or NaN, a PUE of at least 1, and a currency of at most 16 printable
// characters. Errors: value, naming the flag that states the figure.
Result<void> check_site(const Site& site);

// Energy of a whole run and what follows from it. Parts sum to the whole.
struct Account {
  Joules device_energy{};  // all devices together
  std::optional<Joules> host_energy{};
  std::optional<Joules> overhead_energy{};  // (PUE - 1) times the above
  Joules facility_energy{};                 // the sum of the parts above that are known
  std::optional<Kilograms> emissions{};
  std::optional<double> electricity_cost{};
  std::optional<double> gpu_cost{};
  std::optional<double> total_cost{};  // the sum of the costs that are known
};

Account make_account(const Site& site, Joules device_energy, Seconds duration,
                     std::int64_t num_gpus);

}  // namespace joulecast

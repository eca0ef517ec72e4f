// SPDX-License-Identifier: Apache-2.0
#include <joulecast/energy.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

struct SiteFigure {
  const char* flag;
  std::optional<double> value;
  double least = 0.0;
};

std::unexpected<Error> site_error(std::string flag, std::string message, std::string remedy) {
  return std::unexpected(Error{ErrorKind::value, std::move(message),
                               Location{.file = {}, .path = std::move(flag)}, std::move(remedy)});
}

// "EUR", but also a sign or a word; what steers a terminal or breaks a line is neither.
bool is_currency(std::string_view text) {
  constexpr std::size_t longest = 16;
  return text.size() <= longest && std::ranges::none_of(text, [](char byte) {
           const auto character = static_cast<unsigned char>(byte);
           return character < 0x20 || character == 0x7F;
         });
}

}  // namespace

Result<void> check_site(const Site& site) {
  std::optional<double> host;
  if (site.host_power) host = site.host_power->value();
  std::optional<double> intensity;
  if (site.region) intensity = site.region->carbon_intensity.value();
  for (const SiteFigure& figure : {SiteFigure{"--host-power-watts", host},
                                   SiteFigure{"--pue", site.power_usage_effectiveness, 1.0},
                                   SiteFigure{"--carbon-intensity", intensity},
                                   SiteFigure{"--price-per-kwh", site.price_per_kilowatt_hour},
                                   SiteFigure{"--price-per-gpu-hour", site.price_per_gpu_hour}}) {
    // Written so that NaN fails as well.
    if (!figure.value || (*figure.value >= figure.least && std::isfinite(*figure.value))) continue;
    return site_error(
        figure.flag,
        fmt::format("must be a number of at least {}, is {}", figure.least, *figure.value),
        "give the real figure, or leave it out");
  }
  if (is_currency(site.currency)) return {};
  return site_error("--currency", "must be at most 16 printable characters",
                    "give a code of ISO 4217, e.g. EUR");
}

Watts predict_power(const PowerPrior& prior, Watts limit, const Operation& operation,
                    const DeviceRates& rates, Seconds duration) {
  const BytesPerSecond traffic = Bytes{static_cast<double>(operation.bytes_moved)} / duration;
  double fraction = prior.idle_fraction + prior.bandwidth_fraction * (traffic / rates.bandwidth);
  if (rates.peak) {
    const FlopsPerSecond rate = Flops{static_cast<double>(operation.flops)} / duration;
    fraction += prior.compute_fraction * (rate / *rates.peak);
  }
  // Not a clamp of a prediction: boards enforce this limit by lowering their clock.
  return limit * std::min(1.0, fraction);
}

Result<Watts> find_power_limit(const Device& device) {
  if (device.thermal_design_power) return device.thermal_design_power->value;
  const bool shipped = device.file == "shipped";
  return std::unexpected(Error{
      ErrorKind::unsupported,
      fmt::format("the power limit of {} is not {}", device.id, shipped ? "public" : "stated"),
      Location{.file = device.file, .path = "thermal_design_power_watts"},
      shipped ? fmt::format("state it in a --device-file: [[device]] id = \"my-{0}\", extends = "
                            "\"{0}\", thermal_design_power_watts = ...",
                            device.id)
              : fmt::format("add thermal_design_power_watts = ... to the device {}", device.id)});
}

Account make_account(const Site& site, Joules device_energy, Seconds duration,
                     std::int64_t num_gpus) {
  Account account;
  account.device_energy = device_energy;
  account.facility_energy = device_energy;
  if (site.host_power) {
    account.host_energy = *site.host_power * duration * static_cast<double>(num_gpus);
    account.facility_energy += *account.host_energy;
  }
  if (site.power_usage_effectiveness) {
    account.overhead_energy = account.facility_energy * (*site.power_usage_effectiveness - 1.0);
    account.facility_energy += *account.overhead_energy;
  }
  if (site.region) account.emissions = account.facility_energy * site.region->carbon_intensity;
  double total = 0.0;
  if (site.price_per_kilowatt_hour) {
    account.electricity_cost =
        account.facility_energy.value() / joules_per_kilowatt_hour * *site.price_per_kilowatt_hour;
    total += *account.electricity_cost;
  }
  if (site.price_per_gpu_hour) {
    account.gpu_cost = duration.value() / seconds_per_hour * static_cast<double>(num_gpus) *
                       *site.price_per_gpu_hour;
    total += *account.gpu_cost;
  }
  if (account.electricity_cost || account.gpu_cost) account.total_cost = total;
  return account;
}

}  // namespace joulecast

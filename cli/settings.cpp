// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <joulecast/suggest.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

std::string dashed(std::string_view flag) { return fmt::format("--{}", flag); }

std::unexpected<Error> fail(std::string_view flag, std::string message, std::string remedy,
                            ErrorKind kind = ErrorKind::usage) {
  return std::unexpected(Error{kind, std::move(message), Location{.file = {}, .path = dashed(flag)},
                               std::move(remedy)});
}

std::unexpected<Error> missing(std::string_view flag, std::string remedy) {
  return fail(flag, "the flag is missing", std::move(remedy));
}

// Digits may be grouped: 1_000_000.
std::string without_underscores(std::string text) {
  std::erase(text, '_');
  return text;
}

template <class Enum, std::size_t N>
Result<Enum> choose(std::string_view flag, const std::string& typed,
                    const std::array<Enum, N>& all) {
  std::vector<std::string> known;
  for (const Enum value : all) {
    if (to_string(value) == typed) return value;
    known.emplace_back(to_string(value));
  }
  const std::string hint = did_you_mean(typed, known);
  return fail(
      flag, fmt::format("unknown value \"{}\"", typed.substr(0, 80)),
      fmt::format("{}{}choose one of: {}", hint, hint.empty() ? "" : " ", fmt::join(known, ", ")));
}

Result<std::int64_t> required_size(const Settings& settings, std::string_view flag,
                                   std::string remedy) {
  auto value = settings.whole(flag);
  if (!value) return std::unexpected(value.error());
  if (!*value) return missing(flag, std::move(remedy));
  return **value;
}

// A number within a range; absent stays absent.
Result<std::optional<double>> ranged(const Settings& settings, std::string_view flag, double lowest,
                                     double highest) {
  auto value = settings.number(flag);
  if (!value || !*value) return value;
  if (**value >= lowest && **value <= highest) return value;
  return fail(flag, fmt::format("must lie between {} and {}, is {}", lowest, highest, **value),
              "check the value and its unit", ErrorKind::value);
}

}  // namespace

std::optional<std::string> environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

bool Settings::configured(std::string_view flag) const {
  return !arguments_.has(flag) && configuration_.values.contains(flag);
}

std::string Settings::origin(std::string_view flag) const {
  return configured(flag) ? configuration_.path.string() : dashed(flag);
}

Error Settings::locate(Error error) const {
  std::string_view flag = error.where.path;
  if (!error.where.file.empty() || !flag.starts_with("--")) return error;
  flag.remove_prefix(2);
  if (!configured(flag)) return error;
  std::string key(flag);
  std::replace(key.begin(), key.end(), '-', '_');
  const auto found = configuration_.places.find(flag);
  const Place place = found == configuration_.places.end() ? Place{} : found->second;
  error.where = {.file = configuration_.path.string(),
                 .path = key,
                 .line = place.line,
                 .column = place.column};
  return error;
}

std::optional<std::string> Settings::text(std::string_view flag) const {
  if (auto value = arguments_.value(flag)) return value;
  const auto found = configuration_.values.find(flag);
  if (found == configuration_.values.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Settings::texts(std::string_view flag) const {
  std::vector<std::string> values = arguments_.values(flag);
  if (!values.empty()) return values;
  const auto found = configuration_.values.find(flag);
  return found == configuration_.values.end() ? values : found->second;
}

Result<std::optional<std::int64_t>> Settings::whole(std::string_view flag) const {
  const auto value = text(flag);
  if (!value) return std::nullopt;
  const std::string digits = without_underscores(*value);
  std::int64_t whole = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, whole);
  if (parsed.ec == std::errc() && parsed.ptr == end && !digits.empty()) return whole;
  // 300e9 is a whole number, too, as long as a double holds it exactly.
  double real = 0.0;
  const auto scientific = std::from_chars(digits.data(), end, real);
  const bool exact = scientific.ec == std::errc() && scientific.ptr == end && !digits.empty() &&
                     std::isfinite(real) && real == std::floor(real) && std::abs(real) < 0x1p62;
  if (exact) return static_cast<std::int64_t>(real);
  const bool large = scientific.ptr == end &&
                     (scientific.ec == std::errc::result_out_of_range || std::abs(real) >= 0x1p62);
  if (large && !digits.empty() && digits.find('-') == std::string::npos) {
    return fail(flag, fmt::format("\"{}\" is too large", value->substr(0, 80)),
                "give the real number", ErrorKind::value);
  }
  return fail(flag, fmt::format("\"{}\" is not a whole number", value->substr(0, 80)),
              "give digits, e.g. 64, 1_000_000 or 300e9", ErrorKind::value);
}

Result<std::optional<double>> Settings::number(std::string_view flag) const {
  const auto value = text(flag);
  if (!value) return std::nullopt;
  const std::string digits = without_underscores(*value);
  double real = 0.0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, real);
  if (parsed.ec == std::errc() && parsed.ptr == end && !digits.empty() && std::isfinite(real)) {
    return real;
  }
  return fail(flag, fmt::format("\"{}\" is not a number", value->substr(0, 80)),
              "give a number with a decimal point, e.g. 1.25", ErrorKind::value);
}

// Where huggingface_hub keeps what it fetched: HF_HUB_CACHE, else below HF_HOME, else below the
// user's cache.
std::filesystem::path hub_cache() {
  const auto variable = [](const char* name) {
    return std::filesystem::path(environment_variable(name).value_or(""));
  };
  if (auto cache = variable("HF_HUB_CACHE"); !cache.empty()) return cache;
  if (auto home = variable("HF_HOME"); !home.empty()) return home / "hub";
  if (auto cache = variable("XDG_CACHE_HOME"); !cache.empty()) return cache / "huggingface" / "hub";
  const auto home = variable("HOME");
  return home.empty() ? home : home / ".cache" / "huggingface" / "hub";
}

Result<std::optional<Precision>> read_precision(const Settings& settings) {
  const auto name = settings.text("precision");
  if (!name) return std::nullopt;
  return choose("precision", *name, training_precisions);
}

Result<std::optional<Optimizer>> read_optimizer(const Settings& settings) {
  const auto name = settings.text("optimizer");
  if (!name) return std::nullopt;
  return choose("optimizer", *name, all_optimizers);
}

Result<TrainingSetup> read_training(const Settings& settings) {
  TrainingSetup setup;
  const auto batch = required_size(settings, "batch-size", "add e.g. --batch-size 32");
  if (!batch) return std::unexpected(batch.error());
  setup.batch_size = *batch;
  // Whether it is needed, the model knows.
  const auto sequence = settings.whole("sequence-length");
  if (!sequence) return std::unexpected(sequence.error());
  if (*sequence == 0) {
    return fail("sequence-length", "must be a whole number from 1 to 1099511627776, is 0",
                "give the real size", ErrorKind::value);
  }
  setup.sequence_length = sequence->value_or(0);
  const auto target = settings.whole("target-sequence-length");
  if (!target) return std::unexpected(target.error());
  setup.target_sequence_length = *target;
  const auto precision = read_precision(settings);
  if (!precision) return std::unexpected(precision.error());
  if (!*precision) {
    return missing("precision",
                   "add --precision fp32, tf32, fp16, bf16 or fp8: it decides the peak");
  }
  setup.precision = **precision;
  const auto optimizer = read_optimizer(settings);
  if (!optimizer) return std::unexpected(optimizer.error());
  setup.optimizer = optimizer->value_or(setup.optimizer);
  if (const auto name = settings.text("convention")) {
    const auto convention =
        choose("convention", *name, std::array{Convention::joulecast, Convention::ecai2025});
    if (!convention) return std::unexpected(convention.error());
    setup.convention = *convention;
  }
  const auto accumulated = settings.whole("accumulation-steps");
  if (!accumulated) return std::unexpected(accumulated.error());
  setup.accumulation_steps = accumulated->value_or(1);
  setup.clip_gradients = settings.has("clip-gradients");
  if (const auto name = settings.text("recomputation")) {
    const auto recomputation = choose("recomputation", *name, all_recomputations);
    if (!recomputation) return std::unexpected(recomputation.error());
    setup.recomputation = *recomputation;
  }
  const auto gpus = settings.whole("num-gpus");
  if (!gpus) return std::unexpected(gpus.error());
  setup.num_gpus = gpus->value_or(1);
  return check_training(setup);
}

Result<RunPlan> read_plan(const Settings& settings) {
  RunPlan plan;
  struct Whole {
    const char* flag;
    std::optional<std::int64_t>& target;
  };
  for (const Whole& entry : {Whole{"steps", plan.steps}, Whole{"epochs", plan.epochs},
                             Whole{"samples", plan.samples}, Whole{"tokens", plan.tokens}}) {
    const auto value = settings.whole(entry.flag);
    if (!value) return std::unexpected(value.error());
    entry.target = *value;
  }
  struct Share {
    const char* flag;
    double& target;
  };
  for (const Share& entry : {Share{"evaluation-fraction", plan.evaluation_fraction},
                             Share{"checkpoint-fraction", plan.checkpoint_fraction},
                             Share{"padding-fraction", plan.padding_fraction}}) {
    const auto value = settings.number(entry.flag);
    if (!value) return std::unexpected(value.error());
    entry.target = value->value_or(0.0);
  }
  return plan;
}

Result<void> check_run_flags(const Settings& settings, const RunPlan& plan) {
  if (plan.steps || plan.epochs || plan.samples || plan.tokens) return {};
  for (const std::string_view flag :
       {"host-power-watts", "pue", "region", "carbon-intensity", "price-per-kwh",
        "price-per-gpu-hour", "evaluation-fraction", "checkpoint-fraction", "padding-fraction"}) {
    if (!settings.has(flag)) continue;
    return fail(flag, "only counts for a whole run, and none is stated",
                "add --steps, --epochs with --samples, or --tokens");
  }
  return {};
}

Result<Site> read_site(const Settings& settings) {
  Site site;
  const auto host = ranged(settings, "host-power-watts", 0.0, 1e5);
  if (!host) return std::unexpected(host.error());
  if (*host) site.host_power = Watts{**host};
  const auto pue = ranged(settings, "pue", 1.0, 10.0);
  if (!pue) return std::unexpected(pue.error());
  site.power_usage_effectiveness = *pue;
  const auto intensity = ranged(settings, "carbon-intensity", 0.0, 5000.0);
  if (!intensity) return std::unexpected(intensity.error());
  const auto region = settings.text("region");
  // A figure of one's own says more than a country's average.
  const bool own_figure =
      settings.has("carbon-intensity") || (*intensity && !settings.has("region"));
  if (settings.has("carbon-intensity") && settings.has("region")) {
    return fail("carbon-intensity", "--region already states the carbon intensity",
                "give one of the two");
  }
  if (own_figure) {
    site.region =
        Region{.id = "stated",
               .name = "own figure",
               .carbon_intensity = KilogramsPerJoule{**intensity * 1e-3 / joules_per_kilowatt_hour},
               .year = 0,
               .source = "stated by the user"};
  } else if (region) {
    auto found = find_region(*region);
    if (!found) return std::unexpected(found.error());
    site.region = *found;
  }
  const auto per_kwh = ranged(settings, "price-per-kwh", 0.0, 1e9);
  if (!per_kwh) return std::unexpected(per_kwh.error());
  site.price_per_kilowatt_hour = *per_kwh;
  const auto per_hour = ranged(settings, "price-per-gpu-hour", 0.0, 1e9);
  if (!per_hour) return std::unexpected(per_hour.error());
  site.price_per_gpu_hour = *per_hour;
  site.currency = settings.text("currency").value_or("");
  for (const std::string_view flag :
       {own_figure ? "carbon-intensity" : "region", "host-power-watts", "pue", "price-per-kwh",
        "price-per-gpu-hour", "currency"}) {
    if (settings.text(flag)) site.origins.emplace(flag, settings.origin(flag));
  }
  if (auto checked = check_site(site); !checked) return std::unexpected(checked.error());
  return site;
}

Result<Head> read_head(const Settings& settings) {
  const auto name = settings.text("head");
  if (!name) return Head::from_config;
  return choose("head", *name,
                std::array{Head::none, Head::pooler, Head::masked_lm, Head::causal_lm,
                           Head::discriminator, Head::classifier});
}

Result<Phase> read_phase(const Settings& settings) {
  const auto name = settings.text("phase");
  if (!name) return Phase::forward;
  return choose("phase", *name,
                std::array{Phase::forward, Phase::recompute, Phase::backward_input,
                           Phase::backward_weight, Phase::optimizer_step});
}

Result<DeviceCatalogue> read_catalogue(const Settings& settings) {
  std::vector<std::filesystem::path> files;
  for (const std::string& file : settings.texts("device-file")) files.emplace_back(file);
  auto catalogue = load_devices(files);
  if (!catalogue && settings.configured("device-file")) {
    catalogue.error().remedy += "; the configuration file names it in device_file";
  }
  return catalogue;
}

Result<std::vector<Device>> find_gpus(const Settings& settings, const DeviceCatalogue& catalogue) {
  std::vector<Device> devices;
  for (const std::string& name : settings.texts("gpu")) {
    auto device = catalogue.find(name);
    if (!device) return std::unexpected(device.error());
    devices.push_back(std::move(*device));
  }
  return devices;
}

Result<std::vector<Device>> read_devices(const Settings& settings) {
  if (settings.texts("gpu").empty()) {
    return missing("gpu", "add e.g. --gpu a100-80gb-pcie; `joulecast devices` lists all");
  }
  if (settings.texts("device-file").empty()) {
    std::vector<Device> devices;
    for (const std::string& name : settings.texts("gpu")) {
      auto device = find_device(name);
      if (!device) return std::unexpected(device.error());
      devices.push_back(std::move(*device));
    }
    return devices;
  }
  auto catalogue = read_catalogue(settings);
  if (!catalogue) return std::unexpected(catalogue.error());
  return find_gpus(settings, *catalogue);
}

Result<Format> read_format(const Arguments& arguments) {
  const auto name = arguments.value("format");
  if (!name) return Format::text;
  if (const auto format = format_from(*name)) return *format;
  return fail("format", fmt::format("unknown value \"{}\"", name->substr(0, 80)),
              "choose one of: text, markdown, csv, json");
}

Result<Destination> read_destination(const Arguments& arguments) {
  const auto format = read_format(arguments);
  if (!format) return std::unexpected(format.error());
  Destination destination{arguments.value("output"), *format};
  if (!destination.file || arguments.has("format")) return destination;
  if (destination.file->ends_with(".json")) destination.format = Format::json;
  if (destination.file->ends_with(".csv")) destination.format = Format::csv;
  if (destination.file->ends_with(".md")) destination.format = Format::markdown;
  return destination;
}

Result<std::vector<Measurement>> read_measurement_tables(const Arguments& arguments) {
  std::vector<Measurement> rows;
  for (const std::string& path : arguments.words) {
    auto table = read_measurements(path);
    if (!table) return std::unexpected(table.error());
    std::move(table->begin(), table->end(), std::back_inserter(rows));
  }
  return rows;
}

Result<std::string> read_law_family(const Settings& settings) {
  std::string name = settings.text("law-family").value_or("");
  if (name.empty() || find_family(name) != nullptr) return name;
  std::vector<std::string> known;
  for (const LawFamily& family : law_families()) known.emplace_back(family.name);
  std::string all;
  for (const std::string& family : known) all += (all.empty() ? "" : ", ") + family;
  const std::string hint = did_you_mean(name, known);
  return std::unexpected(Error{
      ErrorKind::usage, "unknown law family \"" + name.substr(0, 80) + "\"",
      Location{.file = {}, .path = "--law-family"}, hint.empty() ? "choose one of: " + all : hint});
}

}  // namespace joulecast::cli

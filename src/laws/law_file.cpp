// SPDX-License-Identifier: Apache-2.0
#include "laws/law_file.hpp"

#include "documents/digits.hpp"
#include "documents/hash.hpp"

#include <joulecast/law_family.hpp>

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace joulecast {
namespace {

// Fractions are above 0: a law that reaches nothing would take forever. An exponent above 1 would
// let more work take less time.
constexpr Range fraction_range{1e-9, 1.0};
constexpr Range rate_range{1e-9, 1e12};
constexpr Range exponent_range{0.01, 1.0};
constexpr Range scale_range{1.0, 1e18};
constexpr Range launch_range{1e-9, 1.0};
constexpr Range flops_range{1.0, 1e30};
constexpr Range error_range{0.0, 1e6};

constexpr std::string_view hash_key = "\"content_sha256\": \"";

SaturationLaw read_saturation(ObjectReader& reader) {
  return {.eta_max = reader.number("eta_max", fraction_range),
          .saturation_rate = reader.number("saturation_rate", rate_range),
          .saturation_exponent = reader.number("saturation_exponent", exponent_range),
          .flops_scale = reader.number("flops_scale", scale_range)};
}

FamilyLaw read_family(ObjectReader& reader, const LawFamily& family) {
  FamilyLaw law{.family = std::string(family.name)};
  for (const LawParameter& parameter : family.parameters) {
    // A last digit of rounding must not turn a value at its bound into an error.
    law.parameters.push_back(reader.number(
        parameter.name, {parameter.lowest * (1.0 - 1e-9), parameter.highest * (1.0 + 1e-9)}));
  }
  return law;
}

std::vector<std::string_view> form_names() {
  std::vector<std::string_view> names = {"saturation", "roofline"};
  for (const LawFamily& family : law_families()) names.push_back(family.name);
  return names;
}

void read_form(ObjectReader& reader, Law& law) {
  const std::vector<std::string_view> names = form_names();
  const std::size_t form = reader.choice("form", names);
  auto parameters = reader.child("parameters");
  if (!parameters) {
    reader.fail("parameters", "the key is missing", "add the law's parameters", ErrorKind::schema);
    return;
  }
  if (form == 0) law.form = read_saturation(*parameters);
  if (form == 1) law.form = read_roofline(*parameters);
  if (form > 1) law.form = read_family(*parameters, law_families()[form - 2]);
  parameters->refuse_unknown_keys();
  reader.adopt(parameters->error());
  if (form < 2 || reader.error()) return;
  const LawFamily& family = law_families()[form - 2];
  if (!family.covers(law.operation, *law.precision)) {
    reader.fail("form",
                fmt::format("{} has no formula for {} in {}", family.name, law.operation,
                            to_string(*law.precision)),
                "choose another form");
  }
}

void read_precision(ObjectReader& reader, Law& law) {
  std::vector<std::string_view> names;
  for (const MeasuredPrecision precision : all_measured_precisions) {
    names.push_back(to_string(precision));
  }
  law.precision = all_measured_precisions[reader.choice("precision", names)];
}

constexpr double no_end = std::numeric_limits<double>::infinity();

// The first band that an operation is below counts, so within one intensity the durations ascend.
void read_bands(ObjectReader& reader, Law& law) {
  for (ObjectReader& entry : reader.children("intervals")) {
    const IntervalBand band{
        .intensity_below =
            entry.optional_number("below_flops_per_byte", {1e-12, 1e12}).value_or(no_end),
        .below = Seconds{entry.optional_number("below_seconds", {1e-12, 1e9}).value_or(no_end)},
        .factors = read_factors(entry)};
    const IntervalBand* before = law.bands.empty() ? nullptr : &law.bands.back();
    const bool ascends =
        before == nullptr || band.intensity_below > before->intensity_below ||
        (band.intensity_below == before->intensity_below && band.below > before->below);
    if (!ascends) {
      entry.fail("below_seconds", "the bands do not ascend", "order them; the last has no end");
    }
    entry.refuse_unknown_keys();
    reader.adopt(entry.error());
    law.bands.push_back(band);
  }
  if (law.bands.empty()) return;
  if (law.bands.back().intensity_below < no_end || law.bands.back().below.value() < no_end) {
    reader.fail("intervals", "the last band has an end", "leave its limits out");
  }
}

std::vector<LawParameterInterval> read_parameter_intervals(ObjectReader& reader) {
  std::vector<LawParameterInterval> intervals;
  for (ObjectReader& entry : reader.children("parameter_intervals")) {
    intervals.push_back({.name = entry.text("name"),
                         .lower = entry.number("lower", {0.0, 1e300}),
                         .upper = entry.number("upper", {0.0, 1e300})});
    entry.refuse_unknown_keys();
    reader.adopt(entry.error());
  }
  return intervals;
}

LawErrors read_errors(ObjectReader& reader) {
  LawErrors errors{.rows = reader.size("rows"),
                   .mean_absolute_percentage_error =
                       reader.number("mean_absolute_percentage_error", error_range),
                   .median_absolute_percentage_error =
                       reader.number("median_absolute_percentage_error", error_range)};
  reader.refuse_unknown_keys();
  return errors;
}

IntervalFactors read_factors_of(ObjectReader& reader, std::string_view key) {
  auto child = reader.child(key);
  if (!child) {
    reader.fail(key, "the key is missing", "fit the law again", ErrorKind::schema);
    return {};
  }
  const IntervalFactors factors = read_factors(*child);
  child->refuse_unknown_keys();
  reader.adopt(child->error());
  return factors;
}

LawPower read_power(ObjectReader& reader) {
  constexpr Range watts{1e-3, 1e5};
  LawPower power;
  power.law = {.power_limit_watts = reader.number("power_limit_watts", watts),
               .idle_watts = reader.number("idle_watts", {0.0, 1e5}),
               .active_watts = reader.number("active_watts", {0.0, 1e5}),
               .occupancy_watts = reader.number("occupancy_watts", {0.0, 1e5}),
               .joules_per_flop = reader.number("joules_per_flop", {0.0, 1e-6}),
               .joules_per_byte = reader.number("joules_per_byte", {0.0, 1e-3}),
               .limit_fraction = reader.number("limit_fraction", fraction_range),
               .sharpness = reader.number("sharpness", {0.5, 1e3})};
  power.below_limit = read_factors_of(reader, "below_limit");
  power.at_limit = read_factors_of(reader, "at_limit");
  if (auto errors = reader.child("out_of_fold")) {
    power.errors = read_errors(*errors);
    reader.adopt(errors->error());
  }
  power.parameter_intervals = read_parameter_intervals(reader);
  power.not_identified = reader.texts("not_identified");
  if (!(power.law.idle_watts + power.law.active_watts > 0.0)) {
    reader.fail("active_watts", "the board draws nothing while it works", "fit the law again");
  }
  return power;
}

// A file that `fit` wrote ends in the hash of what stands before that key.
Result<void> check_content(std::string_view text, const std::string& file) {
  const std::size_t place = text.rfind(hash_key);
  if (place == std::string_view::npos) return {};
  const std::string_view stated = text.substr(place + hash_key.size(), 64);
  if (stated == sha256(text.substr(0, place))) return {};
  return std::unexpected(
      Error{ErrorKind::value, "the law was changed by hand: its content does not match its hash",
            Location{.file = file, .path = "content_sha256"},
            "fit it again, or delete content_sha256 and answer for the numbers yourself"});
}

using Json = nlohmann::ordered_json;

void add_factors(Json& entry, const IntervalFactors& factors) {
  entry["lower_factor"] = rounded(factors.lower, 4);
  entry["upper_factor"] = rounded(factors.upper, 4);
}

Json errors_of(const LawErrors& errors) {
  return {
      {"rows", errors.rows},
      {"mean_absolute_percentage_error", rounded(errors.mean_absolute_percentage_error, 3)},
      {"median_absolute_percentage_error", rounded(errors.median_absolute_percentage_error, 3)}};
}

void add_parameter_intervals(Json& out, const std::vector<LawParameterInterval>& intervals) {
  for (const LawParameterInterval& interval : intervals) {
    out["parameter_intervals"].push_back({{"name", interval.name},
                                          {"lower", rounded(interval.lower, 3)},
                                          {"upper", rounded(interval.upper, 3)}});
  }
}

Json power_of(const LawPower& power) {
  Json out = {{"power_limit_watts", power.law.power_limit_watts},
              {"idle_watts", power.law.idle_watts},
              {"active_watts", power.law.active_watts},
              {"occupancy_watts", power.law.occupancy_watts},
              {"joules_per_flop", power.law.joules_per_flop},
              {"joules_per_byte", power.law.joules_per_byte},
              {"limit_fraction", power.law.limit_fraction},
              {"sharpness", power.law.sharpness}};
  add_factors(out["below_limit"], power.below_limit);
  add_factors(out["at_limit"], power.at_limit);
  out["out_of_fold"] = errors_of(power.errors);
  add_parameter_intervals(out, power.parameter_intervals);
  if (!power.not_identified.empty()) out["not_identified"] = power.not_identified;
  return out;
}

// The text, ending in its own hash.
std::string sealed(const Json& out) {
  std::string text = out.dump(2);
  text.erase(text.rfind("\n}"));
  text += ",\n  ";
  return text + std::string(hash_key) + sha256(text) + "\"\n}\n";
}

Json parameters_of(const LawForm& form) {
  Json parameters = Json::object();
  if (const auto* law = std::get_if<SaturationLaw>(&form)) {
    parameters["eta_max"] = law->eta_max;
    parameters["saturation_rate"] = law->saturation_rate;
    parameters["saturation_exponent"] = law->saturation_exponent;
    parameters["flops_scale"] = law->flops_scale;
  } else if (const auto* roofline = std::get_if<RooflineLaw>(&form)) {
    parameters["compute_fraction"] = roofline->compute_fraction;
    parameters["bandwidth_fraction"] = roofline->bandwidth_fraction;
    parameters["launch_seconds"] = roofline->launch.value();
  } else {
    const auto& fitted = std::get<FamilyLaw>(form);
    const LawFamily* family = find_family(fitted.family);
    for (std::size_t i = 0; family != nullptr && i < fitted.parameters.size(); ++i) {
      parameters[std::string(family->parameters[i].name)] = fitted.parameters[i];
    }
  }
  return parameters;
}

std::string form_name(const LawForm& form) {
  if (std::holds_alternative<SaturationLaw>(form)) return "saturation";
  if (std::holds_alternative<RooflineLaw>(form)) return "roofline";
  return std::get<FamilyLaw>(form).family;
}

}  // namespace

IntervalFactors read_factors(ObjectReader& reader) {
  return {.lower = reader.number("lower_factor", {1e-3, 1.0}),
          .upper = reader.number("upper_factor", {1.0, 1e3})};
}

RooflineLaw read_roofline(ObjectReader& reader) {
  return {.compute_fraction = reader.number("compute_fraction", fraction_range),
          .bandwidth_fraction = reader.number("bandwidth_fraction", fraction_range),
          .launch = Seconds{reader.number("launch_seconds", launch_range)}};
}

Result<Law> parse_law(std::string_view text, const std::string& file) {
  if (auto checked = check_content(text, file); !checked) return std::unexpected(checked.error());
  auto law = parse_sealed_law(text, file);
  if (law) law->sha256 = sha256(text);
  return law;
}

Result<Law> parse_sealed_law(std::string_view text, const std::string& file) {
  auto document = parse_json(text, file);
  if (!document) return std::unexpected(document.error());
  ObjectReader reader(*document, file);
  reader.number("schema_version", {1, 1});
  Law law;
  law.device = reader.text("device");
  law.operation = reader.text("operation");
  read_precision(reader, law);
  read_form(reader, law);
  law.fitted_range = FlopsRange{Flops{reader.number("fitted_flops_minimum", flops_range)},
                                Flops{reader.number("fitted_flops_maximum", flops_range)}};
  if (law.fitted_range->lowest > law.fitted_range->highest) {
    reader.fail("fitted_flops_minimum", "is above fitted_flops_maximum", "swap the two");
  }
  if (reader.has("lower_factor") || reader.has("upper_factor")) law.interval = read_factors(reader);
  read_bands(reader, law);
  if (auto errors = reader.child("out_of_fold")) {
    law.errors = read_errors(*errors);
    reader.adopt(errors->error());
  }
  law.parameter_intervals = read_parameter_intervals(reader);
  if (auto power = reader.child("power")) {
    law.power = read_power(*power);
    power->refuse_unknown_keys();
    reader.adopt(power->error());
  }
  law.not_identified = reader.texts("not_identified");
  law.host_timed = reader.boolean_or("host_timed", false);
  law.source = reader.text("source");
  if (law.source.empty()) {
    reader.fail("source", "is empty", "say which measurements the law was fitted to");
  }
  reader.text_or("content_sha256", "");
  reader.refuse_unknown_keys();
  if (reader.error()) return std::unexpected(*reader.error());
  law.id = fmt::format("{}/{}/{}", law.device, to_string(*law.precision), law.operation);
  law.file = file;
  return law;
}

std::string write_law(const Law& law) {
  Json out = Json::object();
  out["schema_version"] = 1;
  out["device"] = law.device;
  out["precision"] = law.precision ? to_string(*law.precision) : std::string_view();
  out["operation"] = law.operation;
  out["form"] = form_name(law.form);
  out["parameters"] = parameters_of(law.form);
  add_parameter_intervals(out, law.parameter_intervals);
  if (!law.not_identified.empty()) out["not_identified"] = law.not_identified;
  if (law.fitted_range) {
    out["fitted_flops_minimum"] = law.fitted_range->lowest.value();
    out["fitted_flops_maximum"] = law.fitted_range->highest.value();
  }
  if (law.interval) add_factors(out, *law.interval);
  for (const IntervalBand& band : law.bands) {
    Json entry = Json::object();
    if (band.intensity_below < no_end) {
      entry["below_flops_per_byte"] = rounded(band.intensity_below, 4);
    }
    if (band.below.value() < no_end) entry["below_seconds"] = rounded(band.below.value(), 4);
    add_factors(entry, band.factors);
    out["intervals"].push_back(std::move(entry));
  }
  if (law.errors) out["out_of_fold"] = errors_of(*law.errors);
  if (law.power) out["power"] = power_of(*law.power);
  if (law.host_timed) out["host_timed"] = true;
  out["source"] = law.source;
  return sealed(out);
}

std::string write_trials(const Law& law) {
  Json out = Json::object();
  out["schema_version"] = 1;
  out["families"] = Json::array();
  for (const FamilyTrial& trial : law.trials) {
    Json entry = Json::object();
    entry["form"] = trial.law.family;
    entry["parameters"] = parameters_of(trial.law);
    entry["out_of_fold"] = errors_of(trial.errors);
    add_factors(entry, trial.interval);
    out["families"].push_back(std::move(entry));
  }
  return sealed(out);
}

Result<void> parse_trials(std::string_view text, const std::string& file, Law& law) {
  if (auto checked = check_content(text, file); !checked) return checked;
  auto document = parse_json(text, file);
  if (!document) return std::unexpected(document.error());
  ObjectReader reader(*document, file);
  reader.number("schema_version", {1, 1});
  for (ObjectReader& entry : reader.children("families")) {
    const std::string name = entry.text("form");
    const LawFamily* family = find_family(name);
    if (family == nullptr) entry.fail("form", "no such family", "fit the law again");
    auto parameters = entry.child("parameters");
    auto errors = entry.child("out_of_fold");
    if (family != nullptr && parameters && errors) {
      law.trials.push_back({.law = read_family(*parameters, *family),
                            .errors = read_errors(*errors),
                            .interval = read_factors(entry)});
      parameters->refuse_unknown_keys();
      entry.adopt(parameters->error());
      entry.adopt(errors->error());
    } else if (!entry.error()) {
      entry.fail("parameters", "parameters or out_of_fold are missing", "fit the law again");
    }
    entry.refuse_unknown_keys();
    reader.adopt(entry.error());
  }
  reader.text_or("content_sha256", "");
  reader.refuse_unknown_keys();
  if (reader.error()) return std::unexpected(*reader.error());
  return {};
}

std::optional<Law> with_family(const Law& law, std::string_view family) {
  for (const FamilyTrial& trial : law.trials) {
    if (trial.law.family != family) continue;
    Law exchanged = law;
    exchanged.form = trial.law;
    exchanged.errors = trial.errors;
    exchanged.interval = trial.interval;
    exchanged.bands.clear();
    exchanged.parameter_intervals.clear();
    exchanged.not_identified.clear();
    exchanged.id += fmt::format("/{}", family);
    return exchanged;
  }
  return std::nullopt;
}

std::string write_row_hashes(const Law& law) {
  std::string bytes;
  bytes.reserve(law.row_hashes.size() * 4);
  for (const std::uint32_t hash : law.row_hashes) {
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>((hash >> static_cast<unsigned>(shift)) & 0xFFU));
    }
  }
  return bytes;
}

Result<void> parse_row_hashes(std::string_view bytes, const std::string& file, Law& law) {
  const auto fail = [&](std::string message) {
    return std::unexpected(Error{ErrorKind::value, std::move(message), Location{.file = file},
                                 "fit the law again, or delete this file"});
  };
  if (bytes.size() % 4 != 0) return fail("the hashes of the rows are cut off");
  std::vector<std::uint32_t> hashes(bytes.size() / 4);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    for (std::size_t b = 0; b < 4; ++b) {
      hashes[i] |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[4 * i + b]))
                   << (8U * b);
    }
  }
  if (!std::ranges::is_sorted(hashes)) return fail("the hashes of the rows are out of order");
  law.row_hashes = std::move(hashes);
  return {};
}

}  // namespace joulecast

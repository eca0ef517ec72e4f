// SPDX-License-Identifier: Apache-2.0
#include <joulecast/law.hpp>

#include "documents/embedded.hpp"
#include "documents/hash.hpp"
#include "documents/value.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <set>

#include <fmt/format.h>

namespace joulecast {
namespace {

// Fractions are above 0: a law that reaches nothing would take forever.
constexpr Range fraction_range{1e-9, 1.0};
constexpr Range positive_range{1e-300, 1e300};
// Wide enough for work stated in FLOPs or in exaFLOPs, narrow enough that no duration overflows.
constexpr Range rate_range{1e-9, 1e12};
// Above 1 more work could take less time.
constexpr Range exponent_range{0.01, 1.0};
constexpr Range scale_range{1.0, 1e18};
constexpr Range launch_range{1e-9, 1.0};
constexpr Range flops_range{1.0, 1e30};

IntervalFactors read_factors(ObjectReader& reader) {
  return {.lower = reader.number("lower_factor", {1e-3, 1.0}),
          .upper = reader.number("upper_factor", {1.0, 1e3})};
}

RooflineLaw read_roofline(ObjectReader& reader) {
  return {.compute_fraction = reader.number("compute_fraction", fraction_range),
          .bandwidth_fraction = reader.number("bandwidth_fraction", fraction_range),
          .launch = Seconds{reader.number("launch_seconds", launch_range)}};
}

SaturationLaw read_saturation(ObjectReader& reader) {
  return {.eta_max = reader.number("eta_max", fraction_range),
          .saturation_rate = reader.number("saturation_rate", rate_range),
          .saturation_exponent = reader.number("saturation_exponent", exponent_range),
          .flops_scale = reader.number("flops_scale", scale_range)};
}

struct Prior {
  Law law;
  PowerPrior power;
};

Prior read_prior() {
  const std::string_view text = embedded_file("laws/prior.toml");
  const auto document = parse_toml(text, "prior.toml");
  assert(document && "the shipped prior is valid TOML");
  ObjectReader reader(*document, "prior.toml");
  reader.number("schema_version", {1, 1});
  Prior prior;
  auto duration = reader.child("duration");
  prior.law.id = "prior";
  prior.law.form = read_roofline(*duration);
  prior.law.interval = read_factors(*duration);
  prior.law.source = duration->text("source");
  prior.law.file = "shipped";
  prior.law.sha256 = sha256(text);
  auto power = reader.child("power");
  prior.power = {.idle_fraction = power->number("idle_fraction", {0.0, 1.0}),
                 .compute_fraction = power->number("compute_fraction", positive_range),
                 .bandwidth_fraction = power->number("bandwidth_fraction", positive_range),
                 .interval = read_factors(*power),
                 .source = power->text("source")};
  for (ObjectReader* part : {&*duration, &*power, &reader}) {
    part->refuse_unknown_keys();
    assert(!part->error() && "the shipped prior follows its schema");
  }
  return prior;
}

Result<Law> read_law(const std::filesystem::path& path) {
  auto text = read_text_file(path);
  if (!text) return std::unexpected(text.error());
  auto document = parse_json(*text, path.string());
  if (!document) return std::unexpected(document.error());
  ObjectReader reader(*document, path.string());
  reader.number("schema_version", {1, 1});
  Law law;
  law.device = reader.text("device");
  law.operation = reader.text("operation");
  const std::string precision = reader.text("precision");
  law.precision = precision_from(precision);
  if (!law.precision) {
    reader.fail("precision", fmt::format("unknown precision \"{}\"", precision.substr(0, 60)),
                "choose fp32, tf32, fp16, bf16, fp8, fp4 or int8");
  }
  constexpr std::array<std::string_view, 2> forms = {"saturation", "roofline"};
  const std::size_t form = reader.choice("form", forms);
  if (auto parameters = reader.child("parameters")) {
    if (form == 0) law.form = read_saturation(*parameters);
    if (form == 1) law.form = read_roofline(*parameters);
    parameters->refuse_unknown_keys();
    reader.adopt(parameters->error());
  } else {
    reader.fail("parameters", "the key is missing", "add the law's parameters", ErrorKind::schema);
  }
  law.fitted_range = FlopsRange{Flops{reader.number("fitted_flops_minimum", flops_range)},
                                Flops{reader.number("fitted_flops_maximum", flops_range)}};
  if (law.fitted_range->lowest > law.fitted_range->highest) {
    reader.fail("fitted_flops_minimum", "is above fitted_flops_maximum", "swap the two");
  }
  if (reader.has("lower_factor") || reader.has("upper_factor")) law.interval = read_factors(reader);
  law.source = reader.text("source");
  if (law.source.empty()) {
    reader.fail("source", "is empty", "say which measurements the law was fitted to");
  }
  reader.refuse_unknown_keys();
  if (reader.error()) return std::unexpected(*reader.error());
  law.id = fmt::format("{}/{}/{}", law.device, precision, law.operation);
  law.file = path.string();
  law.sha256 = sha256(*text);
  return law;
}

}  // namespace

const Law& LawSet::find(const Device& device, const Operation& operation) const {
  const Law* by_kind = nullptr;
  for (const Law& law : laws_) {
    if (law.device != device.id || law.precision != operation.precision) continue;
    if (law.operation == operation.name) return law;
    if (law.operation == to_string(operation.kind)) by_kind = &law;
  }
  return by_kind == nullptr ? prior_ : *by_kind;
}

LawSet shipped_laws() {
  Prior prior = read_prior();
  return {{}, std::move(prior.law), std::move(prior.power)};
}

Result<LawSet> read_laws(const std::filesystem::path& directory) {
  const auto fail = [&](ErrorKind kind, std::string message, std::string remedy) {
    return std::unexpected(Error{kind, std::move(message),
                                 Location{.file = directory.string(), .path = "--laws"},
                                 std::move(remedy)});
  };
  std::error_code problem;
  if (!std::filesystem::is_directory(directory, problem)) {
    return fail(ErrorKind::not_found, "no such directory", "name a folder of law files (.json)");
  }
  std::vector<std::filesystem::path> paths;
  // Not a range-for: its increment throws where a folder inside cannot be read.
  std::filesystem::recursive_directory_iterator entry(directory, problem);
  for (; !problem && entry != end(entry); entry.increment(problem)) {
    if (entry->path().extension() == ".json") paths.push_back(entry->path());
  }
  if (problem) return fail(ErrorKind::io, problem.message(), "check its permissions");
  if (paths.empty()) return fail(ErrorKind::not_found, "holds no .json file", "check the path");
  // The order of a directory is the file system's; results must not depend on it.
  std::sort(paths.begin(), paths.end());
  std::vector<Law> laws;
  std::set<std::string> ids;
  for (const std::filesystem::path& path : paths) {
    auto law = read_law(path);
    if (!law) return std::unexpected(law.error());
    if (!ids.insert(law->id).second) {
      return std::unexpected(Error{ErrorKind::schema, fmt::format("a second law for {}", law->id),
                                   Location{.file = path.string()}, "keep one of them"});
    }
    laws.push_back(std::move(*law));
  }
  Prior prior = read_prior();
  return LawSet(std::move(laws), std::move(prior.law), std::move(prior.power));
}

}  // namespace joulecast

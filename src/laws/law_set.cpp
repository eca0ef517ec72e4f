// SPDX-License-Identifier: Apache-2.0
#include <joulecast/law.hpp>

#include "documents/embedded.hpp"
#include "documents/hash.hpp"
#include "documents/save.hpp"
#include "documents/value.hpp"
#include "laws/law_file.hpp"
#include "laws/transfer.hpp"
#include "laws/transfer_hash.hpp"
#include "measurements/names.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <set>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr Range positive_range{1e-300, 1e300};

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
  prior.law.origin = LawOrigin::prior;
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
                 .source = power->text("source"),
                 .id = "prior/power",
                 .sha256 = prior.law.sha256};
  for (ObjectReader* part : {&*duration, &*power, &reader}) {
    part->refuse_unknown_keys();
    assert(!part->error() && "the shipped prior follows its schema");
  }
  return prior;
}

constexpr std::string_view trials_ending = ".families.json";
constexpr std::string_view rows_ending = ".rows";

Result<Law> read_law(const std::filesystem::path& path) {
  auto text = read_text_file(path);
  if (!text) return std::unexpected(text.error());
  auto law = parse_law(*text, path.string());
  if (!law) return law;
  std::filesystem::path rows = path;
  rows.replace_extension(rows_ending);
  std::error_code ignored;
  if (!std::filesystem::exists(rows, ignored)) return law;
  auto hashes = read_text_file(rows);
  if (!hashes) return std::unexpected(hashes.error());
  auto parsed = parse_row_hashes(*hashes, rows.string(), *law);
  if (!parsed) return std::unexpected(parsed.error());
  return law;
}

// The laws of that family among those that were tried; the law itself where it has the form.
Result<std::optional<Law>> exchange(Law law, std::string_view family,
                                    const std::filesystem::path& path) {
  const auto* own = std::get_if<FamilyLaw>(&law.form);
  if (family.empty() || (own != nullptr && own->family == family)) return law;
  std::filesystem::path trials = path;
  trials.replace_extension(trials_ending);
  std::error_code ignored;
  if (!std::filesystem::exists(trials, ignored)) return std::nullopt;
  auto text = read_text_file(trials);
  if (!text) return std::unexpected(text.error());
  auto parsed = parse_trials(*text, trials.string(), law);
  if (!parsed) return std::unexpected(parsed.error());
  return with_family(law, family);
}

// "laws/h100-80gb-sxm/bf16/linear.json" -> its parts; nothing for other files.
std::optional<LawId> shipped_id(std::string_view name) {
  if (!name.starts_with("laws/") || !name.ends_with(".json")) return std::nullopt;
  if (name.ends_with(trials_ending)) return std::nullopt;
  name.remove_prefix(5);
  name.remove_suffix(5);
  const std::size_t first = name.find('/');
  const std::size_t second = first == name.npos ? name.npos : name.find('/', first + 1);
  if (second == name.npos) return std::nullopt;
  const auto precision = measured_precision_from(name.substr(first + 1, second - first - 1));
  if (!precision) return std::nullopt;
  return LawId{std::string(name.substr(0, first)), *precision,
               std::string(name.substr(second + 1))};
}

std::string shipped_name(const LawId& id, std::string_view ending) {
  return fmt::format("laws/{}/{}/{}{}", id.device, to_string(id.precision), id.operation, ending);
}

// A test checks that each shipped law has the hash it states.
std::optional<Law> load_shipped(const LawId& id, std::string_view family) {
  const std::string name = shipped_name(id, ".json");
  auto law = parse_sealed_law(embedded_file(name), name);
  assert(law && "the shipped laws follow their schema");
  law->file = "shipped";
  const auto* own = std::get_if<FamilyLaw>(&law->form);
  if (family.empty() || (own != nullptr && own->family == family)) return std::move(*law);
  [[maybe_unused]] auto trials =
      parse_trials(embedded_file(shipped_name(id, trials_ending)), name, *law);
  assert(trials && "so do the other families");
  return with_family(*law, family);
}

const std::vector<LawId>& all_shipped_ids() {
  static const std::vector<LawId> ids = [] {
    std::vector<LawId> found;
    for (const EmbeddedFile& file : embedded_files()) {
      if (auto id = shipped_id(file.name)) found.push_back(std::move(*id));
    }
    std::ranges::sort(found);
    return found;
  }();
  return ids;
}

// Laws name devices by their ids, so nothing has to be guessed. Null for a device that is not
// shipped.
const Device* shipped_device(std::string_view id) {
  static const DeviceCatalogue catalogue = load_devices().value();
  const auto found = std::ranges::find(catalogue.devices(), id, &Device::id);
  return found == catalogue.devices().end() ? nullptr : &*found;
}

// Interval factors and errors of transfer, by precision and operation.
struct TransferRecord {
  IntervalFactors interval{};
  LawErrors errors{};
};
using TransferRecords = std::map<std::pair<std::string, std::string>, TransferRecord>;
TransferRecords read_transfer_records() {
  TransferRecords records;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name != "laws/transfer.json") continue;
    const auto document = parse_json(file.content, "transfer.json");
    assert(document && "the shipped file is valid JSON");
    ObjectReader reader(*document, "transfer.json");
    for (ObjectReader& entry : reader.children("transfers")) {
      TransferRecord record{.interval = read_factors(entry)};
      record.errors.rows = entry.size("rows");
      record.errors.mean_absolute_percentage_error =
          entry.number("mean_absolute_percentage_error", {0.0, 1e6});
      record.errors.median_absolute_percentage_error =
          entry.number("median_absolute_percentage_error", {0.0, 1e6});
      records[{entry.text("precision"), entry.text("operation")}] = record;
    }
  }
  return records;
}

class Transfer {
 public:
  Transfer(const Device& device, const LawRequest& request) : device_(device), request_(request) {}

  // A committee for what was not measured on the device; absent where no law can stand in.
  [[nodiscard]] std::optional<Law> form(MeasuredPrecision precision,
                                        const std::string& operation) const {
    const auto to = facts_of(device_, precision);
    if (!to) return std::nullopt;
    std::vector<MeasuredPrecision> sources = {precision};
    for (const MeasuredPrecision other : stand_ins(precision, operation)) sources.push_back(other);
    for (const MeasuredPrecision source : sources) {
      if (auto law = form_from(source, precision, operation, *to)) return law;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<Law> form_from(MeasuredPrecision source, MeasuredPrecision precision,
                                             const std::string& operation,
                                             const DeviceFacts& to) const {
    std::vector<Law> laws;
    std::vector<DeviceFacts> facts;
    for (const LawId& id : all_shipped_ids()) {
      if (id.precision != source || id.operation != operation) continue;
      const Device* from = shipped_device(id.device);
      if (from == nullptr || from->vendor != device_.vendor) continue;
      auto own = facts_of(*from, source);
      if (!own) continue;
      auto law = load_shipped(id, request_.family);
      if (!law || law->host_timed || !std::holds_alternative<FamilyLaw>(law->form)) continue;
      // The same board at another rate is the best source there is.
      if (from->id == device_.id) {
        laws = {std::move(*law)};
        facts = {std::move(*own)};
        break;
      }
      laws.push_back(std::move(*law));
      facts.push_back(std::move(*own));
    }
    if (laws.empty()) return std::nullopt;
    std::vector<TransferSource> sources;
    for (std::size_t i = 0; i < laws.size(); ++i) sources.push_back({&laws[i], facts[i]});
    Law law = form_committee(sources, device_, to, precision);
    law.file = "shipped";
    static const TransferRecords records = read_transfer_records();
    const auto record = records.find({std::string(to_string(source)), operation});
    if (record != records.end()) {
      law.interval = record->second.interval;
      law.errors = record->second.errors;
    }
    std::vector<std::string_view> donors;
    for (const Law& donor : laws) {
      const LawId id{donor.device, *donor.precision, donor.operation};
      donors.push_back(stated_content_hash(embedded_file(shipped_name(id, ".json"))));
    }
    law.sha256 = hash_of_transfer(law, to, donors);
    return law;
  }

  const Device& device_;
  const LawRequest& request_;
};

struct ProductLaw {
  LawId id{};
  std::string vendor{};
};

// Laws of matrix products that steps are predicted by. Named rows of one layer ("feed_forward_up")
// tell about products as well. A list of devices must not wait until every law is parsed.
const std::vector<ProductLaw>& product_laws() {
  static const std::vector<ProductLaw> laws = [] {
    std::vector<ProductLaw> found;
    for (const LawId& id : all_shipped_ids()) {
      const MeasuredOperation* operation = find_measured_operation(id.operation);
      if (operation == nullptr || operation->shape != ShapeKind::matmul) continue;
      const std::string_view text = embedded_file(shipped_name(id, ".json"));
      if (text.find("\"host_timed\": true") != text.npos) continue;
      if (const Device* device = shipped_device(id.device)) found.push_back({id, device->vendor});
    }
    return found;
  }();
  return laws;
}

bool wanted(const auto& list, const auto& value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

std::optional<Law> load_own(const LawId& id, const LawRequest& request) {
  auto law = load_shipped(id, request.family);
  if (!law) return law;
  law->sha256 = sha256(embedded_file(shipped_name(id, ".json")));
  if (request.row_hashes) {
    [[maybe_unused]] auto rows =
        parse_row_hashes(embedded_file(shipped_name(id, rows_ending)), law->id, *law);
    assert(rows && "the hashes of the rows are whole and in order");
  }
  return law;
}

std::vector<Law> load_wanted(const Device& device, const LawRequest& request) {
  std::set<std::pair<MeasuredPrecision, std::string>> own;
  std::set<std::string> operations;
  std::vector<Law> laws;
  for (const LawId& id : all_shipped_ids()) {
    if (!wanted(request.operations, std::string_view(id.operation))) continue;
    operations.insert(id.operation);
    if (id.device != device.id || !wanted(request.precisions, id.precision)) continue;
    auto law = load_own(id, request);
    if (!law) continue;
    if (!law->host_timed) own.emplace(id.precision, id.operation);
    laws.push_back(std::move(*law));
  }
  const Transfer transfer(device, request);
  for (const MeasuredPrecision precision : all_measured_precisions) {
    if (!wanted(request.precisions, precision)) continue;
    for (const std::string& operation : operations) {
      if (own.contains({precision, operation})) continue;
      if (auto law = transfer.form(precision, operation)) laws.push_back(std::move(*law));
    }
  }
  return laws;
}

// What other devices tell about kernels in general rests on more of them than what they tell about
// an operation of this name, which comes first in `law_names`.
std::vector<std::string_view> general_first(std::vector<std::string_view> names) {
  if (!names.empty()) std::ranges::rotate(names, names.begin() + 1);
  return names;
}

// Reading every law would take longer than the prediction, so this takes, need by need, what
// `LawSet::find` would take of all of them.
std::vector<Law> load_needed(const Device& device, const LawRequest& request) {
  std::vector<Law> laws;
  using Seen = std::map<LawId, bool>;  // whether the law was there
  Seen own;
  Seen transferred;
  const Transfer transfer(device, request);
  const auto take = [&](Seen& seen, const LawId& id, auto&& load) {
    const auto [place, fresh] = seen.try_emplace(id, false);
    if (!fresh) return place->second;
    std::optional<Law> law = load(id);
    place->second = law.has_value();
    if (law) laws.push_back(std::move(*law));
    return place->second;
  };
  const auto any_of = [&](const LawNeed& need, const auto& names, Seen& seen, auto&& load) {
    return std::ranges::any_of(names, [&](std::string_view name) {
      return take(seen, {device.id, need.precision, std::string(name)}, load);
    });
  };
  for (const LawNeed& need : request.needs) {
    const bool found = any_of(need, need.names, own, [&](const LawId& id) -> std::optional<Law> {
      if (!std::ranges::binary_search(all_shipped_ids(), id)) return std::nullopt;
      auto law = load_own(id, request);
      return law && law->host_timed ? std::nullopt : std::move(law);
    });
    if (found) continue;
    any_of(need, general_first(need.names), transferred,
           [&](const LawId& id) { return transfer.form(id.precision, id.operation); });
  }
  return laws;
}

}  // namespace

const Law* LawSet::find(const LawKey& key) const {
  for (const std::string_view operation : key.operations) {
    for (const Law& law : laws_) {
      if (law.device == key.device && law.precision == key.precision &&
          law.operation == operation) {
        return &law;
      }
    }
  }
  return nullptr;
}

const Law& LawSet::find(const Device& device, const Operation& operation) const {
  const auto precision = measured_precision_of(operation.precision);
  if (!precision) return prior_;
  const std::vector<std::string_view> names = law_names(operation);
  const auto first_of = [&](const auto& ordered, auto&& wanted) -> const Law* {
    for (const std::string_view name : ordered) {
      for (const Law& law : laws_) {
        const bool fits =
            law.device == device.id && law.precision == precision && law.operation == name;
        if (fits && wanted(law)) return &law;
      }
    }
    return nullptr;
  };
  const Law* law = first_of(names, [](const Law& candidate) {
    const bool shipped = candidate.file == "shipped";
    return candidate.origin != LawOrigin::transferred && !(shipped && candidate.host_timed);
  });
  if (law != nullptr) return *law;
  law = first_of(general_first(names),
                 [](const Law& candidate) { return candidate.origin == LawOrigin::transferred; });
  return law != nullptr ? *law : prior_;
}

LawSet LawSet::followed_by(const LawSet& others) const {
  std::vector<Law> laws = laws_;
  laws.insert(laws.end(), others.laws_.begin(), others.laws_.end());
  return {std::move(laws), others.prior_, others.power_};
}

std::optional<MeasuredPrecision> measured_precision_of(Precision precision) {
  switch (precision) {
    case Precision::fp32: return MeasuredPrecision::fp32;
    case Precision::tf32: return MeasuredPrecision::tf32;
    case Precision::fp16: return MeasuredPrecision::fp16;
    case Precision::bf16: return MeasuredPrecision::bf16;
    case Precision::fp8: return MeasuredPrecision::fp8;
    case Precision::fp4: return MeasuredPrecision::nvfp4;
    case Precision::int8: return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string_view> law_names(const Operation& operation) {
  std::vector<std::string_view> names = {operation.name};
  const std::string_view name = operation.name;
  if (const auto* shape = std::get_if<MatmulShape>(&operation.shape)) {
    if (shape->batch > 1) names.emplace_back("batched_matmul");
    names.emplace_back("linear");
  } else if (std::holds_alternative<GroupedMatmulShape>(operation.shape)) {
    names.emplace_back("batched_matmul");
    names.emplace_back("linear");
  } else if (operation.kind == OperationKind::softmax || operation.kind == OperationKind::loss) {
    names.emplace_back("softmax");
  } else if (operation.kind == OperationKind::normalization) {
    if (name.ends_with("rms_norm")) names.emplace_back("rms_norm");
    names.emplace_back("layer_norm");
  } else if (name.ends_with("residual")) {
    names.emplace_back("add");
  } else if (name.ends_with("activation") || name == "gate_activations") {
    names.emplace_back("gelu");
  } else if (operation.kind == OperationKind::elementwise ||
             operation.kind == OperationKind::optimizer) {
    names.emplace_back("multiply");
  }
  // Convolutions along one dimension were never measured.
  const auto* convolution = std::get_if<ConvolutionShape>(&operation.shape);
  if (convolution == nullptr || !convolution->one_dimensional) {
    names.push_back(to_string(operation.kind));
  }
  return names;
}

std::string_view to_string(LawOrigin origin) {
  switch (origin) {
    case LawOrigin::prior: return "prior";
    case LawOrigin::published: return "published";
    case LawOrigin::fitted: return "fitted";
    case LawOrigin::transferred: return "transferred";
  }
  return "unknown";
}

std::vector<LawId> shipped_law_ids() { return all_shipped_ids(); }

LawOrigin shipped_coverage(const Device& device, MeasuredPrecision precision) {
  std::vector<MeasuredPrecision> sources = {precision};
  for (const MeasuredPrecision other : stand_ins(precision, "linear")) sources.push_back(other);
  LawOrigin best = LawOrigin::prior;
  for (const ProductLaw& law : product_laws()) {
    if (law.id.device == device.id && law.id.precision == precision) return LawOrigin::fitted;
    const bool similar = law.vendor == device.vendor && law.id.operation == "linear" &&
                         std::ranges::find(sources, law.id.precision) != sources.end();
    if (similar) best = LawOrigin::transferred;
  }
  return facts_of(device, precision) ? best : LawOrigin::prior;
}

LawSet shipped_prior() {
  Prior prior = read_prior();
  return {{}, std::move(prior.law), std::move(prior.power)};
}

LawSet shipped_laws(const Device& device, const LawRequest& request) {
  Prior prior = read_prior();
  std::vector<Law> laws =
      request.needs.empty() ? load_wanted(device, request) : load_needed(device, request);
  return {std::move(laws), std::move(prior.law), std::move(prior.power)};
}

Result<void> save_law(const std::filesystem::path& directory, const Law& law) {
  std::filesystem::path path = directory / law.device / to_string(*law.precision) / law.operation;
  std::error_code problem;
  std::filesystem::create_directories(path.parent_path(), problem);
  if (problem) {
    return std::unexpected(Error{ErrorKind::io, problem.message(),
                                 Location{.file = path.parent_path().string()},
                                 "check the path and its permissions"});
  }
  const auto save = [&](std::string_view ending, const std::string& text) {
    std::filesystem::path file = path;
    file += ending;
    return save_text(file, text);
  };
  if (auto saved = save(".json", write_law(law)); !saved) return saved;
  if (auto saved = save(trials_ending, write_trials(law)); !saved) return saved;
  return save(rows_ending, write_row_hashes(law));
}

Result<LawSet> read_laws(const std::filesystem::path& directory, std::string_view family) {
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
    const std::string name = entry->path().filename().string();
    const bool is_law =
        name.ends_with(".json") && !name.ends_with(trials_ending) && name != "transfer.json";
    if (is_law) paths.push_back(entry->path());
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
    auto wanted = exchange(std::move(*law), family, path);
    if (!wanted) return std::unexpected(wanted.error());
    if (!*wanted) continue;
    law = std::move(**wanted);
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

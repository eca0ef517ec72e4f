// SPDX-License-Identifier: Apache-2.0
#include "laws/shipped.hpp"

#include "documents/embedded.hpp"
#include "hardware/shipped_device.hpp"
#include "laws/law_file.hpp"
#include "measurements/names.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <mutex>

#include <fmt/format.h>

namespace joulecast {
namespace {

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

}  // namespace

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

const Device* shipped_device(std::string_view id) {
  // One table for all threads: devices are added when they are asked for, and stay where they are.
  static std::mutex mutex;
  static std::map<std::string, std::optional<Device>, std::less<>> known;
  const std::lock_guard lock(mutex);
  auto place = known.find(id);
  if (place == known.end()) {
    place = known.emplace(std::string(id), find_shipped_device(id)).first;
  }
  return place->second ? &*place->second : nullptr;
}

}  // namespace joulecast

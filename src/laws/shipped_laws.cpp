// SPDX-License-Identifier: Apache-2.0
#include <joulecast/law.hpp>

#include "documents/embedded.hpp"
#include "documents/hash.hpp"
#include "laws/law_file.hpp"
#include "laws/shipped.hpp"
#include "laws/transfer.hpp"
#include "measurements/names.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>

namespace joulecast {
namespace {

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
    if (request.leave_out != LeaveOut::nothing) continue;
    auto law = load_own(id, request);
    if (!law) continue;
    if (!law->host_timed) own.emplace(id.precision, id.operation);
    laws.push_back(std::move(*law));
  }
  for (const MeasuredPrecision precision : all_measured_precisions) {
    if (!wanted(request.precisions, precision)) continue;
    for (const std::string& operation : operations) {
      if (own.contains({precision, operation})) continue;
      if (auto law = transfer_shipped(device, precision, operation, request)) {
        laws.push_back(std::move(*law));
      }
    }
  }
  return laws;
}

// Reading every law would take longer than the prediction, so this takes, need by need, what
// `LawSet::find` would take of all of them.
std::vector<Law> load_needed(const Device& device, const LawRequest& request) {
  std::vector<Law> laws;
  using Seen = std::map<LawId, bool>;  // whether the law was there
  Seen own;
  Seen transferred;
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
      if (request.leave_out != LeaveOut::nothing) return std::nullopt;
      if (!std::ranges::binary_search(all_shipped_ids(), id)) return std::nullopt;
      auto law = load_own(id, request);
      return law && law->host_timed ? std::nullopt : std::move(law);
    });
    if (found) continue;
    any_of(need, general_first(need.names), transferred, [&](const LawId& id) {
      return transfer_shipped(device, id.precision, id.operation, request);
    });
  }
  return laws;
}

}  // namespace

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

LawSet shipped_laws(const Device& device, const LawRequest& request) {
  const LawSet prior = shipped_prior();
  std::vector<Law> laws =
      request.needs.empty() ? load_wanted(device, request) : load_needed(device, request);
  return {std::move(laws), prior.prior(), prior.power()};
}

}  // namespace joulecast

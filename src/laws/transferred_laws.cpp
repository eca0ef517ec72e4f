// SPDX-License-Identifier: Apache-2.0
// What the shipped laws of other devices say about a device.
#include "laws/shipped.hpp"

#include "documents/embedded.hpp"
#include "documents/value.hpp"
#include "laws/law_file.hpp"
#include "laws/transfer.hpp"
#include "laws/transfer_hash.hpp"
#include "measurements/names.hpp"

#include <cassert>
#include <map>

namespace joulecast {
namespace {

// Interval factors and errors of transfer, by precision and operation.
struct TransferRecord {
  IntervalFactors interval{};
  LawErrors errors{};
};
using TransferRecords = std::map<std::pair<std::string, std::string>, TransferRecord>;
TransferRecords read_transfer_records() {
  TransferRecords records;
  const auto document = parse_json(embedded_file("laws/transfer.json"), "transfer.json");
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
  return records;
}

struct Wish {
  const Device& device;
  MeasuredPrecision precision;
  const std::string& operation;
  const LawRequest& request;
};

bool is_left_out(const Device& from, const Wish& wish) {
  switch (wish.request.leave_out) {
    case LeaveOut::nothing: return false;
    case LeaveOut::device: return from.id == wish.device.id;
    case LeaveOut::architecture: return from.architecture == wish.device.architecture;
  }
  return false;
}

std::optional<Law> form_from(MeasuredPrecision source, const Wish& wish, const DeviceFacts& to) {
  std::vector<Law> laws;
  std::vector<DeviceFacts> facts;
  for (const LawId& id : all_shipped_ids()) {
    if (id.precision != source || id.operation != wish.operation) continue;
    const Device* from = shipped_device(id.device);
    if (from == nullptr || from->vendor != wish.device.vendor) continue;
    if (is_left_out(*from, wish)) continue;
    auto own = facts_of(*from, source);
    if (!own) continue;
    auto law = load_shipped(id, wish.request.family);
    if (!law || law->host_timed || !std::holds_alternative<FamilyLaw>(law->form)) continue;
    // The same board at another rate is the best source there is.
    if (from->id == wish.device.id) {
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
  Law law = form_committee(sources, wish.device, to, wish.precision);
  law.file = "shipped";
  static const TransferRecords records = read_transfer_records();
  const auto record = records.find({std::string(to_string(source)), wish.operation});
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

}  // namespace

std::optional<Law> transfer_shipped(const Device& device, MeasuredPrecision precision,
                                    const std::string& operation, const LawRequest& request) {
  const auto to = facts_of(device, precision);
  if (!to) return std::nullopt;
  const Wish wish{device, precision, operation, request};
  std::vector<MeasuredPrecision> sources = {precision};
  for (const MeasuredPrecision other : stand_ins(precision, operation)) sources.push_back(other);
  for (const MeasuredPrecision source : sources) {
    if (auto law = form_from(source, wish, *to)) return law;
  }
  return std::nullopt;
}

}  // namespace joulecast

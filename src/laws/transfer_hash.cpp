// SPDX-License-Identifier: Apache-2.0
#include "laws/transfer_hash.hpp"

#include "documents/hash.hpp"

#include <cassert>

#include <fmt/format.h>

namespace joulecast {

std::string_view stated_content_hash(std::string_view law_file) {
  constexpr std::string_view key = "\"content_sha256\": \"";
  constexpr std::size_t digits = 64;
  const std::size_t place = law_file.rfind(key);
  if (place == law_file.npos) return {};
  return law_file.substr(place + key.size(), digits);
}

std::string hash_of_transfer(const Law& law, const DeviceFacts& to,
                             std::span<const std::string_view> donor_hashes) {
  const auto& members = std::get<CommitteeLaw>(law.form).members;
  assert(members.size() == donor_hashes.size());
  // {fmt} writes the shortest digits that give the same double again.
  std::string text = fmt::format("{}\n{} {} {} {} {} {}\n", law.id, to.architecture,
                                 to.peak_flops_per_second, to.bandwidth_bytes_per_second,
                                 to.multiprocessors, to.l2_bytes, to.power_limit_watts);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const CommitteeMember& member = members[i];
    text += fmt::format("{} {} {} {}", member.law_id, donor_hashes[i], member.weight,
                        member.law.family);
    for (const double parameter : member.law.parameters) text += fmt::format(" {}", parameter);
    text += "\n";
  }
  if (law.interval) text += fmt::format("{} {}\n", law.interval->lower, law.interval->upper);
  if (law.errors) {
    text += fmt::format("{} {} {}\n", law.errors->rows, law.errors->mean_absolute_percentage_error,
                        law.errors->median_absolute_percentage_error);
  }
  return sha256(text);
}

}  // namespace joulecast

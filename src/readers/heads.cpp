// SPDX-License-Identifier: Apache-2.0
#include "readers/heads.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace joulecast {
namespace {

// "none, pooler, masked_lm or causal_lm", in the order of the heads.
std::string list_heads(std::span<const HeadChoice> known) {
  std::vector<Head> heads;
  for (const HeadChoice& choice : known) heads.push_back(choice.head);
  std::ranges::sort(heads);
  const auto doubled = std::ranges::unique(heads);
  heads.erase(doubled.begin(), doubled.end());
  std::string text;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (i > 0) text += i + 1 == heads.size() ? " or " : ", ";
    text += to_string(heads[i]);
  }
  return text;
}

}  // namespace

Head choose_head(ObjectReader& reader, Model& model, Head requested,
                 std::span<const HeadChoice> known, const HeadChoice& fallback) {
  if (requested != Head::from_config) {
    if (std::ranges::find(known, requested, &HeadChoice::head) != known.end()) return requested;
    reader.fail(
        "architectures", fmt::format("{} has no head {}", model.family, to_string(requested)),
        fmt::format("choose another with --head: {}", list_heads(known)), ErrorKind::unsupported);
    return Head::none;
  }
  const std::vector<std::string> architectures = reader.texts("architectures");
  for (const std::string& name : architectures) {
    const auto found = std::ranges::find_if(known, [&](const HeadChoice& choice) {
      return !name.empty() && choice.architecture == name;
    });
    if (found == known.end()) continue;
    warn_of_architectures(model, architectures, name);
    return found->head;
  }
  if (!architectures.empty()) {
    reader.fail("architectures", fmt::format("the head of {} is not known", architectures[0]),
                fmt::format("choose one with --head: {}", list_heads(known)),
                ErrorKind::unsupported);
    return Head::none;
  }
  model.warnings.push_back({WarningCode::input_defaulted, "architectures",
                            fmt::format("the file does not state a head; {} is assumed (--head "
                                        "chooses another)",
                                        fallback.architecture)});
  return fallback.head;
}

std::int64_t read_labels(ObjectReader& reader, Model& model) {
  const auto named = reader.length("id2label");
  if (reader.has("num_labels")) {
    const std::int64_t labels = reader.size("num_labels");
    if (named && *named != labels) {
      reader.fail("num_labels", fmt::format("{} labels, but id2label names {}", labels, *named),
                  "make num_labels and id2label agree, or keep one of them");
    }
    return labels;
  }
  if (named && *named > 0) return *named;
  // PretrainedConfig.
  return size_or_default(reader, model, "num_labels", 2);
}

}  // namespace joulecast

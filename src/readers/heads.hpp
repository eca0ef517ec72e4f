// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which head stands on a family's body? The file's `architectures` say, or the caller.

#include "readers/readers.hpp"

#include <span>

namespace joulecast {

// A class of transformers and the head it builds. Without a class the head is there for callers
// alone.
struct HeadChoice {
  std::string architecture{};
  Head head = Head::none;
};

// The head of the first class that is known; where the file names none, that of `fallback`, with a
// warning. Errors: unsupported, for heads or classes that the family does not have here.
Head choose_head(ObjectReader& reader, Model& model, Head requested,
                 std::span<const HeadChoice> known, const HeadChoice& fallback);

// Classes of a classification head: num_labels, or as many as id2label names, or two.
std::int64_t read_labels(ObjectReader& reader, Model& model);

}  // namespace joulecast

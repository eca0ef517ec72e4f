// SPDX-License-Identifier: Apache-2.0
#pragma once

// The layers that BART and Whisper share, whose keys are doubled for encoder and decoder.

#include "readers/readers.hpp"

namespace joulecast {

struct StackDefaults {
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t ffn_dim = 0;
};

// `side` is "encoder" or "decoder".
TransformerBlock read_stack(ObjectReader& reader, Model& model, const std::string& side,
                            const StackDefaults& defaults, std::int64_t hidden_size);

}  // namespace joulecast

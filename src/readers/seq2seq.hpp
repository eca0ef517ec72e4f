// SPDX-License-Identifier: Apache-2.0
#pragma once

// What encoder-decoder families share: layers whose keys are doubled (BART, Whisper), and texts on
// both sides (BART, T5).

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

struct EncoderDecoder {
  EmbeddingBlock embedding{};  // one table of tokens for both sides
  TransformerBlock encoder{};
  TransformerBlock decoder{};
  bool tied = false;  // the scores share the table as well
};

// The blocks of a model that turns a text into a text, with scores over the vocabulary for
// Head::causal_lm.
std::vector<Block> translator_blocks(const EncoderDecoder& parts, Head head);

}  // namespace joulecast

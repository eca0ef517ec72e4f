// SPDX-License-Identifier: Apache-2.0
#include "readers/seq2seq.hpp"

namespace joulecast {

TransformerBlock read_stack(ObjectReader& reader, Model& model, const std::string& side,
                            const StackDefaults& defaults, std::int64_t hidden_size) {
  const auto size = [&](const char* ending, std::int64_t fallback) {
    return size_or_default(reader, model, side + ending, fallback);
  };
  TransformerBlock stack{.hidden_size = hidden_size};
  stack.num_hidden_layers = size("_layers", defaults.layers);
  stack.attention.num_attention_heads = size("_attention_heads", defaults.heads);
  check_heads(reader, side + "_attention_heads", stack.attention.num_attention_heads, "d_model",
              hidden_size);
  stack.attention.dropout = read_flag(reader, "attention_dropout", 0.0);
  stack.attention.causal = side == "decoder";
  stack.feed_forward = {.intermediate_size = size("_ffn_dim", defaults.ffn_dim),
                        .activation = read_activation(reader, "activation_function", "gelu"),
                        .activation_dropout = read_flag(reader, "activation_dropout", 0.0)};
  return stack;
}

std::vector<Block> translator_blocks(const EncoderDecoder& parts, Head head) {
  EmbeddingBlock target = parts.embedding;
  target.tied_embedding = true;
  std::vector<Block> blocks = {{"encoder_embedding", parts.embedding},
                               {"encoder", parts.encoder},
                               {"decoder_embedding", target, target_positions},
                               {"decoder", parts.decoder, target_positions}};
  if (head == Head::causal_lm) {
    blocks.push_back({"language_model_head",
                      LanguageModelHeadBlock{.hidden_size = parts.embedding.hidden_size,
                                             .vocab_size = parts.embedding.vocab_size,
                                             .tied_embedding = parts.tied},
                      target_positions});
  }
  return blocks;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is the model? An architecture as plain data: blocks in the order data flows through them.
// It knows nothing of batches, hardware or file formats. Sizes carry Hugging Face's names.
//
// Readers check what they read, so that a `Model` returned by them is sound: every size is at
// least 1, heads divide the hidden size, neighbouring blocks agree on their width.

#include <joulecast/error.hpp>
#include <joulecast/quantities.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace joulecast {

enum class Activation { relu, gelu, gelu_tanh, silu, tanh };

// Token embedding, with learned positions and segment types where their sizes are above 0.
struct EmbeddingBlock {
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t max_position_embeddings = 0;  // 0: no learned positions
  std::int64_t type_vocab_size = 0;          // 0: no segment types
  bool layer_norm = false;
  bool dropout = false;
};

// Identical Transformer layers: self-attention, optional cross-attention, feed-forward.
// Source: Vaswani et al. 2017, arXiv:1706.03762, sections 3.1 to 3.3.
struct TransformerBlock {
  bool decoder = false;          // causal self-attention
  bool cross_attention = false;  // each layer also attends to an encoder's output
  std::int64_t num_hidden_layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_attention_heads = 0;
  std::int64_t intermediate_size = 0;
  Activation activation = Activation::gelu;
  bool final_layer_norm = false;  // one more normalisation after the last layer
  bool attention_dropout = false;
  bool hidden_dropout = false;
};

// Identical recurrent layers as torch.nn.LSTM and torch.nn.GRU build them, with two biases.
struct RecurrentBlock {
  enum class Cell { lstm, gru };
  Cell cell = Cell::lstm;
  std::int64_t num_layers = 0;
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  bool bidirectional = false;
};

// One linear layer on every position, or on the first token alone (a pooler).
struct DenseBlock {
  std::int64_t input_size = 0;
  std::int64_t output_size = 0;
  std::optional<Activation> activation{};
  bool first_token_only = false;
};

// Scores over the vocabulary on every position, with the cross-entropy loss that trains them.
struct LanguageModelHeadBlock {
  std::int64_t hidden_size = 0;
  std::int64_t vocab_size = 0;
  bool tied_embedding = false;  // the weight is the embedding's, so it adds no parameters
  bool bias = false;
  bool transform = false;  // BERT: a dense layer, activation and normalisation before the scores
  Activation transform_activation = Activation::gelu;
};

using BlockShape = std::variant<EmbeddingBlock, TransformerBlock, RecurrentBlock, DenseBlock,
                                LanguageModelHeadBlock>;

struct Block {
  std::string name{};  // unique in the model, e.g. "encoder"
  BlockShape shape{};
};

struct ParameterCount {
  std::string name{};
  std::int64_t count = 0;

  bool operator==(const ParameterCount&) const = default;
};

struct Model {
  std::string name{};
  std::string family{};  // "bert", "gpt2", or "custom" for hand-written files
  std::vector<Block> blocks{};
  // Longest sequence the positions allow; absent where the architecture sets no bound.
  std::optional<std::int64_t> max_sequence_length{};
  // Counts of well-known variants of the same architecture, e.g. BERT with pooler.
  std::vector<ParameterCount> parameter_variants{};
  std::vector<Warning> warnings{};
  std::string file{};
  std::string sha256{};  // of the file's bytes
};

// Which head stands on top of the body.
enum class Head { from_config, none, pooler, masked_lm, causal_lm };

struct ReadModelOptions {
  Head head = Head::from_config;
};

// Reads a Hugging Face config.json (or a directory that holds one) or a hand-written .toml file.
// Errors: not_found, io, syntax, schema, value, unsupported, overflow.
Result<Model> read_model(const std::filesystem::path& path, const ReadModelOptions& options = {});

// The same from text; `file` names it in errors and decides by its ending between JSON and TOML.
Result<Model> parse_model(std::string_view text, const std::string& file,
                          const ReadModelOptions& options = {});

// Trainable parameters of each block, biases included. Errors: overflow.
Result<std::vector<ParameterCount>> count_parameters(const Model& model);
Result<std::int64_t> count_all_parameters(const Model& model);

std::string_view to_string(Activation activation);
std::string_view to_string(Head head);

}  // namespace joulecast

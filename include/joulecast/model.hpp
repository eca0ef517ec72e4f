// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is the model? An architecture as plain data: blocks in the order data flows through them.
// It knows nothing of batches, hardware or file formats. Sizes carry Hugging Face's names.
//
// Readers check what they read, so that a `Model` returned by them is sound: every size is at
// least 1, heads divide the hidden size, neighbouring blocks agree on their width.

#include <joulecast/error.hpp>
#include <joulecast/layers.hpp>
#include <joulecast/quantities.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace joulecast {

// How many positions of a sample a block works on: those of the training's sequences, those of its
// target sequences (the decoder of an encoder-decoder model), or as many as the model fixes, such
// as the patches of an image. An image has rows and columns.
struct Positions {
  enum class Kind { sequence, target, fixed };
  Kind kind = Kind::sequence;
  std::int64_t height = 1;  // of fixed positions
  std::int64_t width = 1;

  bool operator==(const Positions&) const = default;
};

inline constexpr Positions target_positions{Positions::Kind::target, 1, 1};
constexpr Positions fixed_positions(std::int64_t height, std::int64_t width = 1) {
  return {Positions::Kind::fixed, height, width};
}

// Token embedding, with learned positions and segment types where their sizes are above 0.
struct EmbeddingBlock {
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t max_position_embeddings = 0;  // 0: no learned positions
  std::int64_t type_vocab_size = 0;          // 0: no segment types
  bool layer_norm = false;
  bool dropout = false;
  bool tied_embedding = false;  // the token table is that of another embedding
  bool scaled = false;          // the sum is multiplied by a constant, as sqrt(hidden_size)
};

// Patches of an image as tokens: a convolution whose stride is its kernel, learned tokens in front,
// learned positions. ViT, arXiv:2010.11929.
struct PatchEmbeddingBlock {
  std::int64_t image_height = 0;
  std::int64_t image_width = 0;
  std::int64_t num_channels = 0;
  std::int64_t patch_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_special_tokens = 0;  // a class token, and a distillation token
  bool position_embeddings = false;
  bool bias = true;
  bool layer_norm = false;
  bool dropout = false;
};

// Positions added to what a block without tokens gives.
struct PositionEmbeddingBlock {
  std::int64_t num_positions = 0;
  std::int64_t hidden_size = 0;
  bool trainable = true;
};

// Where the sublayers of a layer are normalised and how they follow each other. Before or behind
// the sublayer makes no difference to any count.
enum class LayerLayout {
  sequential,            // one normalisation per sublayer
  sandwich,              // one before and one behind each sublayer: Gemma 2
  parallel,              // attention and feed-forward of the same input, each normalised
  parallel_shared_norm,  // the same, normalised once
};

// Attention to another stack's output.
struct CrossAttention {
  Attention attention{};
  Positions source{};  // of that output
};

// Identical Transformer layers: self-attention, optional cross-attention, feed-forward.
// Source: Vaswani et al. 2017, arXiv:1706.03762, sections 3.1 to 3.3. Layers of two kinds that take
// turns are two blocks, each with the number of its layers.
struct TransformerBlock {
  std::int64_t num_hidden_layers = 0;
  std::int64_t hidden_size = 0;
  Attention attention{};
  std::optional<CrossAttention> cross_attention{};
  FeedForward feed_forward{};
  Normalization norm{};
  LayerLayout layout = LayerLayout::sequential;
  bool final_norm = false;  // one more normalisation after the last layer
  bool hidden_dropout = false;
  // Layers that own parameters, where others share them: ALBERT, arXiv:1909.11942.
  std::optional<std::int64_t> num_distinct_layers{};
};

// Identical selective state-space layers: Mamba, arXiv:2312.00752, section 3.4. The scan is run
// step by step, as transformers runs it without fused kernels.
struct MambaBlock {
  std::int64_t num_hidden_layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t state_size = 0;
  std::int64_t conv_kernel = 0;
  std::int64_t time_step_rank = 0;
  bool bias = false;  // of the projections in and out
  bool conv_bias = true;
  Activation activation = Activation::silu;
  bool final_norm = false;
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

// Convolutions one after the other, `repeats` times, optionally around a residual connection, and
// behind them a feed-forward network on every position (ConvNeXt, arXiv:2201.03545). The block's
// positions are those of its input.
struct ConvolutionBlock {
  std::int64_t repeats = 1;
  std::vector<ConvolutionLayer> layers{};
  bool residual = false;
  std::optional<ConvolutionLayer> shortcut{};  // on the residual connection
  std::optional<FeedForward> feed_forward{};
  bool layer_scale = false;           // a learned factor per channel before the residual is added
  bool reads_data = false;            // no gradient of its input is needed
  bool activation_after_sum = false;  // ResNet's, behind the residual
  Activation activation = Activation::relu;
};

// Pooling over windows of kernel_size x kernel_size positions, or of all where it is 0.
struct PoolingBlock {
  enum class Kind { maximum, average };
  Kind kind = Kind::maximum;
  std::int64_t channels = 0;
  std::int64_t kernel_size = 0;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
};

// One linear layer on every position, or on the first token alone (a pooler).
struct DenseBlock {
  std::int64_t input_size = 0;
  std::int64_t output_size = 0;
  std::optional<Activation> activation{};
  bool first_token_only = false;
  bool bias = true;
};

struct NormalizationBlock {
  std::int64_t hidden_size = 0;
  Normalization norm{};
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
  bool logit_softcap = false;  // tanh that bounds the scores: Gemma 2
};

// Scores over labels, with the cross-entropy loss that trains them: one set per sample, from the
// first token, or one per position (ELECTRA's one label says whether a token was replaced).
struct ClassifierBlock {
  std::int64_t hidden_size = 0;
  std::int64_t num_labels = 0;
  bool per_position = false;
  bool bias = true;
};

// Scores of each sample's first vector against the other tower's of the whole batch, and their
// loss in both directions: CLIP, arXiv:2103.00020. One parameter scales them.
struct ContrastiveHeadBlock {
  std::int64_t projection_dim = 0;
};

using BlockShape =
    std::variant<EmbeddingBlock, PatchEmbeddingBlock, PositionEmbeddingBlock, TransformerBlock,
                 MambaBlock, RecurrentBlock, ConvolutionBlock, PoolingBlock, DenseBlock,
                 NormalizationBlock, LanguageModelHeadBlock, ClassifierBlock, ContrastiveHeadBlock>;

struct Block {
  std::string name{};  // unique in the model, e.g. "encoder"
  BlockShape shape{};
  Positions positions{};
};

struct ParameterCount {
  std::string name{};
  std::int64_t count = 0;
  std::int64_t frozen = 0;  // of these, those that training leaves as they are

  bool operator==(const ParameterCount&) const = default;
};

struct Model {
  std::string name{};
  std::string family{};  // config.json's model_type, or "custom" for hand-written files
  std::vector<Block> blocks{};
  // Longest sequence the positions allow; absent where the architecture sets no bound.
  std::optional<std::int64_t> max_sequence_length{};
  // Counts of well-known variants of the same architecture, e.g. BERT with pooler.
  std::vector<ParameterCount> parameter_variants{};
  std::vector<Warning> warnings{};
  std::string file{};
  std::string sha256{};  // of the file's bytes
};

// Which of the training's lengths the model works on. Neither, where it fixes its positions itself.
struct SequenceUse {
  bool sequence = false;
  bool target = false;  // sequences of its own for a decoder
};
SequenceUse sequences_of(const Model& model);

// Which head stands on top of the body.
enum class Head { from_config, none, pooler, masked_lm, causal_lm, discriminator, classifier };

struct ReadModelOptions {
  Head head = Head::from_config;
};

// Reads a Hugging Face config.json (or a directory that holds one) or a hand-written .toml file.
// Errors: not_found, io, syntax, schema, value, unsupported, overflow.
Result<Model> read_model(const std::filesystem::path& path, const ReadModelOptions& options = {});

// The same from text; `file` names it in errors and decides by its ending between JSON and TOML.
Result<Model> parse_model(std::string_view text, const std::string& file,
                          const ReadModelOptions& options = {});

// Parameters of each block, biases included, shared ones where they first occur. Errors: overflow.
Result<std::vector<ParameterCount>> count_parameters(const Model& model);
Result<std::int64_t> count_all_parameters(const Model& model);
Result<std::int64_t> count_trainable_parameters(const Model& model);

// A weight or bias as transformers 5 and PyTorch hold it: `copies` tensors of `matrices` matrices
// of rows x columns (leading dimensions multiplied), or vectors of `rows` numbers where `columns`
// is 0.
struct ParameterShape {
  std::int64_t matrices = 1;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t copies = 1;

  bool operator==(const ParameterShape&) const = default;
};

// Numbers in one such tensor.
Count numbers_in(const ParameterShape& shape);

// The tensors that training changes; their numbers add up to the count of trainable parameters.
// Errors: overflow.
Result<std::vector<ParameterShape>> list_trainable_tensors(const Model& model);

// Of the parameters, those that one token passes through: of a mixture the chosen and the shared
// experts alone. Embedding tables count in full. Errors: overflow.
Result<std::int64_t> count_active_parameters(const Model& model);

// Sizes that follow from what an attention states: the width of a head's queries and keys, and of
// its values; the heads that own keys and values.
std::int64_t query_head_dim(const Attention& attention, std::int64_t hidden_size);
std::int64_t value_head_dim(const Attention& attention, std::int64_t hidden_size);
std::int64_t key_value_heads(const Attention& attention);

std::string_view to_string(Activation activation);
std::string_view to_string(Head head);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Hand-written models: a name and blocks in the order data flows. Strict: a key that nothing
// reads is an error, and neighbouring blocks must agree on their width.
#include "readers/image.hpp"
#include "readers/toml_blocks.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

enum class Kind : std::size_t {
  embedding,
  transformer_encoder,
  transformer_decoder,
  lstm,
  gru,
  dense,
  mlp,
  patch_embedding,
  convolution,
  pooling,
  flatten,
  normalization,
  classifier,
  language_model_head,
  count
};

constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::count)> block_kinds = {
    "embedding",
    "transformer_encoder",
    "transformer_decoder",
    "lstm",
    "gru",
    "dense",
    "mlp",
    "patch_embedding",
    "convolution",
    "pooling",
    "flatten",
    "normalization",
    "classifier",
    "language_model_head"};

EmbeddingBlock read_embedding(ObjectReader& reader) {
  EmbeddingBlock block;
  block.vocab_size = reader.size("vocab_size");
  block.hidden_size = reader.size("hidden_size");
  if (reader.has("max_position_embeddings")) {
    block.max_position_embeddings = reader.size("max_position_embeddings");
  }
  if (reader.has("type_vocab_size")) block.type_vocab_size = reader.size("type_vocab_size");
  block.layer_norm = reader.boolean_or("layer_norm", false);
  block.dropout = read_dropout(reader, "dropout", 0.0) > 0.0;
  return block;
}

RecurrentBlock read_recurrent(ObjectReader& reader, RecurrentBlock::Cell cell) {
  RecurrentBlock block;
  block.cell = cell;
  block.num_layers = reader.size("num_layers");
  block.input_size = reader.size("input_size");
  block.hidden_size = reader.size("hidden_size");
  block.bidirectional = reader.boolean_or("bidirectional", false);
  return block;
}

DenseBlock read_dense(ObjectReader& reader) {
  DenseBlock block;
  block.input_size = reader.size("input_size");
  block.output_size = reader.size("output_size");
  if (reader.has("activation")) block.activation = read_activation(reader, "activation", "gelu");
  block.first_token_only = reader.boolean_or("first_token_only", false);
  block.bias = reader.boolean_or("bias", true);
  return block;
}

NormalizationBlock read_normalization(ObjectReader& reader) {
  NormalizationBlock block;
  block.hidden_size = reader.size("hidden_size");
  constexpr std::array<std::string_view, 2> types = {"layer_norm", "rms_norm"};
  if (reader.choice("type", types) == 1) block.norm = rms_norm;
  return block;
}

ClassifierBlock read_classifier(ObjectReader& reader) {
  ClassifierBlock block;
  block.hidden_size = reader.size("hidden_size");
  block.num_labels = reader.size("num_labels");
  block.per_position = reader.boolean_or("per_position", false);
  block.bias = reader.boolean_or("bias", true);
  return block;
}

LanguageModelHeadBlock read_head(ObjectReader& reader) {
  LanguageModelHeadBlock block;
  block.hidden_size = reader.size("hidden_size");
  block.vocab_size = reader.size("vocab_size");
  block.tied_embedding = reader.boolean_or("tied_embedding", false);
  block.bias = reader.boolean_or("bias", false);
  block.transform = reader.boolean_or("transform", false);
  block.transform_activation = read_activation(reader, "transform_activation", "gelu");
  return block;
}

// The blocks that one table stands for. Those that move positions change the flow.
std::vector<BlockShape> read_shapes(ObjectReader& reader, Kind kind, Flow& flow) {
  switch (kind) {
    case Kind::embedding: return {read_embedding(reader)};
    case Kind::transformer_encoder: return {read_toml_transformer(reader, false)};
    case Kind::transformer_decoder: return {read_toml_transformer(reader, true)};
    case Kind::lstm: return {read_recurrent(reader, RecurrentBlock::Cell::lstm)};
    case Kind::gru: return {read_recurrent(reader, RecurrentBlock::Cell::gru)};
    case Kind::dense: return {read_dense(reader)};
    case Kind::mlp: {
      const auto layers = read_toml_mlp(reader);
      return {layers.begin(), layers.end()};
    }
    case Kind::patch_embedding: return {read_toml_patches(reader, flow)};
    case Kind::convolution: return {read_toml_convolution(reader, flow)};
    case Kind::pooling: return {read_toml_pooling(reader, flow)};
    case Kind::flatten: flatten(reader, flow); return {};
    case Kind::normalization: return {read_normalization(reader)};
    case Kind::classifier: return {read_classifier(reader)};
    case Kind::language_model_head:
    case Kind::count: break;
  }
  return {read_head(reader)};
}

struct Width {
  std::string_view key;
  std::int64_t value;
};

// What a block reads per position; an embedding reads token numbers and fits anything.
std::optional<Width> input_width(const BlockShape& shape) {
  if (const auto* block = std::get_if<TransformerBlock>(&shape)) {
    return Width{"hidden_size", block->hidden_size};
  }
  if (const auto* block = std::get_if<RecurrentBlock>(&shape)) {
    return Width{"input_size", block->input_size};
  }
  if (const auto* block = std::get_if<DenseBlock>(&shape)) {
    return Width{"input_size", block->input_size};
  }
  if (const auto* block = std::get_if<NormalizationBlock>(&shape)) {
    return Width{"hidden_size", block->hidden_size};
  }
  if (const auto* block = std::get_if<ClassifierBlock>(&shape)) {
    return Width{"hidden_size", block->hidden_size};
  }
  if (const auto* block = std::get_if<LanguageModelHeadBlock>(&shape)) {
    return Width{"hidden_size", block->hidden_size};
  }
  return std::nullopt;  // convolutions and pooling have checked it themselves
}

// What a block gives per position, where reading it has not changed the flow already.
std::optional<std::int64_t> output_width(const BlockShape& shape) {
  if (const auto* block = std::get_if<EmbeddingBlock>(&shape)) return block->hidden_size;
  if (const auto* block = std::get_if<TransformerBlock>(&shape)) return block->hidden_size;
  if (const auto* block = std::get_if<RecurrentBlock>(&shape)) {
    return block->hidden_size * (block->bidirectional ? 2 : 1);
  }
  if (const auto* block = std::get_if<DenseBlock>(&shape)) return block->output_size;
  if (const auto* block = std::get_if<ClassifierBlock>(&shape)) return block->num_labels;
  if (const auto* block = std::get_if<LanguageModelHeadBlock>(&shape)) return block->vocab_size;
  return std::nullopt;
}

void check_neighbours(ObjectReader& reader, const Model& model, const Flow& flow,
                      const BlockShape& shape) {
  const std::optional<Width> width = input_width(shape);
  if (!width || !flow.width || width->value == *flow.width) return;
  const std::string before =
      model.blocks.empty() ? "the input"
                           : fmt::format("the block \"{}\" before it", model.blocks.back().name);
  reader.fail(width->key,
              fmt::format("{} = {}, but {} gives {} per position", width->key, width->value, before,
                          *flow.width),
              "make the two agree, or put a dense block between them");
}

// A head that shares the embedding's weight needs that embedding, of the same shape.
using EmbeddingSizes = std::set<std::pair<std::int64_t, std::int64_t>>;  // vocabulary, width

void check_tied(ObjectReader& reader, const EmbeddingSizes& embeddings, const BlockShape& shape) {
  const auto* head = std::get_if<LanguageModelHeadBlock>(&shape);
  if (head == nullptr || !head->tied_embedding) return;
  if (embeddings.contains({head->vocab_size, head->hidden_size})) return;
  reader.fail("tied_embedding", "no embedding block of the same vocab_size and hidden_size exists",
              "add the embedding, or leave tied_embedding out");
}

Flow read_flow(ObjectReader& reader, Model& model) {
  Flow flow;
  if (reader.has("image_size")) {
    const ImageSizes image = read_image(reader, model, 0, 0);
    flow = {.positions = fixed_positions(image.height, image.width),
            .width = image.channels,
            .num_channels = image.channels,
            .is_image = true};
  }
  if (!reader.has("num_positions")) return flow;
  if (flow.is_image) {
    reader.fail("num_positions", "contradicts image_size, which fixes the positions",
                "leave one of them out");
  }
  flow.positions = fixed_positions(reader.size("num_positions"));
  return flow;
}

// Names blocks, checks that they fit each other and adds them.
class ModelBuilder {
 public:
  explicit ModelBuilder(Model& model, Flow flow) : model_(model), flow_(flow) {}

  void add(ObjectReader& entry) {
    const auto kind = static_cast<Kind>(entry.choice("kind", block_kinds));
    const std::string stated = entry.text_or("name", "");
    if (entry.error()) return;
    Positions positions = flow_.positions;
    const std::vector<BlockShape> shapes = read_shapes(entry, kind, flow_);
    if (kind == Kind::patch_embedding) positions = flow_.positions;
    entry.refuse_unknown_keys();
    for (std::size_t i = 0; i < shapes.size() && !entry.error(); ++i) {
      std::string name(stated.empty() ? block_kinds[static_cast<std::size_t>(kind)] : stated);
      if (shapes.size() > 1) name += fmt::format("_{}", i + 1);
      add_block(entry, {std::move(name), shapes[i], positions}, stated.empty());
    }
    flow_.is_input = false;
  }

 private:
  void add_block(ObjectReader& entry, Block block, bool unnamed) {
    // Unnamed blocks of one kind are told apart by their place.
    if (unnamed && names_.contains(block.name)) {
      block.name = fmt::format("{}_{}", block.name, model_.blocks.size() + 1);
    }
    if (!names_.insert(block.name).second) {
      entry.fail("name", fmt::format("two blocks are named \"{}\"", block.name),
                 "give each block its own name");
    }
    check_neighbours(entry, model_, flow_, block.shape);
    check_tied(entry, embeddings_, block.shape);
    if (entry.error()) return;
    if (const auto width = output_width(block.shape)) flow_.width = width;
    if (const auto* embedding = std::get_if<EmbeddingBlock>(&block.shape)) note(*embedding);
    model_.blocks.push_back(std::move(block));
  }

  void note(const EmbeddingBlock& embedding) {
    embeddings_.insert({embedding.vocab_size, embedding.hidden_size});
    if (embedding.max_position_embeddings == 0) return;
    // The embedding with the fewest positions bounds all.
    model_.max_sequence_length =
        std::min(model_.max_sequence_length.value_or(embedding.max_position_embeddings),
                 embedding.max_position_embeddings);
  }

  Model& model_;
  Flow flow_;
  std::set<std::string> names_{};
  EmbeddingSizes embeddings_{};
};

}  // namespace

Result<Model> read_model_toml(const Value& document, const std::string& file) {
  ObjectReader reader(document, file);
  Model model;
  model.family = "custom";
  model.name = reader.text_or("name", "");
  ModelBuilder builder(model, read_flow(reader, model));
  if (reader.error()) return std::unexpected(*reader.error());
  for (ObjectReader& entry : reader.children("block")) {
    builder.add(entry);
    if (entry.error()) return std::unexpected(*entry.error());
  }
  if (model.blocks.empty()) {
    reader.fail("block", "the model has no blocks",
                "add tables such as [[block]] with kind = \"transformer_encoder\"",
                ErrorKind::schema);
  }
  reader.refuse_unknown_keys();
  if (reader.error()) return std::unexpected(*reader.error());
  return model;
}

}  // namespace joulecast

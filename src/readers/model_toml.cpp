// SPDX-License-Identifier: Apache-2.0
// Hand-written models: a name and blocks in the order data flows. Strict: a key that nothing
// reads is an error, and neighbouring blocks must agree on their width.
#include "readers/readers.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr std::array<std::string_view, 7> block_kinds = {
    "embedding", "transformer_encoder", "transformer_decoder", "lstm", "gru",
    "dense",     "language_model_head"};

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

TransformerBlock read_transformer(ObjectReader& reader, bool decoder) {
  TransformerBlock block;
  block.num_hidden_layers = reader.size("num_hidden_layers");
  block.hidden_size = reader.size("hidden_size");
  block.attention.causal = decoder;
  block.attention.num_attention_heads = reader.size("num_attention_heads");
  block.feed_forward.intermediate_size = reader.size("intermediate_size");
  block.feed_forward.activation = read_activation(reader, "activation", "gelu");
  block.final_norm = reader.boolean_or("final_layer_norm", false);
  block.attention.dropout = read_flag(reader, "attention_dropout", 0.0);
  block.hidden_dropout = read_flag(reader, "hidden_dropout", 0.0);
  check_heads(reader, "num_attention_heads", block.attention.num_attention_heads, "hidden_size",
              block.hidden_size);
  if (decoder && reader.boolean_or("cross_attention", false)) {
    block.cross_attention = CrossAttention{.attention = block.attention};
    block.cross_attention->attention.causal = false;
  }
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

BlockShape read_shape(ObjectReader& reader, std::size_t kind) {
  switch (kind) {
    case 0: return read_embedding(reader);
    case 1: return read_transformer(reader, false);
    case 2: return read_transformer(reader, true);
    case 3: return read_recurrent(reader, RecurrentBlock::Cell::lstm);
    case 4: return read_recurrent(reader, RecurrentBlock::Cell::gru);
    case 5: return read_dense(reader);
    default: return read_head(reader);
  }
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
  if (const auto* block = std::get_if<LanguageModelHeadBlock>(&shape)) {
    return Width{"hidden_size", block->hidden_size};
  }
  return std::nullopt;
}

std::int64_t output_width(const BlockShape& shape) {
  if (const auto* block = std::get_if<EmbeddingBlock>(&shape)) return block->hidden_size;
  if (const auto* block = std::get_if<TransformerBlock>(&shape)) return block->hidden_size;
  if (const auto* block = std::get_if<RecurrentBlock>(&shape)) {
    return block->hidden_size * (block->bidirectional ? 2 : 1);
  }
  if (const auto* block = std::get_if<DenseBlock>(&shape)) return block->output_size;
  return std::get<LanguageModelHeadBlock>(shape).vocab_size;
}

void check_neighbours(ObjectReader& reader, const Block& before, const Block& block) {
  const std::optional<Width> width = input_width(block.shape);
  const std::int64_t given = output_width(before.shape);
  if (!width || width->value == given) return;
  reader.fail(width->key,
              fmt::format("{} = {}, but the block \"{}\" before it gives {} per position",
                          width->key, width->value, before.name, given),
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

}  // namespace

Result<Model> read_model_toml(const Value& document, const std::string& file) {
  ObjectReader reader(document, file);
  Model model;
  model.family = "custom";
  model.name = reader.text_or("name", "");
  std::set<std::string> names;
  EmbeddingSizes embeddings;
  for (ObjectReader& entry : reader.children("block")) {
    const std::size_t kind = entry.choice("kind", block_kinds);
    Block block;
    block.name = entry.text_or("name", entry.error() ? "" : block_kinds[kind]);
    block.shape = entry.error() ? BlockShape{} : read_shape(entry, kind);
    entry.refuse_unknown_keys();
    // Unnamed blocks of one kind are told apart by their place.
    if (!entry.has("name") && names.contains(block.name)) {
      block.name = fmt::format("{}_{}", block.name, model.blocks.size() + 1);
    }
    if (!entry.error() && !names.insert(block.name).second) {
      entry.fail("name", fmt::format("two blocks are named \"{}\"", block.name),
                 "give each block its own name");
    }
    if (!entry.error() && !model.blocks.empty()) {
      check_neighbours(entry, model.blocks.back(), block);
    }
    if (!entry.error()) check_tied(entry, embeddings, block.shape);
    if (entry.error()) return std::unexpected(*entry.error());
    if (const auto* embedding = std::get_if<EmbeddingBlock>(&block.shape)) {
      embeddings.insert({embedding->vocab_size, embedding->hidden_size});
      if (embedding->max_position_embeddings > 0) {
        // The embedding with the fewest positions bounds all.
        model.max_sequence_length =
            std::min(model.max_sequence_length.value_or(embedding->max_position_embeddings),
                     embedding->max_position_embeddings);
      }
    }
    model.blocks.push_back(std::move(block));
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

// SPDX-License-Identifier: Apache-2.0
#include "operations/blocks.hpp"

#include <initializer_list>
#include <optional>

#include <fmt/format.h>

namespace joulecast {
namespace {

struct Size {
  const char* name;
  std::int64_t value;
  std::int64_t least = 1;
};

std::optional<std::string> find_bad_size(std::initializer_list<Size> sizes) {
  for (const Size& size : sizes) {
    if (size.value >= size.least) continue;
    return fmt::format("{} must be at least {}, is {}", size.name, size.least, size.value);
  }
  return std::nullopt;
}

std::optional<std::string> find_fault(const EmbeddingBlock& block, Convention) {
  return find_bad_size({{"vocab_size", block.vocab_size},
                        {"hidden_size", block.hidden_size},
                        {"max_position_embeddings", block.max_position_embeddings, 0},
                        {"type_vocab_size", block.type_vocab_size, 0}});
}

std::optional<std::string> find_fault(const TransformerBlock& block, Convention convention) {
  auto bad = find_bad_size({{"num_hidden_layers", block.num_hidden_layers},
                            {"hidden_size", block.hidden_size},
                            {"num_attention_heads", block.num_attention_heads},
                            {"intermediate_size", block.intermediate_size}});
  if (bad) return bad;
  const bool cut =
      convention == Convention::ecai2025 && block.num_attention_heads <= block.hidden_size;
  if (cut || block.hidden_size % block.num_attention_heads == 0) return std::nullopt;
  return fmt::format("{} heads do not divide hidden_size = {}", block.num_attention_heads,
                     block.hidden_size);
}

std::optional<std::string> find_fault(const RecurrentBlock& block, Convention) {
  return find_bad_size({{"num_layers", block.num_layers},
                        {"input_size", block.input_size},
                        {"hidden_size", block.hidden_size}});
}

std::optional<std::string> find_fault(const DenseBlock& block, Convention) {
  return find_bad_size({{"input_size", block.input_size}, {"output_size", block.output_size}});
}

std::optional<std::string> find_fault(const LanguageModelHeadBlock& block, Convention) {
  return find_bad_size({{"hidden_size", block.hidden_size}, {"vocab_size", block.vocab_size}});
}

std::unexpected<Error> fault(const Model& model, std::string path, std::string message) {
  return std::unexpected(Error{ErrorKind::value, std::move(message),
                               Location{.file = model.file, .path = std::move(path)},
                               "give the model's real sizes"});
}

}  // namespace

Result<void> check_model(const Model& model, Convention convention) {
  if (model.blocks.empty()) return fault(model, "blocks", "the model has no blocks");
  for (const Block& block : model.blocks) {
    auto bad =
        std::visit([&](const auto& shape) { return find_fault(shape, convention); }, block.shape);
    if (bad) return fault(model, block.name, std::move(*bad));
  }
  return {};
}

}  // namespace joulecast

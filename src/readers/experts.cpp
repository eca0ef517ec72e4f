// SPDX-License-Identifier: Apache-2.0
#include "readers/readers.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace joulecast {

MixtureOfExperts read_experts(ObjectReader& reader, Model& model, const ExpertKeys& keys,
                              std::int64_t experts, std::optional<std::int64_t> per_token) {
  MixtureOfExperts mixture;
  mixture.num_experts = size_or_default(reader, model, keys.experts, experts);
  mixture.num_experts_per_tok = per_token
                                    ? size_or_default(reader, model, keys.per_token, *per_token)
                                    : reader.size(keys.per_token);
  if (mixture.num_experts_per_tok > mixture.num_experts) {
    reader.fail(keys.per_token,
                fmt::format("{} experts per token, but {} = {}", mixture.num_experts_per_tok,
                            keys.experts, mixture.num_experts),
                fmt::format("choose {} of at most {}", keys.per_token, keys.experts));
  }
  return mixture;
}

std::vector<std::size_t> read_sparse_layers(ObjectReader& reader, std::int64_t layers) {
  const std::int64_t step = reader.size_or("decoder_sparse_step", 1);
  const std::vector<std::int64_t> dense = reader.sizes("mlp_only_layers", 0);
  std::vector<std::size_t> sparse;
  if (!check_layers(reader, "num_hidden_layers", layers)) return sparse;
  for (std::int64_t i = 0; i < layers; ++i) {
    const bool is_dense = std::ranges::find(dense, i) != dense.end();
    sparse.push_back(!is_dense && (i + 1) % step == 0 ? 1 : 0);
  }
  return sparse;
}

}  // namespace joulecast

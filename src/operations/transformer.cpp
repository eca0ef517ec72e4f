// SPDX-License-Identifier: Apache-2.0
// Transformer layers: Vaswani et al. 2017, arXiv:1706.03762, sections 3.1 to 3.3. Sublayers are in
// attention.cpp and feed_forward.cpp; here are what joins them.
#include "operations/blocks.hpp"
#include "operations/element_costs.hpp"
#include "operations/sublayers.hpp"

namespace joulecast {
namespace {

// What every sublayer ends with. `what` is its name.
void emit_sublayer_end(Emitter& emitter, const TransformerBlock& block, const std::string& what,
                       std::string_view dropout) {
  const Count rows = emitter.rows();
  const LayerSizes size{block.num_hidden_layers, block.hidden_size};
  if (block.hidden_dropout) {
    emit_dropout(emitter, dropout, rows, size.hidden, size.layers);
  }
  if (block.layout == LayerLayout::sandwich) {
    emit_normalization(emitter, what + "_output", block.norm, rows, size);
  }
  emit_residual(emitter, what + "_residual", rows, size.hidden, size.layers);
  const bool shared = block.layout == LayerLayout::parallel_shared_norm && what == "feed_forward";
  if (!shared) emit_normalization(emitter, what, block.norm, rows, size);
}

}  // namespace

void emit_block(Emitter& emitter, const TransformerBlock& block) {
  const LayerSizes size{block.num_hidden_layers, block.hidden_size};
  emit_shared_positions(emitter, block.attention, block.hidden_size);
  emit_attention(emitter, block.attention, size, {"", emitter.extent()});
  emit_sublayer_end(emitter, block, "attention", "attention_hidden_dropout");
  if (block.cross_attention) {
    const Extent source = emitter.extent_of(block.cross_attention->source);
    emit_attention(emitter, block.cross_attention->attention, size, {"cross_", source});
    emit_sublayer_end(emitter, block, "cross_attention", "cross_attention_hidden_dropout");
  }
  emit_feed_forward(emitter, block.feed_forward, size);
  emit_sublayer_end(emitter, block, "feed_forward", "feed_forward_dropout");
  if (block.final_norm) {
    emit_normalization(emitter, "final", block.norm, emitter.rows(), {1, block.hidden_size});
  }
}

}  // namespace joulecast

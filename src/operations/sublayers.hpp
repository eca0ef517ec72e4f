// SPDX-License-Identifier: Apache-2.0
#pragma once

// The parts of a Transformer layer, each emitted for all layers of a block at once.

#include "operations/emitter.hpp"

#include <string>

namespace joulecast {

struct LayerSizes {
  Count layers = 1;
  std::int64_t hidden = 0;
};

// "" for self-attention, "cross_" for attention to another stack.
struct AttentionRole {
  std::string prefix{};
  // Positions of the keys and values.
  Extent source{};
};

void emit_attention(Emitter& emitter, const Attention& attention, const LayerSizes& size,
                    const AttentionRole& role);

// What the scores of all layers share, once a step.
void emit_shared_positions(Emitter& emitter, const Attention& attention, std::int64_t hidden);

void emit_feed_forward(Emitter& emitter, const FeedForward& layer, const LayerSizes& size);

// One normalisation of every row, with its kind as the last words of its name.
void emit_normalization(Emitter& emitter, const std::string& what, const Normalization& norm,
                        Count rows, const LayerSizes& size);

// An elementwise operation over `width` values of every row.
void emit_rows(Emitter& emitter, std::string_view name, Count rows, std::int64_t width,
               ElementCosts costs, Count executions,
               ValueWidth width_of_values = ValueWidth::activations);

// An activation function, which may be several kernels.
void emit_activation(Emitter& emitter, std::string_view name, Count rows, std::int64_t width,
                     Activation activation, Count executions);

// Dropout and the sum with a residual: kernels of their own, or part of their neighbours'.
void emit_dropout(Emitter& emitter, std::string_view name, Count rows, std::int64_t width,
                  Count executions);
void emit_residual(Emitter& emitter, std::string_view name, Count rows, std::int64_t width,
                   Count executions);

}  // namespace joulecast

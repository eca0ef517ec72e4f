// SPDX-License-Identifier: Apache-2.0
// An independent count of every matrix product: the models written out as plain loops over
// scalars, in which each multiply-add counts itself. Nothing here knows the shape of a product or
// of a gradient: the chain rule gives y += a b the two gradients da += dy b and db += dy a.
#include "tiny_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

namespace joulecast {
namespace {

struct PhaseFlops {
  std::int64_t forward = 0;
  std::int64_t backward_input = 0;
  std::int64_t backward_weight = 0;
  bool operator==(const PhaseFlops&) const = default;
};

void PrintTo(const PhaseFlops& flops, std::ostream* out) {
  *out << flops.forward << " forward, " << flops.backward_input << " input gradient, "
       << flops.backward_weight << " weight gradient";
}

using Counts = std::map<std::string, PhaseFlops>;

class Loops {
 public:
  // y += x w for an activation x and a weight w.
  void weigh(const std::string& name) {
    counts_[name].forward += 2;
    counts_[name].backward_input += 2;
    counts_[name].backward_weight += 2;
  }
  // y += a b for two activations.
  void multiply(const std::string& name) {
    counts_[name].forward += 2;
    counts_[name].backward_input += 4;
  }
  // One position through a linear layer.
  void linear(const std::string& name, std::int64_t inputs, std::int64_t outputs) {
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::int64_t i = 0; i < inputs; ++i) weigh(name);
    }
  }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  Counts counts_;
};

struct Tiny {
  std::int64_t batch = 2, length = 3, width = 4, heads = 2, inner = 5, layers = 2, vocab = 7;
};

// Every query position of every head meets every key position.
void attend(Loops& loops, const Tiny& t, const std::string& prefix) {
  const std::int64_t head_width = t.width / t.heads;
  for (std::int64_t head = 0; head < t.heads; ++head) {
    for (std::int64_t query = 0; query < t.length; ++query) {
      for (std::int64_t key = 0; key < t.length; ++key) {
        for (std::int64_t e = 0; e < head_width; ++e) {
          loops.multiply(prefix + "attention_scores");
          loops.multiply(prefix + "attention_values");
        }
      }
    }
  }
}

void transformer_layer(Loops& loops, const Tiny& t, bool cross) {
  for (std::int64_t sequence = 0; sequence < t.batch; ++sequence) {
    for (std::int64_t position = 0; position < t.length; ++position) {
      for (int part = 0; part < 3; ++part) loops.linear("qkv_projection", t.width, t.width);
      loops.linear("attention_output_projection", t.width, t.width);
      if (cross) {
        loops.linear("cross_query_projection", t.width, t.width);
        for (int part = 0; part < 2; ++part) {
          loops.linear("cross_key_value_projection", t.width, t.width);
        }
        loops.linear("cross_attention_output_projection", t.width, t.width);
      }
      loops.linear("feed_forward_up", t.width, t.inner);
      loops.linear("feed_forward_down", t.inner, t.width);
    }
    attend(loops, t, "");
    if (cross) attend(loops, t, "cross_");
  }
}

TransformerBlock block_of(const Tiny& t) {
  return {.num_hidden_layers = t.layers,
          .hidden_size = t.width,
          .attention = {.num_attention_heads = t.heads},
          .feed_forward = {.intermediate_size = t.inner}};
}

// All matrix products of a step, summed over executions.
Counts listed(const Model& model, const Tiny& t) {
  Counts counts;
  const TrainingSetup setup{.batch_size = t.batch, .sequence_length = t.length};
  for (const Operation& operation : operations_of(model, setup)) {
    if (operation.kind != OperationKind::matmul) continue;
    PhaseFlops& entry = counts[operation.name];
    const std::int64_t flops = operation.flops * operation.count;
    if (operation.phase == Phase::forward) entry.forward += flops;
    if (operation.phase == Phase::backward_input) entry.backward_input += flops;
    if (operation.phase == Phase::backward_weight) entry.backward_weight += flops;
  }
  return counts;
}

TEST(LoopCount, OfAWholeBertWithPoolerAndMaskedLanguageModelHead) {
  const Tiny t;
  Loops loops;
  for (std::int64_t layer = 0; layer < t.layers; ++layer) transformer_layer(loops, t, false);
  for (std::int64_t sequence = 0; sequence < t.batch; ++sequence) {
    loops.linear("dense", t.width, t.width);  // the first token of the sequence
    for (std::int64_t position = 0; position < t.length; ++position) {
      loops.linear("head_transform", t.width, t.width);
      loops.linear("language_model_head", t.width, t.vocab);
    }
  }
  Model bert = model_of(block_of(t));
  bert.blocks.push_back({"pooler", DenseBlock{.input_size = t.width,
                                              .output_size = t.width,
                                              .activation = Activation::tanh,
                                              .first_token_only = true}});
  bert.blocks.push_back({"head", LanguageModelHeadBlock{.hidden_size = t.width,
                                                        .vocab_size = t.vocab,
                                                        .tied_embedding = true,
                                                        .transform = true}});
  EXPECT_EQ(listed(bert, t), loops.counts());
}

TEST(LoopCount, OfAWholeGpt) {
  const Tiny t{.batch = 3, .length = 5, .width = 6, .heads = 3, .inner = 7, .layers = 3};
  Loops loops;
  for (std::int64_t layer = 0; layer < t.layers; ++layer) transformer_layer(loops, t, false);
  for (std::int64_t row = 0; row < t.batch * t.length; ++row) {
    loops.linear("language_model_head", t.width, t.vocab);
  }
  TransformerBlock decoder = block_of(t);
  decoder.attention.causal = true;
  Model gpt{.name = "gpt"};
  gpt.blocks = {{"embedding", EmbeddingBlock{.vocab_size = t.vocab, .hidden_size = t.width}},
                {"decoder", decoder},
                {"head", LanguageModelHeadBlock{.hidden_size = t.width, .vocab_size = t.vocab}}};
  EXPECT_EQ(listed(gpt, t), loops.counts());
}

TEST(LoopCount, OfAnEncoderWithADecoderThatAttendsToIt) {
  const Tiny t;
  Loops loops;
  for (std::int64_t layer = 0; layer < t.layers; ++layer) {
    transformer_layer(loops, t, false);
    transformer_layer(loops, t, true);
  }
  Model model{.name = "pair"};
  TransformerBlock decoder = block_of(t);
  decoder.attention.causal = true;
  decoder.cross_attention = CrossAttention{.attention = decoder.attention};
  model.blocks = {{"encoder", block_of(t)}, {"decoder", decoder}};
  EXPECT_EQ(listed(model, t), loops.counts());
}

// Gate by gate, step by step, direction by direction; layers above the first read what the layer
// below wrote in all directions.
Counts recurrent_loops(const RecurrentBlock& block, const Tiny& t) {
  Loops loops;
  const std::int64_t directions = block.bidirectional ? 2 : 1;
  const std::int64_t gates = block.cell == RecurrentBlock::Cell::lstm ? 4 : 3;
  std::int64_t inputs = block.input_size;
  for (std::int64_t layer = 0; layer < block.num_layers; ++layer) {
    for (std::int64_t run = 0; run < directions * t.batch * t.length; ++run) {
      for (std::int64_t gate = 0; gate < gates; ++gate) {
        loops.linear("input_gates", inputs, block.hidden_size);
        loops.linear("hidden_gates", block.hidden_size, block.hidden_size);
      }
    }
    inputs = directions * block.hidden_size;
  }
  return loops.counts();
}

TEST(LoopCount, OfRecurrentLayers) {
  const Tiny t;
  for (const auto cell : {RecurrentBlock::Cell::lstm, RecurrentBlock::Cell::gru}) {
    for (const std::int64_t layers : {1, 2, 3}) {
      for (const bool bidirectional : {false, true}) {
        const RecurrentBlock block = tiny_recurrent(cell, layers, bidirectional);
        EXPECT_EQ(listed(model_of(block), t), recurrent_loops(block, t))
            << layers << " layers, bidirectional " << bidirectional;
      }
    }
  }
}

}  // namespace
}  // namespace joulecast

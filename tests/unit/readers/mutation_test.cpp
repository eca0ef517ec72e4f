// SPDX-License-Identifier: Apache-2.0
// 20,000 broken inputs, the same in every run: each public reader gives either a value that keeps
// its promises or an error that says what is wrong and where, and never crashes.
#include "mutator.hpp"

#include "../documents/temporary_directory.hpp"
#include "configs.hpp"

#include <joulecast/device.hpp>
#include <joulecast/law.hpp>
#include <joulecast/operation.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>
#include <initializer_list>
#include <set>
#include <string>

namespace joulecast {
namespace {

constexpr std::int64_t largest_size = std::int64_t{1} << 40U;

// What `read` made of the mutated texts.
struct Tally {
  int accepted = 0;
  int refused = 0;
};

void expect_sound_error(const Error& error, const std::string& text) {
  EXPECT_FALSE(error.message.empty()) << text;
  EXPECT_FALSE(error.remedy.empty()) << error.message << "\n" << text;
  EXPECT_FALSE(error.where.file.empty()) << error.message << "\n" << text;
  EXPECT_LT(describe(error).size(), 4000U) << text;
  const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  EXPECT_GE(error.where.line, 0) << text;
  EXPECT_LE(error.where.line, lines + 1) << error.message << "\n" << text;
  EXPECT_GE(error.where.column, 0) << text;
}

void expect_sizes(std::initializer_list<std::int64_t> sizes) {
  for (const std::int64_t size : sizes) {
    EXPECT_GE(size, 1);
    EXPECT_LE(size, largest_size * 4);  // GPT-2's inner width is four times the accepted one
  }
}

void expect_sound(const EmbeddingBlock& block) {
  expect_sizes({block.vocab_size, block.hidden_size});
  EXPECT_GE(block.max_position_embeddings, 0);
  EXPECT_GE(block.type_vocab_size, 0);
}
void expect_sound(const TransformerBlock& block) {
  expect_sizes({block.num_hidden_layers, block.hidden_size, block.attention.num_attention_heads,
                block.feed_forward.intermediate_size});
  EXPECT_EQ(block.hidden_size % std::max<std::int64_t>(block.attention.num_attention_heads, 1), 0);
}
void expect_sound(const RecurrentBlock& block) {
  expect_sizes({block.num_layers, block.input_size, block.hidden_size});
}
void expect_sound(const DenseBlock& block) { expect_sizes({block.input_size, block.output_size}); }
void expect_sound(const LanguageModelHeadBlock& block) {
  expect_sizes({block.hidden_size, block.vocab_size});
}
// Whatever else a reader makes is sound where its operations can be listed or are too large.
template <class Other>
void expect_sound(const Other&) {}

void expect_sound_operations(const Model& model, const std::string& text) {
  const auto operations =
      list_operations(model, {.batch_size = 2, .sequence_length = 3, .precision = Precision::tf32});
  if (!operations) {
    expect_sound_error(operations.error(), text);
    return;
  }
  EXPECT_FALSE(operations->empty()) << text;
  for (const Operation& operation : *operations) {
    EXPECT_GE(operation.flops, 0) << text;
    EXPECT_GE(operation.bytes_moved, 1) << text;
    EXPECT_GE(operation.count, 1) << text;
  }
}

void expect_sound_model(const Model& model, const std::string& text) {
  EXPECT_FALSE(model.blocks.empty()) << text;
  EXPECT_FALSE(model.name.empty()) << text;
  std::set<std::string> names;
  for (const Block& block : model.blocks) {
    names.insert(block.name);
    std::visit([](const auto& shape) { expect_sound(shape); }, block.shape);
  }
  EXPECT_EQ(names.size(), model.blocks.size()) << text;
  if (const auto count = count_all_parameters(model)) {
    EXPECT_GE(*count, 1) << text;
  } else {
    EXPECT_EQ(count.error().kind, ErrorKind::overflow) << text;
    expect_sound_error(count.error(), text);
  }
  expect_sound_operations(model, text);
}

Tally mutate_models(const std::string& sound, const std::string& file, int times,
                    std::uint64_t seed) {
  Tally tally;
  Mutator mutator(seed);
  for (int i = 0; i < times && !testing::Test::HasFailure(); ++i) {
    const std::string text = mutator.mutate(sound);
    if (const auto model = parse_model(text, file)) {
      expect_sound_model(*model, text);
      ++tally.accepted;
    } else {
      expect_sound_error(model.error(), text);
      ++tally.refused;
    }
  }
  return tally;
}

// The mutations reach both sides: they neither break everything nor leave everything sound.
void expect_both(const Tally& tally, int times) {
  EXPECT_EQ(tally.accepted + tally.refused, times);
  EXPECT_GT(tally.accepted, times / 50);
  EXPECT_GT(tally.refused, times / 4);
}

TEST(MutatedInput, BertConfigsAreReadOrRefused) {
  expect_both(mutate_models(to_json(bert_base_config()), "m/config.json", 5700, 1), 5700);
}

TEST(MutatedInput, Gpt2ConfigsAreReadOrRefused) {
  expect_both(mutate_models(to_json(gpt2_config()), "m/config.json", 5700, 2), 5700);
}

TEST(MutatedInput, HandWrittenModelsAreReadOrRefused) {
  const std::string sound = R"(# every kind once
name = "mine"

[[block]]
kind = "embedding"
vocab_size = 100
hidden_size = 24
max_position_embeddings = 64
dropout = 0.1

[[block]]
kind = "transformer_encoder"
num_hidden_layers = 2
hidden_size = 24
num_attention_heads = 4
intermediate_size = 96
activation = "relu"

[[block]]
kind = "transformer_decoder"
name = "decoder"
num_hidden_layers = 1
hidden_size = 24
num_attention_heads = 3
intermediate_size = 48
cross_attention = true

[[block]]
kind = "gru"
num_layers = 1
input_size = 24
hidden_size = 12
bidirectional = true

[[block]]
kind = "lstm"
num_layers = 2
input_size = 24
hidden_size = 24

[[block]]
kind = "dense"
input_size = 24
output_size = 24

[[block]]
kind = "language_model_head"
hidden_size = 24
vocab_size = 100
tied_embedding = true
)";
  ASSERT_TRUE(parse_model(sound, "m.toml").has_value());
  expect_both(mutate_models(sound, "m.toml", 7000, 3), 7000);
}

void expect_sound_device(const Device& device, const std::string& text) {
  EXPECT_FALSE(device.id.empty()) << text;
  EXPECT_FALSE(device.peak_flops_per_second.empty()) << text;
  for (const auto& [precision, figure] : device.peak_flops_per_second) {
    EXPECT_TRUE(figure.value.value() >= 1e9 && figure.value.value() <= 1e18) << text;
  }
  const auto positive = [&](const auto& figure) {
    return !figure || (figure->value.value() > 0.0 && std::isfinite(figure->value.value()));
  };
  EXPECT_TRUE(positive(device.memory) && positive(device.memory_bandwidth) &&
              positive(device.thermal_design_power) && positive(device.l2_cache) &&
              positive(device.interconnect_bandwidth))
      << text;
}

TEST(MutatedInput, DeviceFilesAreReadOrRefused) {
  const std::string sound = R"(schema_version = 1

[[device]]
id = "capped"
extends = "a100-80gb-pcie"
thermal_design_power_watts = { value = 250, source = "nvidia-smi -pl 250" }

[[device]]
id = "mine"
name = "Mine 9"
aliases = ["m9"]
source = "our sheet"
memory_bytes = 96_000_000_000
memory_bandwidth_bytes_per_second = 3.0e12
thermal_design_power_watts = 500
[device.peak_flops_per_second]
fp32 = 60e12
bf16 = 480e12
)";
  constexpr int times = 400;  // each reads the shipped devices as well
  const TemporaryDirectory directory;
  Mutator mutator(4);
  Tally tally;
  for (int i = 0; i < times && !HasFailure(); ++i) {
    const std::string text = mutator.mutate(sound);
    const auto catalogue = load_devices({directory.write("devices.toml", text)});
    if (!catalogue) {
      expect_sound_error(catalogue.error(), text);
      ++tally.refused;
      continue;
    }
    ++tally.accepted;
    std::set<std::string> ids;
    for (const Device& device : catalogue->devices()) {
      ids.insert(device.id);
      expect_sound_device(device, text);
    }
    EXPECT_EQ(ids.size(), catalogue->devices().size()) << text;
  }
  expect_both(tally, times);
}

bool is_sound(const SaturationLaw& law) {
  return law.eta_max > 0.0 && law.eta_max <= 1.0 && law.saturation_rate > 0.0 &&
         law.saturation_exponent > 0.0 && law.flops_scale > 0.0 &&
         evaluate_hef(law, Flops{1e12}) <= law.eta_max;
}
bool is_sound(const RooflineLaw& law) {
  return law.compute_fraction > 0.0 && law.compute_fraction <= 1.0 &&
         law.bandwidth_fraction > 0.0 && law.bandwidth_fraction <= 1.0 && law.launch.value() > 0.0;
}

bool is_sound(const FamilyLaw& law) {
  const LawFamily* family = find_family(law.family);
  return family != nullptr && family->parameters.size() == law.parameters.size();
}
bool is_sound(const CommitteeLaw&) { return false; }  // no file states one

TEST(MutatedInput, LawFilesAreReadOrRefused) {
  const std::string sound = R"({
  "schema_version": 1,
  "device": "a100-80gb-pcie",
  "operation": "qkv_projection",
  "precision": "tf32",
  "form": "saturation",
  "parameters": {
    "eta_max": 0.6938,
    "saturation_rate": 10.37,
    "saturation_exponent": 0.78,
    "flops_scale": 1e12
  },
  "fitted_flops_minimum": 1e8,
  "fitted_flops_maximum": 1e13,
  "lower_factor": 0.8,
  "upper_factor": 1.3,
  "source": "measurement of 2026-01"
}
)";
  constexpr int times = 1200;
  const TemporaryDirectory directory;
  Mutator mutator(5);
  Tally tally;
  for (int i = 0; i < times && !HasFailure(); ++i) {
    const std::string text = mutator.mutate(sound);
    (void)directory.write("law.json", text);
    const auto laws = read_laws(directory.path());
    if (!laws) {
      expect_sound_error(laws.error(), text);
      ++tally.refused;
      continue;
    }
    ++tally.accepted;
    const Law& law = laws->laws().at(0);
    EXPECT_TRUE(law.precision && law.fitted_range) << text;
    EXPECT_LE(law.fitted_range->lowest, law.fitted_range->highest) << text;
    EXPECT_TRUE(!law.interval || (law.interval->lower <= 1.0 && law.interval->upper >= 1.0));
    EXPECT_TRUE(std::visit([](const auto& form) { return is_sound(form); }, law.form)) << text;
  }
  expect_both(tally, times);
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Hand-written models of the knobs that people have: the same architectures as published configs
// must become the same parameters and operations.
#include "configs.hpp"
#include "toml_models.hpp"

#include <joulecast/operation.hpp>
#include <joulecast/shipped_model.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <string>
#include <tuple>

namespace joulecast {
namespace {

using testing::HasSubstr;

// How often each piece of work is done, whatever its block is called.
using Work = std::map<std::tuple<OperationKind, Phase, std::int64_t, std::int64_t>, std::int64_t>;

Work work_of(const Model& model) {
  const auto operations = list_operations(
      model, {.batch_size = 2, .sequence_length = 128, .precision = Precision::bf16});
  EXPECT_TRUE(operations.has_value()) << describe(operations.error());
  Work work;
  for (const Operation& operation : operations.value_or(std::vector<Operation>{})) {
    // One optimizer operation stands for a whole block, however it is cut into blocks.
    const bool whole = operation.phase == Phase::optimizer_step;
    work[{operation.kind, operation.phase, whole ? 0 : operation.flops,
          whole ? 0 : operation.bytes_moved}] +=
        whole ? operation.count * operation.flops : operation.count;
  }
  return work;
}

void expect_same(const Model& written, const std::string& shipped_id) {
  const Model shipped = find_model(shipped_id).value();
  EXPECT_EQ(count_all_parameters(written).value(), count_all_parameters(shipped).value());
  EXPECT_FALSE(work_of(shipped).empty());
  EXPECT_EQ(work_of(written), work_of(shipped));
}

std::string convolution(int in, int out, int kernel, int stride, bool activation = true) {
  return fmt::format(
      "in_channels = {}\nout_channels = {}\nkernel_size = {}\nstride = {}\npadding = {}\n"
      "bias = false\nnormalization = 'batch_norm'\n{}",
      in, out, kernel, stride, kernel / 2, activation ? "activation = 'relu'\n" : "");
}

// He et al. 2015, arXiv:1512.03385, figure 5 (left) and table 1: 2 layers of 2 blocks per stage.
std::string resnet_18() {
  std::string text = "image_size = 224\nnum_channels = 3\n[[block]]\nkind = 'convolution'\n" +
                     convolution(3, 64, 7, 2) +
                     "[[block]]\nkind = 'pooling'\ntype = 'maximum'\nkernel_size = 3\nstride = 2\n"
                     "padding = 1\n";
  const auto basic = [&](int in, int out, int stride) {
    text += "[[block]]\nkind = 'convolution'\nresidual = true\nactivation_after_sum = 'relu'\n";
    if (in != out) text += "shortcut = true\n";
    text += "[[block.layer]]\n" + convolution(in, out, 3, stride) + "[[block.layer]]\n" +
            convolution(out, out, 3, 1, false);
  };
  int channels = 64;
  for (const int width : {64, 128, 256, 512}) {
    basic(channels, width, width == channels ? 1 : 2);
    basic(width, width, 1);
    channels = width;
  }
  return text +
         "[[block]]\nkind = 'pooling'\ntype = 'average'\n[[block]]\nkind = 'classifier'\n"
         "hidden_size = 512\nnum_labels = 1000\n";
}

TEST(TomlBlocks, WriteResnet18) { expect_same(toml_model(resnet_18()), "resnet-18"); }

TEST(TomlBlocks, WriteViT) {
  expect_same(toml_model("image_size = [224, 224]\nnum_channels = 3\n[[block]]\n"
                         "kind = 'patch_embedding'\npatch_size = 16\nhidden_size = 768\n"
                         "num_special_tokens = 1\nposition_embeddings = true\n[[block]]\n"
                         "kind = 'transformer_encoder'\nnum_hidden_layers = 12\nhidden_size = 768\n"
                         "num_attention_heads = 12\nintermediate_size = 3072\n"
                         "final_layer_norm = true\n[[block]]\nkind = 'classifier'\n"
                         "hidden_size = 768\nnum_labels = 1000\n"),
              "vit-base-patch16-224");
}

const std::string llama = R"(
[[block]]
kind = 'embedding'
vocab_size = 128256
hidden_size = 2048
[[block]]
kind = 'transformer_decoder'
num_hidden_layers = 16
hidden_size = 2048
num_attention_heads = 32
num_key_value_heads = 8
head_dim = 64
position_encoding = 'rotary'
intermediate_size = 8192
activation = 'silu'
gated = true
bias = false
normalization = 'rms_norm'
final_layer_norm = true
[[block]]
kind = 'language_model_head'
hidden_size = 2048
vocab_size = 128256
tied_embedding = true
)";

TEST(TomlBlocks, WriteLlama) { expect_same(toml_model(llama), "llama-3.2-1b"); }

TEST(TomlBlocks, WriteAMixtureOfExperts) {
  expect_same(toml_model(R"(
[[block]]
kind = 'embedding'
vocab_size = 32000
hidden_size = 4096
[[block]]
kind = 'transformer_decoder'
num_hidden_layers = 32
hidden_size = 4096
num_attention_heads = 32
num_key_value_heads = 8
position_encoding = 'rotary'
intermediate_size = 14336
num_experts = 8
num_experts_per_tok = 2
activation = 'silu'
gated = true
bias = false
normalization = 'rms_norm'
final_layer_norm = true
[[block]]
kind = 'language_model_head'
hidden_size = 4096
vocab_size = 32000
)"),
              "mixtral-8x7b");
}

// Simonyan & Zisserman 2014, arXiv:1409.1556, configuration D: 138,357,544 parameters
// (torchvision's vgg16), the first dense layer on 7 x 7 x 512 positions side by side.
TEST(TomlBlocks, WriteVgg16) {
  std::string text = "image_size = 224\nnum_channels = 3\n";
  int channels = 3;
  for (const int width :
       {64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0}) {
    if (width == 0) {
      text += "[[block]]\nkind = 'pooling'\ntype = 'maximum'\nkernel_size = 2\n";
      continue;
    }
    text += fmt::format(
        "[[block]]\nkind = 'convolution'\nin_channels = {}\nout_channels = {}\nkernel_size = 3\n"
        "padding = 1\nactivation = 'relu'\n",
        channels, width);
    channels = width;
  }
  text +=
      "[[block]]\nkind = 'flatten'\n[[block]]\nkind = 'mlp'\ninput_size = 25088\n"
      "hidden_sizes = [4096, 4096]\n[[block]]\nkind = 'classifier'\nhidden_size = 4096\n"
      "num_labels = 1000\n";
  const Model model = toml_model(text);
  EXPECT_EQ(count_all_parameters(model).value(), 138'357'544);
  // 15.47e9 multiplications and additions of one image's forward pass (torchvision: 15.47 GFLOPS,
  // counted as one each), of two images twice that and two FLOPs each.
  const auto operations =
      list_operations(model, {.batch_size = 2, .sequence_length = 1, .precision = Precision::fp32});
  std::int64_t flops = 0;
  for (const Operation& operation : operations.value()) {
    const bool product =
        operation.kind == OperationKind::matmul || operation.kind == OperationKind::convolution;
    if (product && operation.phase == Phase::forward) flops += operation.flops * operation.count;
  }
  EXPECT_NEAR(static_cast<double>(flops) / (4 * 15.47e9), 1.0, 1e-3);
}

// 10 x 20 + 20, 20 x 30 + 30 and 30 x 5 + 5 parameters; without biases 200, 600 and 150.
TEST(TomlBlocks, WriteAMultilayerPerceptron) {
  const std::string text =
      "num_positions = 1\n[[block]]\nkind = 'mlp'\ninput_size = 10\n"
      "hidden_sizes = [20, 30]\noutput_size = 5\n";
  const Model model = toml_model(text);
  EXPECT_EQ(count_all_parameters(model).value(), 220 + 630 + 155);
  EXPECT_EQ(count_all_parameters(toml_model(text + "bias = false\n")).value(), 200 + 600 + 150);
  ASSERT_EQ(model.blocks.size(), 3U);
  EXPECT_EQ(model.blocks[1].name, "mlp_2");
  EXPECT_EQ(model.blocks[1].positions, fixed_positions(1));
  EXPECT_EQ(std::get<DenseBlock>(model.blocks[0].shape).activation, Activation::relu);
  EXPECT_FALSE(std::get<DenseBlock>(model.blocks[2].shape).activation.has_value());
}

TEST(TomlBlocks, RepeatABlock) {
  const std::string repeated =
      "image_size = 8\nnum_channels = 16\n[[block]]\nkind = 'convolution'\nrepeats = 3\n" +
      convolution(16, 16, 3, 1);
  // 16 x 16 x 9 weights, a gain and a shift per channel, three times.
  EXPECT_EQ(count_all_parameters(toml_model(repeated)).value(), 3 * (2304 + 32));
}

TEST(TomlBlocks, RefuseWhatContradictsItself) {
  const std::string image = "image_size = 8\nnum_channels = 3\n";
  const std::string block = "[[block]]\nkind = 'convolution'\n";
  const std::string layers =
      "[[block]]\nkind = 'transformer_encoder'\nnum_hidden_layers = 2\nhidden_size = 24\n"
      "num_attention_heads = 4\nintermediate_size = 96\n";
  struct Case {
    std::string text;
    const char* key;
    const char* message;
  };
  const std::vector<Case> cases = {
      {block + convolution(3, 8, 3, 1), "kind", "rows and columns"},
      {image + block + convolution(4, 8, 3, 1), "in_channels", "gives 3"},
      {image + block + "in_channels = 3\nout_channels = 8\nkernel_size = 9\n", "kernel_size",
       "larger than the 8 x 8"},
      {image + block + convolution(3, 8, 3, 1) + "groups = 2\n", "groups", "does not divide"},
      {image + block + "repeats = 2\n" + convolution(3, 8, 3, 1), "repeats", "what it reads"},
      {image + block + "residual = true\n" + convolution(3, 8, 3, 1), "residual",
       "cannot be added"},
      {image + block + "activation_after_sum = 'relu'\n" + convolution(3, 3, 3, 1),
       "activation_after_sum", "no sum"},
      {image + block +
           "residual = true\nshortcut = true\nin_channels = 3\nout_channels = 8\n"
           "kernel_size = 3\n",
       "shortcut", "8 x 8"},
      {image + block + "layer = []\n", "layer", "is empty"},
      {image + block + "[[block.layer]]\n" + convolution(3, 8, 3, 1) + "colour = 1\n", "colour",
       "unknown key"},
      {image + "num_positions = 4\n" + block, "num_positions", "contradicts image_size"},
      {"[[block]]\nkind = 'flatten'\n", "kind", "not known before"},
      {image + block + convolution(3, 8, 3, 1) +
           "[[block]]\nkind = 'patch_embedding'\npatch_size = 2\nhidden_size = 8\n",
       "kind", "image itself"},
      {image + "[[block]]\nkind = 'pooling'\ntype = 'median'\n", "type", "unknown value"},
      {image + "[[block]]\nkind = 'classifier'\nhidden_size = 4\nnum_labels = 2\n", "hidden_size",
       "the input gives 3"},
      {"[[block]]\nkind = 'mlp'\ninput_size = 4\nhidden_sizes = []\n", "hidden_sizes", "0 layers"},
      {layers + "num_key_value_heads = 3\n", "num_key_value_heads", ""},
      {layers + "position_encoding = 'rotary'\nrotary_dim = 8\n", "rotary_dim", "a head's 6"},
      {layers + "num_experts = 2\nnum_experts_per_tok = 3\n", "num_experts_per_tok",
       "num_experts = 2"},
      {layers + "num_experts = 2\n", "num_experts_per_tok", "missing"},
      {layers + "rotary_dim = 4\n", "rotary_dim", "unknown key"},
      {layers + "layout = 'diagonal'\n", "layout", "unknown value"},
  };
  for (const Case& one : cases) {
    const Error error = toml_error(one.text);
    EXPECT_THAT(error.where.path, HasSubstr(one.key)) << describe(error);
    EXPECT_THAT(describe(error), HasSubstr(one.message)) << one.text;
    EXPECT_FALSE(error.remedy.empty()) << describe(error);
    EXPECT_GT(error.where.line, 0) << describe(error);
  }
}

}  // namespace
}  // namespace joulecast

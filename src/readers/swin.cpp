// SPDX-License-Identifier: Apache-2.0
// Swin: Liu et al. 2021, arXiv:2103.14030: attention within windows, four neighbouring patches
// merged into one between the stages. Keys and defaults: transformers' SwinConfig.
#include "readers/image.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

const std::array<HeadChoice, 3> swin_heads = {{{"SwinForImageClassification", Head::classifier},
                                               {"SwinModel", Head::none},
                                               {"", Head::none}}};

struct SwinSizes {
  std::vector<std::int64_t> depths, heads;
  std::int64_t embed_dim = 0;
  std::int64_t window = 0;
  double mlp_ratio = 0.0;
};

// At most as many stages as halvings leave an image.
constexpr std::size_t most_stages = 16;

SwinSizes read_swin_sizes(ObjectReader& reader, Model& model) {
  SwinSizes sizes;
  sizes.embed_dim = size_or_default(reader, model, "embed_dim", 96);
  sizes.window = size_or_default(reader, model, "window_size", 7);
  sizes.mlp_ratio = reader.optional_number("mlp_ratio", {1e-3, 1e6}).value_or(4.0);
  warn_if_absent(reader, model, "depths", "[2, 2, 6, 2]");
  warn_if_absent(reader, model, "num_heads", "[3, 6, 12, 24]");
  sizes.depths =
      reader.has("depths") ? reader.sizes("depths") : std::vector<std::int64_t>{2, 2, 6, 2};
  sizes.heads =
      reader.has("num_heads") ? reader.sizes("num_heads") : std::vector<std::int64_t>{3, 6, 12, 24};
  if (sizes.depths.size() != sizes.heads.size() || sizes.depths.empty() ||
      sizes.depths.size() > most_stages) {
    reader.fail("num_heads",
                fmt::format("names {} stages, but depths names {}", sizes.heads.size(),
                            sizes.depths.size()),
                fmt::format("give both for the same stages, 1 to {}", most_stages));
    sizes.depths = sizes.heads = {1};
  }
  return sizes;
}

// Images that whole windows do not cover are padded, which is not read here.
void check_windows(ObjectReader& reader, std::int64_t window, std::int64_t rows,
                   std::int64_t columns) {
  if (rows % window == 0 && columns % window == 0) return;
  reader.fail("window_size",
              fmt::format("windows of {} do not cover the {} x {} patches of image_size", window,
                          rows, columns),
              "choose image_size so that every stage is a multiple of window_size",
              ErrorKind::unsupported);
}

TransformerBlock swin_layers(ObjectReader& reader, const SwinSizes& sizes, std::size_t stage,
                             std::int64_t width, std::int64_t window) {
  TransformerBlock layers{.num_hidden_layers = sizes.depths[stage], .hidden_size = width};
  const bool bias = reader.boolean_or("qkv_bias", true);
  layers.attention.num_attention_heads = sizes.heads[stage];
  check_heads(reader, "num_heads", sizes.heads[stage], "the stage's width", width);
  layers.attention.bias = {bias, bias, bias, true};
  layers.attention.partition_size = window * window;
  const Count side = 2 * Count{sizes.window} + -1;
  layers.attention.positions = RelativeBias{(side * side).value(), false};
  layers.attention.dropout = read_flag(reader, "attention_probs_dropout_prob", 0.0);
  layers.hidden_dropout = read_flag(reader, "hidden_dropout_prob", 0.0);
  const double inner = sizes.mlp_ratio * static_cast<double>(width);
  layers.feed_forward = {
      .intermediate_size = std::max<std::int64_t>(1, static_cast<std::int64_t>(inner)),
      .activation = read_activation(reader, "hidden_act", "gelu")};
  return layers;
}

void add_stages(ObjectReader& reader, Model& model, const SwinSizes& sizes,
                const ImageSizes& image) {
  std::int64_t rows = image.rows();
  std::int64_t columns = image.columns();
  std::int64_t width = sizes.embed_dim;
  for (std::size_t stage = 0; stage < sizes.depths.size(); ++stage) {
    // A window larger than the stage is cut to it.
    const std::int64_t window = std::min({sizes.window, rows, columns});
    check_windows(reader, window, rows, columns);
    if (reader.error()) return;
    const std::string name = fmt::format("stage_{}", stage + 1);
    model.blocks.push_back(
        {name, swin_layers(reader, sizes, stage, width, window), fixed_positions(rows, columns)});
    if (stage + 1 == sizes.depths.size()) break;
    if (rows % 2 != 0 || columns % 2 != 0) {
      reader.fail("image_size",
                  fmt::format("{} x {} patches cannot be merged two by two", rows, columns),
                  "choose image_size so that every stage has an even number of patches",
                  ErrorKind::unsupported);
      return;
    }
    rows /= 2;
    columns /= 2;
    const Positions merged = fixed_positions(rows, columns);
    const std::int64_t gathered = (Count{4} * width).value();
    model.blocks.push_back(
        {name + "_merging_norm", NormalizationBlock{.hidden_size = gathered}, merged});
    model.blocks.push_back(
        {name + "_merging",
         DenseBlock{
             .input_size = gathered, .output_size = (Count{2} * width).value(), .bias = false},
         merged});
    width = (Count{2} * width).value();
  }
  model.blocks.push_back(
      {"final_norm", NormalizationBlock{.hidden_size = width}, fixed_positions(rows, columns)});
}

}  // namespace

Result<Model> read_swin(const Value& config, const std::string& file, Head head) {
  ObjectReader reader(config, file);
  Model model{.family = "swin"};
  const SwinSizes sizes = read_swin_sizes(reader, model);
  const ImageSizes image = read_image(reader, model, 224, 4);
  PatchEmbeddingBlock patches = patch_embedding(image, sizes.embed_dim);
  patches.layer_norm = true;
  patches.position_embeddings = reader.boolean_or("use_absolute_embeddings", false);
  model.blocks = {{"patch_embedding", patches, image.patches()}};
  warn_if_absent(reader, model, "hidden_act", "gelu");
  add_stages(reader, model, sizes, image);
  if (reader.error()) return std::unexpected(*reader.error());
  const std::int64_t width = std::get<NormalizationBlock>(model.blocks.back().shape).hidden_size;
  const Positions last = model.blocks.back().positions;
  head = choose_head(reader, model, head, swin_heads, swin_heads[1]);
  model.blocks.push_back(
      {"pooling", PoolingBlock{.kind = PoolingBlock::Kind::average, .channels = width}, last});
  if (head == Head::classifier) add_pooled_classifier(reader, model, width);
  return finish_model(reader, std::move(model));
}

}  // namespace joulecast

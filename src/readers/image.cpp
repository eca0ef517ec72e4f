// SPDX-License-Identifier: Apache-2.0
#include "readers/image.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace joulecast {
namespace {

// Larger images are not inputs of models but mistakes: 2^20 pixels a side.
constexpr std::int64_t most_pixels = std::int64_t{1} << 20U;

}  // namespace

ImageSizes read_image(ObjectReader& reader, Model& model, std::int64_t image_size,
                      std::int64_t patch_size) {
  ImageSizes image;
  warn_if_absent(reader, model, "image_size", fmt::format("{}", image_size));
  const std::vector<std::int64_t> sides =
      reader.is_array("image_size") ? reader.sizes("image_size") : std::vector<std::int64_t>{};
  if (sides.size() == 2) {
    image.height = sides[0];
    image.width = sides[1];
  } else if (reader.is_array("image_size")) {
    reader.fail("image_size", "must be one number, or height and width", "give one number or two");
    image.height = image.width = image_size;
  } else {
    image.height = image.width = reader.size_or("image_size", image_size);
  }
  image.patch = patch_size > 0 ? size_or_default(reader, model, "patch_size", patch_size) : 1;
  image.channels = size_or_default(reader, model, "num_channels", 3);
  if (std::max(image.height, image.width) > most_pixels) {
    reader.fail("image_size", fmt::format("is too large: more than {}", most_pixels),
                "give the size that the model really has");
    image.height = image.width = image.patch;
  }
  if (std::min(image.height, image.width) < image.patch) {
    reader.fail(
        "patch_size",
        fmt::format("{} exceeds image_size = {}", image.patch, std::min(image.height, image.width)),
        "choose patch_size of at most image_size");
    image.patch = 1;
  }
  return image;
}

StageSizes read_stages(ObjectReader& reader, Model& model, const StageSizes& defaults) {
  // At most as many stages as halvings leave an image.
  constexpr std::size_t most_stages = 16;
  warn_if_absent(reader, model, "hidden_sizes",
                 fmt::format("[{}]", fmt::join(defaults.widths, ", ")));
  warn_if_absent(reader, model, "depths", fmt::format("[{}]", fmt::join(defaults.depths, ", ")));
  StageSizes stages{
      .widths = reader.has("hidden_sizes") ? reader.sizes("hidden_sizes") : defaults.widths,
      .depths = reader.has("depths") ? reader.sizes("depths") : defaults.depths};
  if (stages.widths.size() != stages.depths.size() || stages.widths.empty() ||
      stages.widths.size() > most_stages) {
    reader.fail("depths",
                fmt::format("names {} stages, but hidden_sizes names {}", stages.depths.size(),
                            stages.widths.size()),
                fmt::format("give both for the same stages, 1 to {}", most_stages));
    return defaults;
  }
  return stages;
}

Positions token_positions(const ImageSizes& image, std::int64_t special) {
  return fixed_positions(image.rows() * image.columns() + special);
}

void add_pooled_classifier(ObjectReader& reader, Model& model, std::int64_t hidden_size) {
  model.blocks.push_back(classifier_block(reader, model, hidden_size));
  model.blocks.back().positions = fixed_positions(1);
}

PatchEmbeddingBlock patch_embedding(const ImageSizes& image, std::int64_t hidden_size) {
  return {.image_height = image.height,
          .image_width = image.width,
          .num_channels = image.channels,
          .patch_size = image.patch,
          .hidden_size = hidden_size};
}

}  // namespace joulecast

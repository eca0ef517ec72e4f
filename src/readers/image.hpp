// SPDX-License-Identifier: Apache-2.0
#pragma once

// What image models state of their input.

#include "readers/encoder.hpp"

namespace joulecast {

struct ImageSizes {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t patch = 0;
  std::int64_t channels = 0;

  [[nodiscard]] std::int64_t rows() const { return height / patch; }
  [[nodiscard]] std::int64_t columns() const { return width / patch; }
  [[nodiscard]] Positions patches() const { return fixed_positions(rows(), columns()); }
};

// image_size (one number, or height and width), patch_size, num_channels.
ImageSizes read_image(ObjectReader& reader, Model& model, std::int64_t image_size,
                      std::int64_t patch_size);

// Stages that halve the image: channels and layers of each, as hidden_sizes and depths.
struct StageSizes {
  std::vector<std::int64_t> widths{};
  std::vector<std::int64_t> depths{};
};
StageSizes read_stages(ObjectReader& reader, Model& model, const StageSizes& defaults);

// Positions of the patches and of `special` tokens in front of them.
Positions token_positions(const ImageSizes& image, std::int64_t special);

// Scores of the labels from the one position that pooling leaves.
void add_pooled_classifier(ObjectReader& reader, Model& model, std::int64_t hidden_size);

PatchEmbeddingBlock patch_embedding(const ImageSizes& image, std::int64_t hidden_size);

}  // namespace joulecast

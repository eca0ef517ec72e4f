// SPDX-License-Identifier: Apache-2.0
// A config.json or a model file in TOML, whatever its bytes: an error that names the file, or a
// model whose operations can be listed.
#include <joulecast/model.hpp>
#include <joulecast/operation.hpp>

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool toml = (data[0] & 1U) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto model = joulecast::parse_model(text, toml ? "model.toml" : "config.json");
  if (!model) {
    if (model.error().message.empty() || model.error().where.file.empty()) std::abort();
    return 0;
  }
  const auto operations = joulecast::list_operations(
      *model, {.batch_size = 3, .sequence_length = 1, .precision = joulecast::Precision::bf16});
  if (!operations) return 0;
  for (const joulecast::Operation& operation : *operations) {
    if (operation.flops < 0 || operation.bytes_moved <= 0 || operation.count <= 0) std::abort();
  }
  return 0;
}

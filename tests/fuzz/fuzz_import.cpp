// SPDX-License-Identifier: Apache-2.0
// A foreign table, of the format that its first byte chooses: an error, or a table of ours that can
// be read.
#include "scratch_file.hpp"

#include <joulecast/measurement.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFile file("mlp.csv");
  static const auto devices = joulecast::load_devices().value();
  static const auto formats = joulecast::import_formats();
  if (size == 0) return 0;
  file.write(data + 1, size - 1);
  // Files that name their device refuse the flag, and the others need it.
  for (const char* device : {"", "h200-141gb-sxm"}) {
    const auto imported = joulecast::import_measurements(
        {.format = formats[data[0] % formats.size()],
         .files = {file.path()},
         .device = device,
         .software = "",
         .step = joulecast::StepShape{.model = "gpt2", .batch_size = 8},
         .precision = joulecast::MeasuredPrecision::bf16},
        devices);
    if (!imported) {
      if (imported.error().message.empty()) std::abort();
      continue;
    }
    const auto read = joulecast::parse_measurements(
        joulecast::write_measurements(imported->measurements), "table.csv");
    if (!read || *read != imported->measurements) std::abort();
  }
  return 0;
}

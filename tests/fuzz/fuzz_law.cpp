// SPDX-License-Identifier: Apache-2.0
// A law file: an error, or a law that is admissible.
#include "scratch_file.hpp"

#include <joulecast/law.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ScratchFile file("law.json");
  file.write(data, size);
  const auto laws = joulecast::read_laws(file.path().parent_path());
  if (!laws) {
    if (laws.error().message.empty() || laws.error().where.file.empty()) std::abort();
    return 0;
  }
  for (const joulecast::Law& law : laws->laws()) {
    if (const auto* saturation = std::get_if<joulecast::SaturationLaw>(&law.form)) {
      if (!(saturation->eta_max > 0.0 && saturation->eta_max <= 1.0)) std::abort();
    }
  }
  return 0;
}

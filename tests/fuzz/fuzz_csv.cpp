// SPDX-License-Identifier: Apache-2.0
#include "documents/csv.hpp"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto table = joulecast::parse_csv(text, "table.csv");
  if (!table && table.error().message.empty()) std::abort();
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// A measurement table: an error with its place, or rows that are written and read back the same.
#include <joulecast/measurement.hpp>

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rows = joulecast::parse_measurements(text, "table.csv");
  if (!rows) {
    if (rows.error().message.empty() || rows.error().where.file.empty()) std::abort();
    return 0;
  }
  for (const joulecast::Measurement& row : *rows) {
    if (!(row.duration.value() > 0.0) || joulecast::hash_of(row).size() != 16) std::abort();
    if (!(joulecast::least_work(row).flops.value() >= 0.0)) std::abort();
  }
  const auto again =
      joulecast::parse_measurements(joulecast::write_measurements(*rows), "again.csv");
  if (!again || *again != *rows) std::abort();
  return 0;
}

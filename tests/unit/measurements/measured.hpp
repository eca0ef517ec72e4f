// SPDX-License-Identifier: Apache-2.0
#pragma once

// Measurements of our own making, and the shipped devices they claim to come from.

#include "../documents/temporary_directory.hpp"

#include <joulecast/measurement.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

inline const DeviceCatalogue& shipped_devices() {
  static const DeviceCatalogue catalogue = load_devices().value();
  return catalogue;
}

inline Measurement measured_matmul(const MatmulShape& shape, double seconds) {
  Measurement row;
  row.source = "test:table.csv";
  row.device = "h200-141gb-sxm";
  row.operation = "linear";
  row.precision = MeasuredPrecision::bf16;
  row.shape = shape;
  row.duration = Seconds{seconds};
  return row;
}

inline Measurement with_power(Measurement row, double watts) {
  row.power = Watts{watts};
  row.energy_kind = EnergyKind::board;
  row.power_limit = Watts{700.0};
  return row;
}

// Imports one file with this content.
inline Result<Import> import_text(const std::string& format, std::string_view name,
                                  std::string_view content, const std::string& device = "") {
  const TemporaryDirectory folder;
  const ImportRequest request{.format = format,
                              .files = {folder.write(name, content)},
                              .device = device,
                              .software = "test stack"};
  return import_measurements(request, shipped_devices());
}

inline std::vector<Measurement> imported_rows(const std::string& format, std::string_view name,
                                              std::string_view content,
                                              const std::string& device = "") {
  const auto imported = import_text(format, name, content, device);
  EXPECT_TRUE(imported.has_value()) << describe(imported.error());
  return imported ? imported->measurements : std::vector<Measurement>{};
}

inline Error import_error(const std::string& format, std::string_view name,
                          std::string_view content, const std::string& device = "") {
  const auto imported = import_text(format, name, content, device);
  EXPECT_FALSE(imported.has_value());
  return imported ? Error{} : imported.error();
}

}  // namespace joulecast

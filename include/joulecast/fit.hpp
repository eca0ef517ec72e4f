// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which laws do measurements speak for, how well do they hold on shapes that the fit has not seen,
// and on devices that it has not seen?
//
// For each device, precision and operation: every family that covers it is fitted, judged by a
// cross-validation of five folds over *shapes* (rows of one shape are never on both sides), and the
// one with the smallest mean absolute percentage error is taken. Intervals are conformal: quantiles
// of measured over predicted out of fold, by arithmetic intensity and predicted duration. Rows
// whose marks doubt the duration are left out of the fit and counted; board power is fitted to
// those of the rows whose label no mark doubts.

#include <joulecast/device.hpp>
#include <joulecast/error.hpp>
#include <joulecast/law.hpp>
#include <joulecast/measurement.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace joulecast {

struct FitOptions {
  std::string family = "auto";  // or the name of one
  int bootstrap = 200;          // resamples for the intervals of the parameters
  unsigned threads = 0;         // 0: as many as the machine has
};

struct LawFit {
  Law law{};
  std::int64_t rows = 0;     // that the fit used
  std::int64_t doubted = 0;  // left out, since a mark doubts their duration
  std::int64_t shapes = 0;   // distinct ones
  std::vector<Warning> warnings{};
};

// Rows that no law was fitted to, and why.
struct FitGap {
  std::string device{};
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  std::string operation{};
  std::int64_t rows = 0;
  std::string reason{};
};

// What laws of other devices say about a device's rows: each measured device was left out in turn.
struct TransferFit {
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  std::string operation{};
  std::vector<std::string> devices{};
  LawErrors errors{};          // devices count alike
  IntervalFactors interval{};  // 0.9 quantile of |ln(measured / predicted)|, devices alike
};

struct LawFits {
  std::vector<LawFit> laws{};  // by device, precision and operation
  std::vector<FitGap> gaps{};
  std::vector<TransferFit> transfers{};
};

// Deterministic: neither the order of the rows nor the number of threads matters.
// Errors: value, without any rows to fit to; usage, for an unknown family.
Result<LawFits> fit_laws(std::span<const Measurement> measurements, const DeviceCatalogue& devices,
                         const FitOptions& options = {});

// Below the directory: DEVICE/PRECISION/OPERATION.json and what belongs to it, and transfer.json.
Result<void> save_fits(const std::filesystem::path& directory, const LawFits& fits);

}  // namespace joulecast

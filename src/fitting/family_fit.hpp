// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which parameters of a family describe measured durations best?
//
// Minimises sum_i w_i rho(ln t_i(theta) - ln measured_i), rho(r) = 2 d^2 (sqrt(1 + (r/d)^2) - 1),
// the pseudo-Huber loss (Charbonnier et al. 1997, DOI 10.1109/83.551699): relative errors, since
// durations span six decades, and a few bad rows must not bend the law. The parameters move in
// ln theta within their bounds. Deterministic: starts come from the family, the rows of the coarse
// stage are every n-th in the order of their hashes.

#include <joulecast/law_family.hpp>

#include "fitting/levenberg_marquardt.hpp"

#include <span>
#include <string>
#include <vector>

namespace joulecast {

struct LawSample {
  std::string_view operation{};
  MeasuredShape shape{};
  MeasuredPrecision precision = MeasuredPrecision::fp32;
  double flops = 0.0;
  double bytes = 0.0;
  double seconds = 0.0;
  double weight = 1.0;
};

// The sample and the facts must outlive the question.
inline LawQuestion question_of(const LawSample& sample, const DeviceFacts& facts) {
  return {sample.operation, sample.shape, sample.precision, sample.flops, sample.bytes, facts};
}

struct FamilyFitOptions {
  double huber_width = 0.06;       // d, on ln t
  std::size_t coarse_rows = 1200;  // every start is tried on so many
  std::size_t fine_rows = 6000;    // the best is refined on so many
  int coarse_iterations = 25;
  int fine_iterations = 30;
  int bootstrap = 0;  // resamples for the intervals of the parameters
};

struct ParameterInterval {  // 95 %
  double lower = 0.0;
  double upper = 0.0;
};

struct FamilyFit {
  std::vector<double> parameters{};  // in the order of the family
  // Of a bootstrap that takes one Gauss-Newton step per resample (Hu & Zidek 1995,
  // DOI 10.1093/biomet/82.2.263); empty without. They say how far the rows fix the parameters,
  // given that the family is right.
  std::vector<ParameterInterval> intervals{};
  double loss = 0.0;  // mean over the rows of the last stage
  std::vector<std::string> not_identified{};
  bool converged = false;
};

// Errors: value, without samples or with one that is not positive and finite.
Result<FamilyFit> fit_family(const LawFamily& family, const DeviceFacts& facts,
                             std::span<const LawSample> samples,
                             const FamilyFitOptions& options = {});

// The same from given values, for folds of a cross-validation that start where the whole ended.
Result<FamilyFit> refine_family(const LawFamily& family, const DeviceFacts& facts,
                                std::span<const LawSample> samples,
                                std::span<const double> parameters,
                                const FamilyFitOptions& options = {});

}  // namespace joulecast

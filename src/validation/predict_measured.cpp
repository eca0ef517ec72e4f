// SPDX-License-Identifier: Apache-2.0
#include "validation/metrics.hpp"

#include <fmt/format.h>

namespace joulecast {

Result<Seconds> predict_measured(const Law& law, const Measurement& row, const DeviceFacts& facts) {
  const LawQuestion question = question_of(row, facts);
  const auto fail = [&](ErrorKind kind, std::string message) {
    return std::unexpected(Error{kind, std::move(message), Location{.file = law.file},
                                 "fit a law to measurements of this operation"});
  };
  if (!law_answers(law, question)) {
    return fail(ErrorKind::unsupported, fmt::format("the law {} says nothing about {} of {}",
                                                    law.id, row.operation, describe(row.shape)));
  }
  const Seconds predicted = evaluate_law(law, question);
  if (!is_plausible(predicted.value())) {
    return fail(ErrorKind::value,
                fmt::format("the law {} gives {} s for {} of {}", law.id, predicted.value(),
                            row.operation, describe(row.shape)));
  }
  return predicted;
}

}  // namespace joulecast

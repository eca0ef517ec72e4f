// SPDX-License-Identifier: Apache-2.0
#include "reproduction/audit.hpp"

namespace joulecast {

Result<std::vector<AuditPoint>> audit_release(const PublishedNumbers& numbers,
                                              const AuditInputs* inputs) {
  auto exchange = audit_exchange(numbers, inputs);
  if (!exchange) return std::unexpected(exchange.error());
  auto single_law = audit_single_law(inputs);
  if (!single_law) return std::unexpected(single_law.error());
  auto rnn_counter = audit_rnn_counter(inputs);
  if (!rnn_counter) return std::unexpected(rnn_counter.error());
  return std::vector<AuditPoint>{audit_row_removal(numbers, inputs),
                                 audit_copies(inputs),
                                 audit_percent_slip(inputs),
                                 *exchange,
                                 *single_law,
                                 audit_power(inputs),
                                 *rnn_counter,
                                 audit_epoch(inputs),
                                 audit_launch_overhead(inputs)};
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// FLOPs of a training step of well-known models: 6 N per token for the N parameters that multiply
// it (Kaplan et al. 2020, arXiv:2001.08361, table 1), and the scores' and values' products,
// 3 * 4 S (h d) per layer where queries and values have h heads of d. Tables of tokens and
// positions, gains and biases multiply nothing and are not in N; a shared table is, as the head.
#include <joulecast/operation.hpp>
#include <joulecast/shipped_model.hpp>

#include <gtest/gtest.h>

namespace joulecast {
namespace {

struct Known {
  const char* id;
  double active;    // published, parameters that a token passes through
  double products;  // layers * h * (d of queries + d of values), for 2 S each
};

double product_flops(const std::vector<Operation>& operations) {
  double total = 0.0;
  for (const Operation& operation : operations) {
    if (operation.kind != OperationKind::matmul) continue;
    total += static_cast<double>(operation.flops) * static_cast<double>(operation.count);
  }
  return total;
}

// S = 2048, B = 1. Within 3 %: the published numbers are rounded, embeddings are among them.
TEST(KnownTotals, AreSixPerParameterAndTokenAndAttention) {
  constexpr double tokens = 2048.0;
  for (const Known& known :
       {Known{"gpt3-175b", 174.6e9, 96.0 * 96 * 256}, Known{"llama-2-70b", 69.0e9, 80.0 * 64 * 256},
        Known{"llama-3.1-405b", 405.9e9, 126.0 * 128 * 256},
        Known{"mixtral-8x7b", 12.9e9, 32.0 * 32 * 256},
        Known{"deepseek-v3", 37e9, 61.0 * 128 * (192 + 128)}}) {
    const Model model = find_model(known.id).value();
    const auto operations = list_operations(
        model, {.batch_size = 1, .sequence_length = 2048, .precision = Precision::bf16});
    const double attention = 3.0 * 2.0 * tokens * tokens * known.products;
    const double expected = 6.0 * known.active * tokens + attention;
    EXPECT_NEAR(product_flops(operations.value()) / expected, 1.0, 0.03) << known.id;
  }
}

}  // namespace
}  // namespace joulecast

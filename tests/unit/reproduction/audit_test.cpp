// SPDX-License-Identifier: Apache-2.0
#include "reproduction/audit.hpp"

#include "synthetic_tables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

namespace joulecast {
namespace {

// The audit of the made-up tables, point `number`.
AuditPoint audit_synthetic(int number) {
  const SyntheticTables files;
  const Reproduction result = reproduce_ecai2025({files.directory(), {}}).value();
  return result.audit.at(static_cast<std::size_t>(number - 1));
}

double find(const AuditPoint& point, const std::string& quantity) {
  for (const auto& evidence : point.evidence) {
    if (evidence.quantity == quantity) return evidence.value;
  }
  ADD_FAILURE() << "no evidence " << quantity;
  return 0.0;
}

// Three rows, two of them copies. A copy's twin trains with probability 1 - 0.33: 2/3 * 0.67.
TEST(Audit, CountsCopies) {
  const AuditPoint point = audit_synthetic(2);
  EXPECT_EQ(find(point, "rows"), 3.0);
  EXPECT_EQ(find(point, "distinct rows"), 2.0);
  EXPECT_NEAR(find(point, "test rows with a twin in training"), 2.0 / 3.0 * 0.67, 1e-12);
}

// Row 1: 0.01 / (156 * 0.2) s = 320.5128205 us against 3.205128205.
TEST(Audit, MeasuresThePercentSlip) {
  const AuditPoint point = audit_synthetic(3);
  EXPECT_NEAR(find(point, "smallest ratio of true to tabled duration"), 100.0, 1e-6);
  EXPECT_NEAR(find(point, "largest ratio of true to tabled duration"), 100.0, 1e-6);
}

TEST(Audit, FindsTheTwinColumnAndItsUnit) {
  EXPECT_NEAR(find(audit_synthetic(5), "attention_values duration over attention_scores duration"),
              1e-6, 1e-15);
}

// Labels: 50 J / 0.5 s twice and 98 J / 1 s, mean 99.33 W. Counters: rows 8 and 9 differ by
// 0.00068333333 kWh = 2460 J over ten steps of 1 s: 246 W; CPU 0.0002 kWh: 72 W; RAM 36 W.
TEST(Audit, SeparatesLabelPowerFromCounterPower) {
  const AuditPoint point = audit_synthetic(6);
  EXPECT_NEAR(find(point, "a100-80gb-pcie, mean of energy label over duration"), 298.0 / 3, 1e-9);
  EXPECT_NEAR(find(point, "a100-80gb-pcie, GPU power by counter"), 246.0, 1e-5);
  EXPECT_NEAR(find(point, "a100-80gb-pcie, CPU power by counter"), 72.0, 1e-9);
  EXPECT_EQ(find(point, "pairs of rows"), 1.0);
}

TEST(Audit, SeesALinearCounter) {
  EXPECT_NEAR(find(audit_synthetic(7), "R2 against run order, one line per operation"), 1.0, 1e-12);
}

// 1 % of 156 TFLOP/s for 0.5 s is 0.78 TFLOP, one batch.
TEST(Audit, SeesOneBatchPerEpoch) {
  EXPECT_NEAR(find(audit_synthetic(8), "most batches in a timed duration"), 1.0, 1e-12);
}

TEST(Audit, WithoutDataQuotesAndSaysWhy) {
  const auto points = audit_release(load_published_numbers(), nullptr).value();
  ASSERT_EQ(points.size(), 9U);
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(points[i].number, static_cast<int>(i + 1));
    EXPECT_FALSE(points[i].method.empty());
    EXPECT_FALSE(points[i].evidence.empty());
    for (const auto& evidence : points[i].evidence) {
      EXPECT_NE(evidence.source, EvidenceSource::from_data) << evidence.quantity;
    }
  }
}

}  // namespace
}  // namespace joulecast

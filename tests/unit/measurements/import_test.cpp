// SPDX-License-Identifier: Apache-2.0
#include "measured.hpp"

#include <gmock/gmock.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

const std::string gemm_header = "gemm_dtype,m,n,k,latency,power\n";

TEST(Import, LeavesExactCopiesOutAndCountsThem) {
  const TemporaryDirectory folder;
  const std::string table = ",OPName,Latency,Device,B,H\n";
  // The unnamed column numbers the rows and says nothing about the measurement.
  const ImportRequest request{
      .format = "neusight-ops",
      .files = {folder.write("a.csv", table + "1,add,0.1,Tesla T4,4,8\n2,add,0.1,Tesla T4,4,8\n"
                                              "3,add,0.1,Tesla P4,4,8\n4,add,0.11,Tesla T4,4,8\n"),
                folder.write("b.csv", table + "9,add,0.1,Tesla T4,4,8\n")}};
  const auto imported = import_measurements(request, shipped_devices());
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  EXPECT_EQ(imported->source_rows, 5);
  EXPECT_EQ(imported->exact_copies, 2);
  EXPECT_EQ(imported->measurements.size(), 3U);
}

TEST(Import, DoesNotTakeShiftedFieldsForACopy) {
  const auto rows =
      imported_rows("neusight-ops", "a.csv",
                    "OPName,Latency,Device,B,H\nadd,0.1,Tesla T4,1,23\nadd,0.1,Tesla T4,12,3\n");
  EXPECT_EQ(rows.size(), 2U);
}

TEST(Import, CountsRowsAndMarksByDeviceOperationAndPrecision) {
  const auto imported = import_text("aiconfigurator-gemm", "gemm.csv",
                                    gemm_header +
                                        "fp8,64,64,64,0.01,200\nfp8,64,64,64,0.02,200\n"
                                        "bfloat16,64,64,64,1.0,300\nbfloat16,64,64,128,1.0,\n",
                                    "h200-141gb-sxm");
  ASSERT_TRUE(imported.has_value()) << describe(imported.error());
  ASSERT_EQ(imported->counts.size(), 2U);
  EXPECT_EQ(imported->counts[0].precision, MeasuredPrecision::bf16);
  EXPECT_EQ(imported->counts[0].rows, 2);
  EXPECT_EQ(imported->counts[0].with_power, 1);
  EXPECT_EQ(imported->counts[0].doubted_powers, 0);
  EXPECT_EQ(imported->counts[1].precision, MeasuredPrecision::fp8);
  EXPECT_EQ(imported->counts[1].doubted_durations, 1);  // twice its repeat
  EXPECT_EQ(imported->counts[1].doubted_powers, 2);     // 10 and 20 us
  for (std::size_t i = 0; i < all_marks.size(); ++i) {
    const std::int64_t expected = all_marks[i] == Mark::slower_than_repeats   ? 1
                                  : all_marks[i] == Mark::power_label_short   ? 2
                                  : all_marks[i] == Mark::energy_not_measured ? 1
                                                                              : 0;
    EXPECT_EQ(imported->mark_counts[i], expected) << to_string(all_marks[i]);
  }
}

TEST(Import, MarksWhatIsFasterThanTheDevice) {
  // 2 * 8192^3 FLOPs take 1.111 ms at 989.4 TFLOP/s; 1 ms is beyond the tolerance of 5 %.
  const auto rows = imported_rows("aiconfigurator-gemm", "gemm.csv",
                                  gemm_header +
                                      "bfloat16,8192,8192,8192,1.0,600\n"
                                      "bfloat16,8192,8192,8192,1.2,600\n",
                                  "h200-141gb-sxm");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(describe(rows[0].marks), "faster_than_peak");
  EXPECT_TRUE(rows[1].marks.empty());
}

TEST(Import, RefusesDurationsInAnotherUnit) {
  // The same product takes about 1.5 ms: 0.0015 are seconds, 1500 microseconds.
  for (const char* slip : {"0.0015", "1500"}) {
    const Error error = import_error(
        "aiconfigurator-gemm", "gemm.csv",
        gemm_header + "bfloat16,8192,8192,8192,1.5,600\nbfloat16,8192,8192,8192," + slip + ",600\n",
        "h200-141gb-sxm");
    EXPECT_EQ(error.kind, ErrorKind::value);
    EXPECT_EQ(error.where.line, 3);
    EXPECT_THAT(error.remedy, HasSubstr("unit"));
  }
}

TEST(Import, NamesTheNearestFormat) {
  const Error error = import_error("neusight-op", "t.csv", "");
  EXPECT_EQ(error.kind, ErrorKind::not_found);
  EXPECT_THAT(error.remedy, HasSubstr("did you mean neusight-ops?"));
  EXPECT_THAT(import_error("xyz", "t.csv", "").remedy, HasSubstr("choose one of: ecai2025-ops"));
}

TEST(Import, NeedsADeviceThatExists) {
  const std::string table = gemm_header + "fp8,8,8,8,0.1,300\n";
  const Error missing = import_error("aiconfigurator-gemm", "t.csv", table);
  EXPECT_EQ(missing.kind, ErrorKind::usage);
  EXPECT_EQ(missing.where.path, "--device");
  const Error unknown = import_error("aiconfigurator-gemm", "t.csv", table, "h2000");
  EXPECT_EQ(unknown.kind, ErrorKind::not_found);
  EXPECT_EQ(unknown.where.path, "--device");
  EXPECT_THAT(unknown.message, HasSubstr("unknown device \"h2000\""));
}

TEST(Import, RefusesFilesWithoutRowsAndFilesThatAreNotThere) {
  for (const std::string& format : import_formats()) {
    EXPECT_EQ(import_error(format, "t.csv", "", "a40").kind, ErrorKind::syntax) << format;
    // Records and reports are JSON, which this is not.
    const bool table = format != "campaign" && format != "measure";
    EXPECT_EQ(import_error(format, "t.csv", "a,b\n", "a40").kind,
              table ? ErrorKind::schema : ErrorKind::syntax)
        << format;
    const ImportRequest request{.format = format, .files = {"none/t.csv"}};
    EXPECT_EQ(import_measurements(request, shipped_devices()).error().kind, ErrorKind::not_found);
  }
  EXPECT_THAT(import_error("aiconfigurator-gemm", "t.csv", gemm_header, "a40").message,
              HasSubstr("no rows"));
}

TEST(Import, GivesTheSameTableForTheSameFiles) {
  const std::string table = gemm_header + "fp8,64,64,64,0.01,200\nbfloat16,64,64,64,0.02,\n";
  const auto first = imported_rows("aiconfigurator-gemm", "t.csv", table, "h200-141gb-sxm");
  const auto again = imported_rows("aiconfigurator-gemm", "t.csv", table, "h200-141gb-sxm");
  EXPECT_EQ(write_measurements(first), write_measurements(again));
}

TEST(Import, KeepsTheRowsInTheirOrder) {
  const auto rows = imported_rows("aiconfigurator-gemm", "t.csv",
                                  gemm_header +
                                      "fp8,9,8,8,0.01,200\nfp8,7,8,8,0.01,200\n"
                                      "fp8,8,8,8,0.01,200\n",
                                  "h200-141gb-sxm");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(std::get<MatmulShape>(rows[0].shape).m, 9);
  EXPECT_EQ(std::get<MatmulShape>(rows[1].shape).m, 7);
  EXPECT_EQ(std::get<MatmulShape>(rows[2].shape).m, 8);
}

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// Laws are fitted to rows made by a known law, and found again.
#include "../documents/temporary_directory.hpp"

#include <joulecast/fit.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace joulecast {
namespace {

using testing::HasSubstr;

// t = 1e-5 s + 2 m n k / (0.5 * 9.894e14 FLOP/s), on a grid of sizes: the family "launch" exactly.
std::vector<Measurement> launch_rows(const char* device = "h100-80gb-sxm") {
  std::vector<Measurement> rows;
  for (const std::int64_t m : {1, 16, 64, 256, 1024, 4096}) {
    for (const std::int64_t n : {512, 1024, 4096}) {
      for (const std::int64_t k : {512, 2048, 8192}) {
        Measurement row;
        row.source = "made up";
        row.device = device;
        row.operation = "linear";
        row.precision = MeasuredPrecision::bf16;
        row.shape = MatmulShape{.batch = 1, .m = m, .n = n, .k = k};
        row.duration = Seconds{1e-5 + 2.0 * static_cast<double>(m * n * k) / (0.5 * 9.894e14)};
        rows.push_back(row);
      }
    }
  }
  return rows;
}

const DeviceCatalogue& catalogue() {
  static const DeviceCatalogue devices = load_devices().value();
  return devices;
}

TEST(FitLaws, FindTheLawThatMadeTheRows) {
  const LawFits fits = fit_laws(launch_rows(), catalogue(), {.family = "launch"}).value();
  ASSERT_EQ(fits.laws.size(), 1U);
  const Law& law = fits.laws[0].law;
  EXPECT_EQ(law.id, "h100-80gb-sxm/bf16/linear");
  const auto& form = std::get<FamilyLaw>(law.form);
  EXPECT_NEAR(form.parameters[0], 1e-5, 1e-9);
  EXPECT_NEAR(form.parameters[1], 0.5, 1e-4);
  EXPECT_LT(law.errors->mean_absolute_percentage_error, 1e-3);
  EXPECT_EQ(law.errors->rows, 54);
  EXPECT_EQ(fits.laws[0].shapes, 54);
}

TEST(FitLaws, ChooseTheFamilyThatErrsLeastAndReportTheOthers) {
  const LawFits fits = fit_laws(launch_rows(), catalogue()).value();
  const Law& law = fits.laws[0].law;
  ASSERT_GE(law.trials.size(), 4U);
  EXPECT_EQ(law.trials.front().law, std::get<FamilyLaw>(law.form));
  for (const FamilyTrial& trial : law.trials) {
    EXPECT_GE(trial.errors.mean_absolute_percentage_error,
              law.errors->mean_absolute_percentage_error);
  }
  EXPECT_LT(law.errors->mean_absolute_percentage_error, 0.02);
}

TEST(FitLaws, DependOnNeitherTheOrderOfTheRowsNorTheThreads) {
  std::vector<Measurement> rows = launch_rows();
  const LawFits one = fit_laws(rows, catalogue(), {.threads = 1}).value();
  std::mt19937 random(3);
  std::ranges::shuffle(rows, random);
  const LawFits two = fit_laws(rows, catalogue(), {.threads = 4}).value();
  EXPECT_EQ(one.laws[0].law.form, two.laws[0].law.form);
  EXPECT_EQ(one.laws[0].law.row_hashes, two.laws[0].law.row_hashes);
}

// Two rows that a mark doubts are left out and counted; the others lead to the same law.
TEST(FitLaws, LeaveOutDoubtedRowsAndCountThem) {
  std::vector<Measurement> rows = launch_rows();
  for (int i = 0; i < 2; ++i) {
    Measurement wrong = rows[static_cast<std::size_t>(20 + i)];
    wrong.duration = wrong.duration * 5.0;
    wrong.marks.add(Mark::slower_than_repeats);
    rows.push_back(wrong);
  }
  const LawFits fits = fit_laws(rows, catalogue(), {.family = "launch"}).value();
  EXPECT_EQ(fits.laws[0].doubted, 2);
  EXPECT_EQ(fits.laws[0].rows, 54);
  EXPECT_NEAR(std::get<FamilyLaw>(fits.laws[0].law.form).parameters[1], 0.5, 1e-4);
}

TEST(FitLaws, RefuseWhatCannotCarryALaw) {
  std::vector<Measurement> rows = launch_rows();
  EXPECT_FALSE(fit_laws({}, catalogue()).has_value());
  const auto one = fit_laws(std::vector<Measurement>(1, rows[0]), catalogue());
  ASSERT_FALSE(one.has_value());
  EXPECT_THAT(one.error().message, HasSubstr("1 distinct shapes"));
  for (Measurement& row : rows) row.duration = Seconds{1e-3};
  const auto alike = fit_laws(rows, catalogue());
  ASSERT_FALSE(alike.has_value());
  EXPECT_THAT(alike.error().message, HasSubstr("all durations are alike"));
  EXPECT_EQ(fit_laws(rows, catalogue(), {.family = "papr"}).error().kind, ErrorKind::usage);
}

// Two boards under one name, one of them half as fast: every shape disagrees with its repeat.
TEST(FitLaws, WarnOfTwoDevicesUnderOneName) {
  std::vector<Measurement> rows = launch_rows();
  std::vector<Measurement> slower = launch_rows();
  for (Measurement& row : slower) row.duration = row.duration * 2.0;
  rows.insert(rows.end(), slower.begin(), slower.end());
  const LawFits fits = fit_laws(rows, catalogue(), {.family = "launch"}).value();
  ASSERT_EQ(fits.laws[0].warnings.size(), 1U);
  EXPECT_EQ(fits.laws[0].warnings[0].code, WarningCode::rows_disagree);
}

TEST(FitLaws, JudgeTransferWithEachDeviceLeftOut) {
  std::vector<Measurement> rows = launch_rows();
  const std::vector<Measurement> others = launch_rows("a100-80gb-sxm");
  rows.insert(rows.end(), others.begin(), others.end());
  const LawFits fits = fit_laws(rows, catalogue(), {.family = "launch"}).value();
  ASSERT_EQ(fits.transfers.size(), 1U);
  EXPECT_THAT(fits.transfers[0].devices, testing::ElementsAre("a100-80gb-sxm", "h100-80gb-sxm"));
  // A100 rows were made with the peak of the other: 9.894e14 / 3.12e14 apart where work counts.
  EXPECT_GT(fits.transfers[0].interval.upper, 2.0);
  EXPECT_LT(fits.transfers[0].interval.upper, 9.894e14 / 3.12e14 * 1.01);
}

TEST(SaveFits, WritesWhatReadLawsReads) {
  const TemporaryDirectory directory;
  const LawFits fits = fit_laws(launch_rows(), catalogue()).value();
  ASSERT_TRUE(save_fits(directory.path(), fits).has_value());
  const LawSet laws = read_laws(directory.path()).value();
  ASSERT_EQ(laws.laws().size(), 1U);
  const Law& read = laws.laws()[0];
  const Law& made = fits.laws[0].law;
  EXPECT_EQ(read.form, made.form);
  EXPECT_EQ(read.row_hashes, made.row_hashes);
  EXPECT_EQ(read.bands.size(), made.bands.size());
  for (const Measurement& row : launch_rows()) EXPECT_TRUE(is_in_sample(read, row));
  Measurement other = launch_rows()[0];
  other.duration = other.duration * 1.01;
  EXPECT_FALSE(is_in_sample(read, other));
  const LawSet paper = read_laws(directory.path(), "paper").value();
  ASSERT_EQ(paper.laws().size(), 1U);
  EXPECT_EQ(std::get<FamilyLaw>(paper.laws()[0].form).family, "paper");
}

}  // namespace
}  // namespace joulecast

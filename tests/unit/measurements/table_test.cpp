// SPDX-License-Identifier: Apache-2.0
#include "documents/value.hpp"
#include "measured.hpp"

#include <gmock/gmock.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

const std::string header =
    "schema_version,record,source,device,software,operation,phase,precision,shape,"
    "duration_seconds,power_watts,energy_joules,energy_kind,power_limit_watts,marks\n";

const std::string good_row =
    "1,operation,test:t.csv,h200-141gb-sxm,,linear,forward,bf16,batch=1 m=2 n=3 k=4,0.25,400,100,"
    "board,700,power_label_low;energy_not_measured\n";

// The row with one field changed.
std::string row_with(std::size_t column, const std::string& value) {
  std::vector<std::string> fields(1);
  for (const char character : good_row.substr(0, good_row.size() - 1)) {
    if (character == ',') {
      fields.emplace_back();
    } else {
      fields.back() += character;
    }
  }
  fields.at(column) = value;
  std::string row;
  for (const std::string& field : fields) row += (row.empty() ? "" : ",") + field;
  return row + "\n";
}

Error error_of(const std::string& text) {
  const auto rows = parse_measurements(text, "t.csv");
  EXPECT_FALSE(rows.has_value()) << text;
  return rows ? Error{} : rows.error();
}

Measurement step_row() {
  Measurement row;
  row.source = "own, \"quoted\" source";
  row.device = "a100-80gb-pcie";
  row.software = "PyTorch 2.1, CUDA 12";
  row.operation = "step";
  row.phase = MeasuredPhase::step;
  row.precision = MeasuredPrecision::tf32;
  row.shape = StepShape{.model = "a b.json", .batch_size = 8, .sequence_length = 128};
  row.duration = Seconds{0.1};
  row.energy = Joules{1.0 / 3.0};
  row.energy_kind = EnergyKind::tracker_counter;
  return row;
}

TEST(MeasurementTable, ReadsEveryColumn) {
  const auto rows = parse_measurements(header + good_row, "t.csv");
  ASSERT_TRUE(rows.has_value()) << describe(rows.error());
  ASSERT_EQ(rows->size(), 1U);
  Measurement expected =
      with_power(measured_matmul({.batch = 1, .m = 2, .n = 3, .k = 4}, 0.25), 400.0);
  expected.source = "test:t.csv";
  expected.energy = Joules{100.0};
  expected.marks.add(Mark::power_label_low);
  expected.marks.add(Mark::energy_not_measured);
  EXPECT_EQ(rows->front(), expected);
}

TEST(MeasurementTable, ReadsTheExampleOfTheDocuments) {
  const std::string document =
      read_text_file(std::string(JOULECAST_SOURCE_DIR) + "/docs/data_formats.md").value();
  const std::size_t begin = document.find(header);
  ASSERT_NE(begin, std::string::npos);
  const std::string example = document.substr(begin, document.find("```", begin) - begin);
  const auto rows = parse_measurements(example, "docs");
  ASSERT_TRUE(rows.has_value()) << describe(rows.error());
  EXPECT_EQ(rows->size(), 3U);
  EXPECT_EQ(write_measurements(*rows), example);
}

TEST(MeasurementTable, ReadsBackWhatItWroteBitByBit) {
  const std::vector<Measurement> rows = {
      measured_matmul({.m = 1, .n = 1, .k = 1}, 0.1 + 0.2), step_row(),
      with_power(measured_matmul({.m = 8, .n = 8, .k = 8}, 1e-300), 699.999)};
  const std::string text = write_measurements(rows);
  const auto read = parse_measurements(text, "t.csv");
  ASSERT_TRUE(read.has_value()) << describe(read.error());
  EXPECT_EQ(*read, rows);
  EXPECT_EQ(write_measurements(*read), text);
}

TEST(MeasurementTable, NeedsEveryColumnAndNoOther) {
  std::string renamed = header;
  renamed.replace(renamed.find("duration_seconds"), 16, "duration_milliseconds");
  const Error missing = error_of(renamed + good_row);
  EXPECT_EQ(missing.kind, ErrorKind::schema);
  EXPECT_THAT(missing.message, HasSubstr("no column \"duration_seconds\""));
  EXPECT_THAT(missing.remedy, HasSubstr("did you mean duration_milliseconds?"));
  const std::string wider = header.substr(0, header.size() - 1) + ",comment\n" +
                            good_row.substr(0, good_row.size() - 1) + ",x\n";
  EXPECT_THAT(error_of(wider).message, HasSubstr("unknown column \"comment\""));
  EXPECT_EQ(error_of(header).kind, ErrorKind::schema);
  EXPECT_EQ(error_of("").kind, ErrorKind::syntax);
}

TEST(MeasurementTable, RefusesATableOfANewerSchema) {
  const Error error = error_of(header + row_with(0, "2"));
  EXPECT_EQ(error.where, (Location{"t.csv", "schema_version", 2, 1}));
  EXPECT_THAT(error.remedy, HasSubstr("newer joulecast"));
}

TEST(MeasurementTable, NamesTheFieldThatIsWrong) {
  const std::vector<std::pair<std::size_t, std::vector<std::string>>> wrong = {
      {1, {"", "step", "Operation"}},
      {2, {""}},
      {3, {""}},
      {5, {"", "linaer", "step"}},
      {6, {"", "fwd"}},
      {7, {"", "bfloat16"}},
      {8, {"", "m=2 n=3 k=4", "batch=1 m=2 n=3 k=0"}},
      {9, {"", "0", "-1", "nan", "inf", "1 s"}},
      {10, {"0", "-400", "nan", "400W"}},
      {11, {"0", "102", "x"}},
      {12, {"", "none", "boards"}},
      {13, {"0", "x"}},
      {14, {"slow", ";", "power_label_low,"}},
  };
  for (const auto& [column, values] : wrong) {
    for (const std::string& value : values) {
      const auto rows = parse_measurements(header + good_row + row_with(column, value), "t.csv");
      ASSERT_FALSE(rows.has_value()) << column << " " << value;
      EXPECT_EQ(rows.error().where.line, 3) << column << " " << value;
    }
  }
  EXPECT_EQ(error_of(header + row_with(9, "nan")).where.path, "duration_seconds");
  EXPECT_THAT(error_of(header + row_with(5, "linaer")).remedy, HasSubstr("linear"));
}

TEST(MeasurementTable, NeverLetsEnergyStandWithoutItsKind) {
  EXPECT_THAT(error_of(header + row_with(12, "none")).message, HasSubstr("without its kind"));
  std::string unmeasured = row_with(10, "");
  unmeasured.replace(unmeasured.find(",100,"), 5, ",,");
  EXPECT_THAT(error_of(header + unmeasured).message, HasSubstr("no power or energy"));
}

TEST(MeasurementTable, RefusesEnergyThatIsNotPowerTimesDuration) {
  // 400 W for 0.25 s is 100 J; one percent is allowed for rounding.
  EXPECT_TRUE(parse_measurements(header + row_with(11, "100.9"), "t.csv").has_value());
  EXPECT_THAT(error_of(header + row_with(11, "101.1")).message,
              HasSubstr("is not power times duration"));
}

TEST(MeasurementTable, RefusesACutRow) {
  const Error error = error_of(header + good_row.substr(0, 40));
  EXPECT_EQ(error.kind, ErrorKind::syntax);
  EXPECT_EQ(error.where.line, 2);
}

TEST(MeasurementHash, NamesWhatWasMeasuredAndNothingElse) {
  const Measurement row = with_power(measured_matmul({.m = 64, .n = 64, .k = 64}, 1e-5), 300.0);
  Measurement same = row;
  same.source = "other:file.csv";
  same.software = "another stack";
  same.power_limit = Watts{500.0};
  same.marks.add(Mark::warm_up);
  EXPECT_EQ(hash_of(same), hash_of(row));
  EXPECT_EQ(hash_of(row).size(), 16U);

  std::vector<Measurement> others(9, row);
  others[0].device = "h100-80gb-sxm";
  others[1].operation = "batched_matmul";
  others[2].phase = MeasuredPhase::backward;
  others[3].precision = MeasuredPrecision::fp16;
  others[4].shape = MatmulShape{.m = 64, .n = 64, .k = 65};
  others[5].duration = Seconds{1.0000000000000002e-5};
  others[6].power = Watts{300.1};
  others[7].power.reset();
  others[8].energy_kind = EnergyKind::tracker_counter;
  for (const Measurement& other : others) EXPECT_NE(hash_of(other), hash_of(row));
}

TEST(MeasurementHash, NeverChanges) {
  // echo -n of the identity, through sha256sum; laws carry these hashes, so they must stay.
  // "joulecast measurement 1\nh200-141gb-sxm\nlinear\nforward\nbf16\nbatch=1 m=1 n=2 k=3\n0.5\n\n\n
  // none"
  EXPECT_EQ(hash_of(measured_matmul({.batch = 1, .m = 1, .n = 2, .k = 3}, 0.5)),
            "4bcf33433e153c20");
}

}  // namespace
}  // namespace joulecast

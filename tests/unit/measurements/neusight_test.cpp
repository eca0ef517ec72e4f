// SPDX-License-Identifier: Apache-2.0
#include "measured.hpp"

#include <gmock/gmock.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

TEST(Neusight, ReadsColumnNAsTheSumAndColumnKAsTheWidth) {
  const auto rows = imported_rows("neusight-ops", "train_bmm.csv",
                                  "OPName,Latency,Device,Kernel Name,B,M,N,K\n"
                                  "bmm,0.5,Tesla T4,sgemm,6,27,21,390\n"
                                  "linear,0.5,AMD Instinct MI210,\"a, b\",1,58,13,141\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].operation, "batched_matmul");
  EXPECT_EQ(rows[0].device, "t4");
  EXPECT_EQ(rows[0].precision, MeasuredPrecision::fp32);
  EXPECT_EQ(rows[0].duration.value(), 0.5e-3);
  EXPECT_EQ(describe(rows[0].shape), "batch=6 m=27 n=390 k=21");
  EXPECT_EQ(rows[1].operation, "linear");
  EXPECT_EQ(rows[1].device, "mi210");
  EXPECT_EQ(describe(rows[1].shape), "batch=1 m=58 n=141 k=13");
}

TEST(Neusight, ReadsElementwiseTablesAndNorms) {
  std::string table = "OPName,Latency,Device,B,H\n";
  const std::vector<std::pair<std::string, std::string>> names = {
      {"add", "add"},   {"mul", "multiply"},    {"gelu", "gelu"},    {"relu", "relu"},
      {"tanh", "tanh"}, {"softmax", "softmax"}, {"ln", "layer_norm"}};
  for (const auto& [source, ours] : names) table += source + ",0.02,Tesla P4,127,168\n";
  const auto rows = imported_rows("neusight-ops", "elements.csv", table);
  ASSERT_EQ(rows.size(), names.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].operation, names[i].second);
    // 127 * 168 = 21336
    EXPECT_EQ(describe(rows[i].shape), "elements=21336 width=168");
  }
}

TEST(Neusight, ReadsSquareConvolutions) {
  const auto rows = imported_rows(
      "neusight-ops", "train_conv.csv",
      "OPName,Latency,Device,Kernel Name,B,Input_Channel,Output_Channel,Kernel_Szie,Input_Size,"
      "Stride,Padding\nconv,1.5,Tesla V100-PCIE-32GB,k,8,64,32,3,28,2,1\n");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].device, "v100-pcie-32gb");
  EXPECT_EQ(describe(rows[0].shape),
            "batch=8 in_channels=64 out_channels=32 height=28 width=28 kernel=3 stride=2 padding=1 "
            "groups=1");
}

TEST(Neusight, RefusesWhatItDoesNotKnow) {
  const std::string header = "OPName,Latency,Device,B,H\n";
  const Error device = import_error("neusight-ops", "add.csv", header + "add,0.1,Tesla T44,4,4\n");
  EXPECT_EQ(device.kind, ErrorKind::not_found);
  EXPECT_EQ(device.where.path, "Device");
  EXPECT_EQ(device.where.line, 2);
  EXPECT_THAT(import_error("neusight-ops", "add.csv", header + "ad,0.1,Tesla T4,4,4\n").remedy,
              HasSubstr("did you mean add?"));
  // The name of another table's operation does not fit these columns.
  EXPECT_THAT(import_error("neusight-ops", "add.csv", header + "bmm,0.1,Tesla T4,4,4\n").message,
              HasSubstr("unknown operation"));
  EXPECT_EQ(import_error("neusight-ops", "add.csv", header + "add,0,Tesla T4,4,4\n").where.path,
            "Latency");
  EXPECT_EQ(import_error("neusight-ops", "add.csv", header + "add,1,Tesla T4,-4,-4\n").kind,
            ErrorKind::value);
}

TEST(Neusight, NamesTheDeviceItselfSoTheFlagWouldContradict) {
  const Error error = import_error("neusight-ops", "add.csv",
                                   "OPName,Latency,Device,B,H\nadd,0.1,Tesla T4,4,4\n", "p4");
  EXPECT_EQ(error.kind, ErrorKind::usage);
  EXPECT_EQ(error.where.path, "--device");
}

}  // namespace
}  // namespace joulecast

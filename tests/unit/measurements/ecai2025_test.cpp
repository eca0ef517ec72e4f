// SPDX-License-Identifier: Apache-2.0
#include "measured.hpp"

#include <gmock/gmock.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

constexpr const char* a100 = "NVIDIA A100 80GB PCIe";
constexpr const char* turing = "NVIDIA GeForce RTX 2080 Ti";

const std::string ops_header =
    ",operation,elapsed_time_sec,FLOPs,energy_consumed_kWh,seq_len,d_model,source\n";

std::string ops_row(const std::string& operation, const std::string& flops, int sequence, int width,
                    const std::string& device, const std::string& seconds = "0.001") {
  static int index = 0;
  return std::to_string(++index) + "," + operation + "," + seconds + "," + flops + ",1e-5," +
         std::to_string(sequence) + "," + std::to_string(width) + "," + device + "\n";
}

TEST(Ecai2025Ops, AreOfBatch64WithOneHead) {
  // S 128, D 256, 64 sequences: QKV 6 B S D^2 = 3221225472; scores and values 2 B S^2 D =
  // 536870912; projection 2 B S D^2 = 1073741824.
  const auto rows =
      imported_rows("ecai2025-ops", "ops.csv",
                    ops_header + ops_row("QKV Projections", "3221225472", 128, 256, a100) +
                        ops_row("Attention Scores", "536870912", 128, 256, a100) +
                        ops_row("attention_softmax", "65536", 128, 256, a100) +
                        ops_row("Attention Output", "536870912", 128, 256, a100) +
                        ops_row("Final Projection", "1073741824.0", 128, 256, turing));
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].device, "a100-80gb-pcie");
  EXPECT_EQ(rows[0].duration.value(), 1e-3);
  EXPECT_EQ(rows[0].operation, "qkv_projection");
  EXPECT_EQ(describe(rows[0].shape), "batch=1 m=8192 n=768 k=256");
  EXPECT_EQ(rows[1].operation, "attention_scores");
  EXPECT_EQ(describe(rows[1].shape), "batch=64 m=128 n=128 k=256");
  EXPECT_EQ(rows[2].operation, "softmax");
  EXPECT_EQ(describe(rows[2].shape), "elements=1048576 width=128");  // 64 * 128 * 128
  EXPECT_EQ(rows[3].operation, "attention_values");
  EXPECT_EQ(describe(rows[3].shape), "batch=64 m=128 n=256 k=128");
  EXPECT_EQ(rows[4].operation, "attention_output_projection");
  EXPECT_EQ(describe(rows[4].shape), "batch=1 m=8192 n=256 k=256");
}

TEST(Ecai2025Ops, RunInTf32WhereTheDeviceHasIt) {
  const auto rows =
      imported_rows("ecai2025-ops", "ops.csv",
                    ops_header + ops_row("QKV Projections", "3221225472", 128, 256, a100) +
                        ops_row("attention_softmax", "65536", 128, 256, a100) +
                        ops_row("QKV Projections", "3221225472", 128, 256, turing));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].precision, MeasuredPrecision::tf32);
  EXPECT_EQ(rows[1].precision, MeasuredPrecision::fp32);
  EXPECT_EQ(rows[2].precision, MeasuredPrecision::fp32);
}

TEST(Ecai2025Ops, LeaveTheCumulativeEnergyOut) {
  const auto rows = imported_rows("ecai2025-ops", "ops.csv",
                                  ops_header + ops_row("attention_softmax", "1", 128, 256, a100));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].energy_kind, EnergyKind::none);
  EXPECT_FALSE(rows[0].energy.has_value());
}

TEST(Ecai2025Ops, RefuseFlopsThatDoNotFollowFromTheSizes) {
  const Error error =
      import_error("ecai2025-ops", "ops.csv",
                   ops_header + ops_row("QKV Projections", "0.003221225472", 128, 256, a100));
  EXPECT_EQ(error.where.path, "FLOPs");
  EXPECT_THAT(error.message, HasSubstr("which give 3221225472"));
}

TEST(Ecai2025Ops, RefuseUnknownOperationsAndSizes) {
  EXPECT_THAT(import_error("ecai2025-ops", "ops.csv",
                           ops_header + ops_row("QKV Projection", "1", 128, 256, a100))
                  .remedy,
              HasSubstr("did you mean QKV Projections?"));
  EXPECT_EQ(import_error("ecai2025-ops", "ops.csv",
                         ops_header + ops_row("attention_softmax", "1", 0, 256, a100))
                .where.path,
            "seq_len");
}

TEST(Ecai2025Ops, TakeTheDeviceFromTheFlagWhereTheTableHasNone) {
  const char* raw =
      "operation,elapsed_time_sec,FLOPs,seq_len,d_model\nattention_softmax,0.001,1,128,256\n";
  EXPECT_EQ(imported_rows("ecai2025-ops", "raw.csv", raw, "rtx-2080-ti")[0].device, "rtx-2080-ti");
  EXPECT_EQ(import_error("ecai2025-ops", "raw.csv", raw).where.path, "--device");
}

TEST(Ecai2025Ops, MarkTheWarmUpOfASweep) {
  const auto rows =
      imported_rows("ecai2025-ops", "ops.csv",
                    ops_header + ops_row("attention_softmax", "1", 128, 256, a100, "0.13") +
                        ops_row("attention_softmax", "1", 256, 256, a100, "0.0002") +
                        ops_row("attention_softmax", "1", 128, 256, a100, "0.1") +  // another sweep
                        ops_row("attention_softmax", "1", 256, 256, a100, "0.00021") +
                        ops_row("attention_softmax", "1", 384, 256, a100, "0.0003"));
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_TRUE(rows[0].marks.has(Mark::warm_up));
  EXPECT_FALSE(rows[1].marks.has(Mark::warm_up));
  EXPECT_TRUE(rows[2].marks.has(Mark::warm_up));
}

TEST(Ecai2025LstmOps, AreTheProductsAndElementsOfACell) {
  // B 64, I 128, H 256: input gates 8 B I H = 16777216, hidden gates 8 B H^2 = 33554432.
  std::string table =
      ",source,batch_size,input_size,hidden_size,component,elapsed_time_sec,FLOPs\n";
  const std::vector<std::pair<std::string, std::string>> operations = {
      {"compute_gates", "16777216"},
      {"hidden_gates", "33554432"},
      {"Activations", "65536"},
      {"Cell Update", "32768"},
      {"Hidden Update", "32768"}};
  for (const auto& [name, flops] : operations) {
    table += "0," + std::string(a100) + ",64,128,256," + name + ",0.001," + flops + "\n";
  }
  const auto rows = imported_rows("ecai2025-lstm-ops", "lstm.csv", table);
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].operation, "lstm_input_gates");
  EXPECT_EQ(describe(rows[0].shape), "batch=1 m=64 n=1024 k=128");
  EXPECT_EQ(rows[0].precision, MeasuredPrecision::tf32);
  EXPECT_EQ(rows[1].operation, "lstm_hidden_gates");
  EXPECT_EQ(describe(rows[1].shape), "batch=1 m=64 n=1024 k=256");
  EXPECT_EQ(rows[2].operation, "lstm_activations");
  EXPECT_EQ(describe(rows[2].shape), "elements=65536 width=1024");
  EXPECT_EQ(rows[3].operation, "lstm_cell_update");
  EXPECT_EQ(describe(rows[3].shape), "elements=16384 width=256");
  EXPECT_EQ(rows[3].precision, MeasuredPrecision::fp32);
  EXPECT_EQ(rows[4].operation, "lstm_hidden_update");
}

TEST(Ecai2025LstmOps, AlsoComeAsDigestAndRaw) {
  const auto digest = imported_rows("ecai2025-lstm-ops", "digest.csv",
                                    "file,op,batch_size,input_size,hidden_size,FLOPs,t_median_s\n"
                                    "raw.csv,h_Gates,64,64,128,8388608,0.0002\n",
                                    "a100-80gb-pcie");
  ASSERT_EQ(digest.size(), 1U);
  EXPECT_EQ(digest[0].operation, "lstm_hidden_gates");
  EXPECT_EQ(digest[0].duration.value(), 0.0002);
  const auto raw =
      imported_rows("ecai2025-lstm-ops", "raw.csv",
                    "operation,elapsed_time_sec,FLOPs,input_size,hidden_size,batch_size,time_step\n"
                    "Gates_t0,0.0003,4194304,64,128,64,0\nGates_t12,0.0002,4194304,64,128,64,12\n",
                    "a100-80gb-pcie");
  ASSERT_EQ(raw.size(), 2U);
  EXPECT_EQ(raw[1].operation, "lstm_input_gates");
  EXPECT_THAT(import_error("ecai2025-lstm-ops", "raw.csv",
                           "operation,elapsed_time_sec,FLOPs,input_size,hidden_size,batch_size\n"
                           "Gates_tx,0.0003,4194304,64,128,64\n",
                           "a100-80gb-pcie")
                  .message,
              HasSubstr("unknown operation \"Gates_tx\""));
}

}  // namespace
}  // namespace joulecast

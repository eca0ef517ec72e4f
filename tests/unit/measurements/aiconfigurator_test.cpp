// SPDX-License-Identifier: Apache-2.0
#include "measured.hpp"

#include <gmock/gmock.h>

namespace joulecast {
namespace {

using testing::HasSubstr;

constexpr const char* h200 = "h200-141gb-sxm";

TEST(AiconfiguratorGemm, TurnsMillisecondsIntoSecondsAndKeepsFormatsApart) {
  const auto rows = imported_rows("aiconfigurator-gemm", "gemm.csv",
                                  "gemm_dtype,m,n,k,latency,power\n"
                                  "bfloat16,64,128,256,0.25,400.5\n"
                                  "fp8,64,128,256,0.2,400\n"
                                  "fp8_block,64,128,256,0.2,400\n"
                                  "nvfp4,64,128,256,0.2,400\n"
                                  "float16,64,128,256,0.2,400\n",
                                  "b200");
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].source, "aiconfigurator-gemm:gemm.csv");
  EXPECT_EQ(rows[0].device, "b200-180gb-sxm");
  EXPECT_EQ(rows[0].software, "test stack");
  EXPECT_EQ(rows[0].operation, "linear");
  EXPECT_EQ(rows[0].phase, MeasuredPhase::forward);
  EXPECT_EQ(rows[0].shape, (MeasuredShape{MatmulShape{.batch = 1, .m = 64, .n = 128, .k = 256}}));
  EXPECT_EQ(rows[0].duration.value(), 0.25e-3);
  EXPECT_EQ(rows[0].power, Watts{400.5});
  EXPECT_EQ(rows[0].power_limit, Watts{1000.0});
  EXPECT_EQ(rows[0].energy_kind, EnergyKind::board);
  EXPECT_FALSE(rows[0].energy.has_value());
  EXPECT_EQ(rows[0].precision, MeasuredPrecision::bf16);
  EXPECT_EQ(rows[1].precision, MeasuredPrecision::fp8);
  EXPECT_EQ(rows[2].precision, MeasuredPrecision::fp8_block);
  EXPECT_EQ(rows[3].precision, MeasuredPrecision::nvfp4);
  EXPECT_EQ(rows[4].precision, MeasuredPrecision::fp16);
}

TEST(AiconfiguratorGemm, HasNoEnergyWithoutAPowerColumn) {
  const auto rows = imported_rows("aiconfigurator-gemm", "gemm.csv",
                                  "gemm_dtype,m,n,k,latency\nbfloat16,8,8,8,0.1\n", h200);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_FALSE(rows[0].power.has_value());
  EXPECT_FALSE(rows[0].power_limit.has_value());
  EXPECT_EQ(rows[0].energy_kind, EnergyKind::none);
  EXPECT_TRUE(rows[0].marks.empty());
}

TEST(AiconfiguratorGemm, MarksPowerThatWasNotMeasured) {
  const auto rows = imported_rows("aiconfigurator-gemm", "gemm.csv",
                                  "gemm_dtype,m,n,k,latency,power\nbfloat16,8,8,8,0.1,\n"
                                  "bfloat16,8,8,16,0.1,0.0\n",
                                  h200);
  ASSERT_EQ(rows.size(), 2U);
  for (const Measurement& row : rows) {
    EXPECT_EQ(describe(row.marks), "energy_not_measured");
    EXPECT_EQ(row.energy_kind, EnergyKind::none);
  }
}

TEST(AiconfiguratorGemm, KnowsTheFormatOnlyWhereThereIsOne) {
  const char* table = "m,n,k,latency\n8,8,8,0.1\n";
  const auto rows = imported_rows("aiconfigurator-gemm", "gemm.csv", table, "a100-80gb-sxm");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].precision, MeasuredPrecision::bf16);
  // An H200 multiplies in FP8 too, and an A100's column may hide under another name.
  EXPECT_THAT(import_error("aiconfigurator-gemm", "gemm.csv", table, h200).message,
              HasSubstr("no column \"gemm_dtype\""));
  EXPECT_THAT(import_error("aiconfigurator-gemm", "gemm.csv",
                           "gemm_type,m,n,k,latency\nfp8,8,8,8,0.1\n", "a100-80gb-sxm")
                  .remedy,
              HasSubstr("did you mean gemm_type?"));
}

TEST(AiconfiguratorGemm, NamesRenamedColumns) {
  const Error latency = import_error("aiconfigurator-gemm", "gemm.csv",
                                     "gemm_dtype,m,n,k,latency_us\nfp8,8,8,8,100\n", h200);
  EXPECT_EQ(latency.kind, ErrorKind::schema);
  EXPECT_THAT(latency.message, HasSubstr("no column \"latency\""));
  EXPECT_THAT(latency.remedy, HasSubstr("did you mean latency_us?"));
  EXPECT_THAT(latency.remedy, HasSubstr("another unit"));
  EXPECT_THAT(import_error("aiconfigurator-gemm", "gemm.csv",
                           "gemm_dtype,m,n,k,latency,power_mw\nfp8,8,8,8,1,5\n", h200)
                  .message,
              HasSubstr("no column \"power\""));
}

TEST(AiconfiguratorGemm, NamesTheFieldThatIsWrong) {
  const std::string header = "gemm_dtype,m,n,k,latency,power\n";
  for (const char* row :
       {"bf17,8,8,8,0.1,300", "fp8,0,8,8,0.1,300", "fp8,8.5,8,8,0.1,300", "fp8,8,,8,0.1,300",
        "fp8,8,8,8,0,300", "fp8,8,8,8,-0.1,300", "fp8,8,8,8,nan,300", "fp8,8,8,8,inf,300",
        "fp8,8,8,8,0.1,nan", "fp8,8,8,8,0.1,-1", "fp8,8,8,8,0.1,x"}) {
    const Error error = import_error("aiconfigurator-gemm", "gemm.csv",
                                     header + "fp8,8,8,8,0.1,300\n" + row + "\n", h200);
    EXPECT_EQ(error.kind, ErrorKind::value) << row;
    EXPECT_EQ(error.where.line, 3) << row;
  }
}

TEST(AiconfiguratorAttention, IsACausalPrefillWithItsCacheFormat) {
  const auto rows = imported_rows(
      "aiconfigurator-attention", "attention.csv",
      "batch_size,isl,num_heads,num_key_value_heads,head_dim,kv_cache_dtype,window_size,latency,"
      "power\n2,512,32,8,128,fp8,256,0.5,400\n",
      h200);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].operation, "attention");
  EXPECT_EQ(rows[0].precision, MeasuredPrecision::bf16);
  EXPECT_EQ(describe(rows[0].shape),
            "batch=2 sequence=512 kv_sequence=512 heads=32 kv_heads=8 head_size=128 causal=true "
            "window=256 kv_precision=fp8");
}

TEST(AiconfiguratorEncoderAttention, SeesAllKeysFromAllHeads) {
  const auto rows =
      imported_rows("aiconfigurator-encoder-attention", "encoder.csv",
                    "batch_size,isl,num_heads,head_dim,latency,power\n2,13,4,64,0.5,400\n", h200);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].operation, "encoder_attention");
  EXPECT_EQ(describe(rows[0].shape),
            "batch=2 sequence=13 kv_sequence=13 heads=4 kv_heads=4 head_size=64 causal=false "
            "window=0 kv_precision=bf16");
}

TEST(AiconfiguratorMoe, KeepsParallelSizesAndDistribution) {
  const std::string header =
      "moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,"
      "distribution,latency,power\n";
  const auto rows =
      imported_rows("aiconfigurator-moe", "moe.csv",
                    header + "fp8_block,4,2048,768,8,128,2,4,power_law_1.2,0.5,400\n", h200);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].precision, MeasuredPrecision::fp8_block);
  EXPECT_EQ(describe(rows[0].shape),
            "tokens=4 hidden_size=2048 intermediate_size=768 top_k=8 num_experts=128 "
            "tensor_parallel_size=2 expert_parallel_size=4 distribution=power_law_1.2");
  EXPECT_EQ(import_error("aiconfigurator-moe", "moe.csv",
                         header + "fp8,4,2048,768,8,4,1,1,balanced,0.5,400\n", h200)
                .where.line,
            2);
  EXPECT_EQ(import_error("aiconfigurator-moe", "moe.csv",
                         header + "fp8,4,2048,768,8,128,1,1,,0.5,400\n", h200)
                .where.path,
            "distribution");
}

TEST(AiconfiguratorComputescale, IsOneElementPerActivation) {
  const auto rows = imported_rows("aiconfigurator-computescale", "scale.csv",
                                  "m,k,latency,power\n32,128,0.5,400\n", h200);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].operation, "compute_scale");
  EXPECT_EQ(describe(rows[0].shape), "elements=4096 width=128");
}

}  // namespace
}  // namespace joulecast

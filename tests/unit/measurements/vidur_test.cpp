// SPDX-License-Identifier: Apache-2.0
#include "measured.hpp"

#include <gmock/gmock.h>

#include <map>

namespace joulecast {
namespace {

using testing::HasSubstr;

const std::vector<std::string> all_operations = {
    "emb",         "input_layernorm", "attn_pre_proj", "attn_rope", "attn_post_proj",
    "mlp_up_proj", "mlp_act",         "mlp_down_proj", "add",       "post_attention_layernorm"};

// 8 heads over 2 key-value heads of size 64, width 512, expanded 1024, 16 tokens.
std::string profile(const std::string& gated, int workers,
                    const std::vector<std::string>& operations = all_operations) {
  std::string header;
  std::string row;
  int microseconds = 10;
  for (const std::string& operation : operations) {
    header += "time_stats." + operation + ".min,time_stats." + operation + ".median,";
    row += "0.001,0.0" + std::to_string(microseconds++) + ",";
  }
  return header +
         "n_head,n_kv_head,n_embd,n_expanded_embd,vocab_size,use_gated_mlp,num_tokens,"
         "num_tensor_parallel_workers\n" +
         row + "8,2,512,1024,32000," + gated + ",16," + std::to_string(workers) + "\n";
}

std::map<std::string, std::string> shapes_of(const std::vector<Measurement>& rows) {
  std::map<std::string, std::string> shapes;
  for (const Measurement& row : rows) shapes[row.operation] = describe(row.shape);
  return shapes;
}

TEST(Vidur, TurnsOneRowIntoOneMeasurementPerOperation) {
  const auto rows =
      imported_rows("vidur-ops", "compute/a40/org/some-model/mlp.csv", profile("True", 2));
  ASSERT_EQ(rows.size(), 10U);
  EXPECT_EQ(rows[0].source, "vidur-ops:some-model/mlp.csv");
  EXPECT_EQ(rows[0].device, "a40");
  EXPECT_EQ(rows[0].precision, MeasuredPrecision::fp16);
  EXPECT_EQ(rows[0].duration.value(), 10e-6);  // the median, not the minimum
  EXPECT_EQ(rows[3].duration.value(), 13e-6);
  const auto shapes = shapes_of(rows);
  // Two workers: 4 heads and 1 key-value head, 512 expanded.
  EXPECT_EQ(shapes.at("qkv_projection"), "batch=1 m=16 n=384 k=512");  // (4 + 2) * 64
  EXPECT_EQ(shapes.at("attention_output_projection"), "batch=1 m=16 n=512 k=256");
  EXPECT_EQ(shapes.at("feed_forward_up"), "batch=1 m=16 n=1024 k=512");  // gate and up
  EXPECT_EQ(shapes.at("feed_forward_down"), "batch=1 m=16 n=512 k=512");
  EXPECT_EQ(shapes.at("rotary_embedding"), "elements=5120 width=320");  // (4 + 1) * 64
  EXPECT_EQ(shapes.at("silu_multiply"), "elements=8192 width=512");
  EXPECT_EQ(shapes.at("rms_norm"), "elements=8192 width=512");
  EXPECT_EQ(shapes.at("embedding"), "elements=8192 width=512");
  EXPECT_EQ(shapes.at("add"), "elements=8192 width=512");
}

TEST(Vidur, HasOneMatrixAndAnotherNormWithoutGates) {
  const auto shapes =
      shapes_of(imported_rows("vidur-ops", "mlp.csv", profile("False", 1), "a100-80gb-sxm"));
  EXPECT_EQ(shapes.at("feed_forward_up"), "batch=1 m=16 n=1024 k=512");
  EXPECT_EQ(shapes.at("gelu"), "elements=16384 width=1024");
  EXPECT_TRUE(shapes.contains("layer_norm"));
}

TEST(Vidur, TakesTheDeviceFromThePathUnlessTheFlagStatesIt) {
  const std::string path = "compute/a100/model/mlp.csv";
  EXPECT_EQ(imported_rows("vidur-ops", path, profile("True", 1))[0].device, "a100-80gb-sxm");
  EXPECT_EQ(imported_rows("vidur-ops", path, profile("True", 1), "a100-40gb-sxm")[0].device,
            "a100-40gb-sxm");
  EXPECT_EQ(import_error("vidur-ops", "mlp.csv", profile("True", 1)).where.path, "--device");
  EXPECT_EQ(import_error("vidur-ops", "compute/z9/m/mlp.csv", profile("True", 1)).kind,
            ErrorKind::not_found);
}

TEST(Vidur, ReadsTheOperationsThatAreThereAndNoOthers) {
  EXPECT_EQ(imported_rows("vidur-ops", "mlp.csv", profile("True", 1, {"add", "emb"}), "a40").size(),
            2U);
  EXPECT_THAT(
      import_error("vidur-ops", "mlp.csv", profile("True", 1, {"add", "attention"}), "a40").message,
      HasSubstr("unknown operation \"attention\""));
  EXPECT_EQ(import_error("vidur-ops", "mlp.csv", profile("True", 1, {}), "a40").kind,
            ErrorKind::schema);
  std::string renamed = profile("True", 1, {"add"});
  renamed.replace(renamed.find("median"), 6, "p50");
  EXPECT_THAT(import_error("vidur-ops", "mlp.csv", renamed, "a40").message,
              HasSubstr("time_stats.add.median"));
}

TEST(Vidur, RefusesLayersThatCannotBeSplit) {
  EXPECT_EQ(import_error("vidur-ops", "mlp.csv", profile("True", 4), "a40").where.path,
            "num_tensor_parallel_workers");  // 2 key-value heads over 4 workers
  EXPECT_EQ(import_error("vidur-ops", "mlp.csv", profile("yes", 1), "a40").where.path,
            "use_gated_mlp");
  EXPECT_EQ(import_error("vidur-ops", "mlp.csv", profile("True", 0), "a40").kind, ErrorKind::value);
}

}  // namespace
}  // namespace joulecast

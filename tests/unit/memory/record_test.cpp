// SPDX-License-Identifier: Apache-2.0
// What PyTorch kept of 157 training steps on an H200 (data/measurements/2026-11-26_h200_training_
// steps): parameters, gradients and states as sums over its tensors, and every storage that an
// operation saved for the backward pass, by saved-tensor hooks.
#include <joulecast/memory.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>

namespace joulecast {
namespace {

using Row = nlohmann::json;

std::vector<Row> measured_steps() {
  std::ifstream file(std::filesystem::path(JOULECAST_SOURCE_DIR) /
                     "data/measurements/2026-11-26_h200_training_steps/record.jsonl");
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    Row row = Row::parse(line);
    if (row["kind"] == "step") rows.push_back(std::move(row));
  }
  return rows;
}

// Two names of the first run stand for other models than today's: see the record's README.md.
std::optional<Model> model_of_row(const Row& row) {
  const std::string name = row["model"];
  if (name == "llama-400m" && row["parameters_bytes"] == 1344475136) return std::nullopt;
  const std::string today = name == "qwen3moe-170m" ? "qwen3moe-150m" : name;
  const std::string file = std::string(row["model_file"]).ends_with(".toml") ? "model.toml" : "";
  return read_model(std::filesystem::path(JOULECAST_SOURCE_DIR) / "campaign/models" / today / file)
      .value();
}

TrainingSetup setup_of_row(const Row& row) {
  const std::string optimizer = row["optimizer"];
  const bool eager = row["attention"] == "eager";
  return {.batch_size = row["batch_size"],
          .sequence_length = row["sequence_length"].is_null()
                                 ? std::int64_t{1}
                                 : std::int64_t{row["sequence_length"]},
          .precision = precision_from(std::string(row["precision"])).value(),
          .optimizer = optimizer == "sgd"           ? Optimizer::momentum
                       : optimizer == "adamw_fused" ? Optimizer::adamw
                                                    : optimizer_from(optimizer).value(),
          .attention = eager ? AttentionImplementation::eager : AttentionImplementation::fused};
}

const MemoryPart& part(const MemoryNeed& need, MemoryPartKind kind) {
  return need.parts.at(static_cast<std::size_t>(kind));
}

TEST(MeasuredMemory, ParametersGradientsAndStatesAreExact) {
  std::size_t compared = 0;
  for (const Row& row : measured_steps()) {
    const auto model = model_of_row(row);
    if (!model) continue;
    const MemoryNeed need = count_memory(*model, setup_of_row(row)).value();
    const std::string id = row["id"];
    EXPECT_EQ(part(need, MemoryPartKind::parameters).update_bytes, row["parameters_bytes"]) << id;
    EXPECT_EQ(part(need, MemoryPartKind::gradients).update_bytes, row["gradients_bytes"]) << id;
    EXPECT_EQ(part(need, MemoryPartKind::optimizer_states).update_bytes,
              row["optimizer_state_bytes"])
        << id;
    ++compared;
  }
  EXPECT_GE(compared, 150U);
}

// Not those that the model's file does not describe: experts run one by one keep their values in
// BF16, grouped products in FP32; the measured perceptrons end in a loss that their file does not
// state; images of another size than the file's.
bool is_described(const Row& row) {
  const bool other_image =
      row["image_size"].is_number() && row["image_size"].get<std::int64_t>() != 224;
  return row["experts"] != "eager" && !std::string(row["model"]).starts_with("mlp") && !other_image;
}

TEST(MeasuredMemory, WhatIsKeptIsWithinAFortiethOfTheCount) {
  std::size_t compared = 0;
  for (const Row& row : measured_steps()) {
    const auto model = model_of_row(row);
    if (!model || row.value("activations_saved_bytes", Row()).is_null() || !is_described(row))
      continue;
    const MemoryNeed need = count_memory(*model, setup_of_row(row)).value();
    const double ours =
        static_cast<double>(part(need, MemoryPartKind::weight_copies).backward_bytes +
                            part(need, MemoryPartKind::activations).backward_bytes +
                            part(need, MemoryPartKind::loss).backward_bytes);
    const double counted = row["activations_saved_bytes"].get<double>();
    EXPECT_LE(std::abs(ours / counted - 1.0), 0.025) << row["id"] << ": " << ours << " " << counted;
    ++compared;
  }
  EXPECT_GE(compared, 100U);
}

}  // namespace
}  // namespace joulecast

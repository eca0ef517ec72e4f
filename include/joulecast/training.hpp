// SPDX-License-Identifier: Apache-2.0
#pragma once

// How is the model trained? Batch, sequence, precision, optimizer, number of devices: facts of the
// training, not of the model and not of the hardware.

#include <joulecast/error.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace joulecast {

// The number format of the matrix products. TF32 stores 32 bits and multiplies 19; FP16 and BF16
// mean mixed precision with FP32 master weights; FP8 multiplies the linear layers in 8 bits and
// keeps everything else in BF16.
enum class Precision { fp32, tf32, fp16, bf16, fp8, fp4, int8 };

inline constexpr std::array all_precisions = {Precision::fp32, Precision::tf32, Precision::fp16,
                                              Precision::bf16, Precision::fp8,  Precision::fp4,
                                              Precision::int8};

// Those that a model can be trained in; devices state the other rates as well.
inline constexpr std::array training_precisions = {
    Precision::fp32, Precision::tf32, Precision::fp16, Precision::bf16, Precision::fp8};

enum class Optimizer { sgd, momentum, adam, adamw };

inline constexpr std::array all_optimizers = {Optimizer::sgd, Optimizer::momentum, Optimizer::adam,
                                              Optimizer::adamw};

// `ecai2025` follows the paper in everything: operations of the forward attention only, its
// published laws, the percent slip and its energy regression. `joulecast` is our own.
enum class Convention { joulecast, ecai2025 };

// How softmax(q k^T) v runs. `eager` computes and keeps all scores; `fused` is one kernel that never
// writes them (Dao et al. 2022, arXiv:2205.14135), PyTorch's scaled_dot_product_attention, which is
// what transformers runs unless told otherwise.
enum class AttentionImplementation { eager, fused };

inline constexpr std::array all_attention_implementations = {AttentionImplementation::eager,
                                                             AttentionImplementation::fused};

// Whether each elementwise operation is a kernel of its own (`eager`), or chains of them are one
// (`compiled`, as by torch.compile).
enum class Execution { eager, compiled };

inline constexpr std::array all_executions = {Execution::eager, Execution::compiled};

struct TrainingSetup {
  std::int64_t batch_size = 0;       // sequences per device and step
  std::int64_t sequence_length = 0;  // tokens per sequence; time steps for recurrent models
  Precision precision = Precision::fp32;
  Optimizer optimizer = Optimizer::adamw;
  std::int64_t num_gpus = 1;
  Convention convention = Convention::joulecast;
  // Tokens per sequence of the decoder of an encoder-decoder model; absent: as many as the
  // encoder's.
  std::optional<std::int64_t> target_sequence_length{};
  AttentionImplementation attention = AttentionImplementation::fused;
  Execution execution = Execution::eager;
};

std::string_view to_string(Precision precision);
std::string_view to_string(Optimizer optimizer);
std::string_view to_string(Convention convention);
std::string_view to_string(AttentionImplementation implementation);
std::string_view to_string(Execution execution);
std::optional<Precision> precision_from(std::string_view name);
std::optional<Optimizer> optimizer_from(std::string_view name);
std::optional<Convention> convention_from(std::string_view name);

// Refuses sizes below 1 or beyond 2^40 and formats nothing trains in (fp4, int8).
Result<TrainingSetup> check_training(const TrainingSetup& setup);

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include <joulecast/training.hpp>

#include "documents/value.hpp"

#include <fmt/format.h>

namespace joulecast {
namespace {

template <class Enum, std::size_t N>
std::optional<Enum> find_name(const std::array<Enum, N>& all, std::string_view name) {
  for (const Enum value : all) {
    if (to_string(value) == name) return value;
  }
  return std::nullopt;
}

std::optional<Error> check_size(std::string_view flag, std::int64_t value) {
  if (value >= 1 && value <= maximum_size) return std::nullopt;
  return Error{ErrorKind::value,
               fmt::format("must be a whole number from 1 to {}, is {}", maximum_size, value),
               Location{.file = {}, .path = std::string(flag)}, "give the real size"};
}

}  // namespace

std::string_view to_string(Precision precision) {
  switch (precision) {
    case Precision::fp32: return "fp32";
    case Precision::tf32: return "tf32";
    case Precision::fp16: return "fp16";
    case Precision::bf16: return "bf16";
    case Precision::fp8: return "fp8";
    case Precision::fp4: return "fp4";
    case Precision::int8: return "int8";
  }
  return "unknown";
}

std::string_view to_string(Optimizer optimizer) {
  switch (optimizer) {
    case Optimizer::sgd: return "sgd";
    case Optimizer::momentum: return "momentum";
    case Optimizer::adam: return "adam";
    case Optimizer::adamw: return "adamw";
  }
  return "unknown";
}

std::string_view to_string(Convention convention) {
  return convention == Convention::joulecast ? "joulecast" : "ecai2025";
}

std::string_view to_string(AttentionImplementation implementation) {
  return implementation == AttentionImplementation::eager ? "eager" : "fused";
}

std::string_view to_string(Execution execution) {
  return execution == Execution::eager ? "eager" : "compiled";
}

std::optional<Precision> precision_from(std::string_view name) {
  return find_name(all_precisions, name);
}

std::optional<Optimizer> optimizer_from(std::string_view name) {
  return find_name(all_optimizers, name);
}

std::optional<Convention> convention_from(std::string_view name) {
  return find_name(std::array{Convention::joulecast, Convention::ecai2025}, name);
}

Result<TrainingSetup> check_training(const TrainingSetup& setup) {
  if (auto error = check_size("--batch-size", setup.batch_size)) return std::unexpected(*error);
  if (auto error = check_size("--sequence-length", setup.sequence_length)) {
    return std::unexpected(*error);
  }
  if (auto error = check_size("--num-gpus", setup.num_gpus)) return std::unexpected(*error);
  if (setup.precision == Precision::fp4 || setup.precision == Precision::int8) {
    return std::unexpected(
        Error{ErrorKind::unsupported,
              fmt::format("training in {} is not supported", to_string(setup.precision)),
              Location{.file = {}, .path = "--precision"}, "choose fp32, tf32, fp16, bf16 or fp8"});
  }
  return setup;
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
// What every family promises, asked of all of them.
#include "laws/families.hpp"
#include "measurements/names.hpp"

#include <array>
#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace joulecast {
namespace {

// Rates of the size of an H200's; families tell architectures apart, so each is asked about.
DeviceFacts facts_for(std::string architecture, MeasuredPrecision precision) {
  return {.peak_flops_per_second = precision == MeasuredPrecision::fp32 ? 6.7e13 : 9.89e14,
          .bandwidth_bytes_per_second = 4.8e12,
          .multiprocessors = 132.0,
          .l2_bytes = 5e7,
          .power_limit_watts = 700.0,
          .architecture = std::move(architecture)};
}

constexpr std::array architectures = {"Pascal", "Volta",  "Turing",   "Ampere",
                                      "Ada",    "Hopper", "Blackwell"};

// A batch of decoding, of inference and of training; sizes with and without whole tiles.
std::vector<MeasuredShape> shapes_of(ShapeKind kind) {
  switch (kind) {
    case ShapeKind::matmul:
      return {MatmulShape{1, 1, 4096, 4096},     MatmulShape{1, 16, 4096, 1024},
              MatmulShape{1, 64, 1000, 1088},    MatmulShape{8, 256, 256, 64},
              MatmulShape{1, 96, 8192, 8192},    MatmulShape{1, 4096, 4096, 4096},
              MatmulShape{1, 33, 1000, 1000},    MatmulShape{1, 4099, 4096, 4096},
              MatmulShape{64, 1024, 1024, 128},  MatmulShape{1, 8192, 28672, 8192},
              MatmulShape{1, 16384, 16384, 2048}};
    case ShapeKind::elements:
      return {ElementShape{4096, 512}, ElementShape{1'048'576, 1024},
              ElementShape{67'108'864, 4096}, ElementShape{33'554'432, 128},
              ElementShape{819'200, 800}};
    case ShapeKind::attention: {
      std::vector<MeasuredShape> shapes;
      for (const bool causal : {true, false}) {
        for (const std::int64_t size : {64, 128, 192, 256, 512}) {
          shapes.emplace_back(AttentionShape{4, 2048, 2048, 32, 8, size, causal, 0});
          shapes.emplace_back(AttentionShape{512, 128, 128, 6, 1, size, causal, 0});
          shapes.emplace_back(AttentionShape{1, 100, 8192, 16, 16, size, causal, 1024});
        }
      }
      return shapes;
    }
    case ShapeKind::moe: {
      std::vector<MeasuredShape> shapes;
      for (const char* distribution : {"balanced", "power_law_1.01", "power_law_1.2"}) {
        for (const std::int64_t tokens : {1, 16, 64, 256, 4096, 65536}) {
          shapes.emplace_back(MoeShape{tokens, 7168, 2048, 8, 256, 1, 1, distribution});
          shapes.emplace_back(MoeShape{tokens, 4096, 14336, 2, 8, 2, 1, distribution});
          shapes.emplace_back(MoeShape{tokens, 2048, 1416, 6, 60, 1, 4, distribution});
        }
      }
      return shapes;
    }
    case ShapeKind::convolution:
      return {ConvolutionShape{32, 64, 128, 56, 56, 3, 1, 1, 1},
              ConvolutionShape{1, 512, 512, 7, 7, 3, 1, 1, 1},
              ConvolutionShape{64, 512, 512, 32, 32, 3, 1, 1, 1},
              ConvolutionShape{64, 3, 64, 224, 224, 7, 2, 3, 1},
              ConvolutionShape{16, 256, 256, 28, 28, 3, 1, 1, 256}};
    case ShapeKind::step: return {};
  }
  return {};
}

struct Case {
  std::string_view operation{};
  MeasuredPrecision precision{};
  MeasuredShape shape{};
  DeviceFacts facts{};
};

std::vector<Case> cases_of(const LawFamily& family) {
  std::vector<Case> cases;
  for (const std::string_view operation : measured_operations()) {
    for (const MeasuredPrecision precision : all_measured_precisions) {
      if (!family.covers(operation, precision)) continue;
      for (const MeasuredShape& shape : shapes_of(find_measured_operation(operation)->shape)) {
        for (const char* architecture : architectures) {
          cases.push_back({operation, precision, shape, facts_for(architecture, precision)});
        }
      }
    }
  }
  return cases;
}

MeasuredWork work_of(const Case& one) {
  Measurement row;
  row.operation = one.operation;
  row.precision = one.precision;
  row.shape = one.shape;
  return least_work(row);
}

double seconds_of(const LawFamily& family, std::span<const double> parameters, const Case& one) {
  const MeasuredWork work = work_of(one);
  return family.seconds(parameters, {one.operation, one.shape, one.precision, work.flops.value(),
                                     work.bytes.value(), one.facts});
}

std::string text_of(const Case& one) {
  return fmt::format("{} {} {} on {}", one.operation, to_string(one.precision), describe(one.shape),
                     one.facts.architecture);
}

std::vector<std::vector<double>> starts_of(const LawFamily& family) {
  std::vector<double> first;
  for (const LawParameter& parameter : family.parameters) first.push_back(parameter.start);
  std::vector<std::vector<double>> starts = family.other_starts;
  starts.insert(starts.begin(), first);
  return starts;
}

// Anywhere within the bounds, small values as often as large ones.
std::vector<double> draw_parameters(const LawFamily& family, std::mt19937_64& engine) {
  std::vector<double> drawn;
  for (const LawParameter& parameter : family.parameters) {
    const double u = static_cast<double>(engine() >> 11U) * 0x1p-53;
    drawn.push_back(parameter.lowest * std::pow(parameter.highest / parameter.lowest, u));
  }
  return drawn;
}

// Kernels fall back to slower ones where a size fills no whole vectors or scaled blocks, and twice
// the size may fill them.
bool is_aligned(const MeasuredShape& shape) {
  if (const auto* matmul = std::get_if<MatmulShape>(&shape)) {
    return matmul->n % 64 == 0 && matmul->k % 128 == 0;
  }
  if (const auto* moe = std::get_if<MoeShape>(&shape)) return moe->intermediate_size % 16 == 0;
  return true;
}

std::vector<std::pair<std::string_view, MeasuredShape>> doubled(const MeasuredShape& shape) {
  std::vector<std::pair<std::string_view, MeasuredShape>> result;
  const auto twice = [&](std::string_view name, auto copy, auto member) {
    copy.*member *= 2;
    result.emplace_back(name, copy);
  };
  if (const auto* matmul = std::get_if<MatmulShape>(&shape)) {
    twice("batch", *matmul, &MatmulShape::batch);
    twice("m", *matmul, &MatmulShape::m);
    twice("n", *matmul, &MatmulShape::n);
    twice("k", *matmul, &MatmulShape::k);
  } else if (const auto* elements = std::get_if<ElementShape>(&shape)) {
    twice("elements", *elements, &ElementShape::elements);
  } else if (const auto* attention = std::get_if<AttentionShape>(&shape)) {
    twice("batch", *attention, &AttentionShape::batch);
    AttentionShape longer = *attention;
    longer.sequence *= 2;
    longer.kv_sequence *= 2;
    result.emplace_back("sequence", longer);
  } else if (const auto* moe = std::get_if<MoeShape>(&shape)) {
    twice("tokens", *moe, &MoeShape::tokens);
    twice("hidden_size", *moe, &MoeShape::hidden_size);
    twice("intermediate_size", *moe, &MoeShape::intermediate_size);
  } else if (const auto* convolution = std::get_if<ConvolutionShape>(&shape)) {
    twice("batch", *convolution, &ConvolutionShape::batch);
    twice("out_channels", *convolution, &ConvolutionShape::out_channels);
  }
  return result;
}

class EveryFamily : public ::testing::TestWithParam<const LawFamily*> {};

TEST_P(EveryFamily, StartsWithinItsBounds) {
  const LawFamily& family = *GetParam();
  for (const std::vector<double>& start : starts_of(family)) {
    ASSERT_EQ(start.size(), family.parameters.size());
    for (std::size_t i = 0; i < start.size(); ++i) {
      const LawParameter& parameter = family.parameters[i];
      EXPECT_GT(parameter.lowest, 0.0) << parameter.name;
      EXPECT_LT(parameter.lowest, parameter.highest) << parameter.name;
      EXPECT_GE(start[i], parameter.lowest) << parameter.name;
      EXPECT_LE(start[i], parameter.highest) << parameter.name;
    }
  }
}

// Durations are admissible by the bounds alone: at the starts and anywhere between the bounds.
// Winograd's convolutions do with a quarter of the multiplications.
TEST_P(EveryFamily, IsPositiveAndNeverFasterThanThePeak) {
  const LawFamily& family = *GetParam();
  std::vector<std::vector<double>> points = starts_of(family);
  std::mt19937_64 engine(20261126);
  for (int i = 0; i < 10; ++i) points.push_back(draw_parameters(family, engine));
  for (const Case& one : cases_of(family)) {
    const double least = work_of(one).flops.value() / one.facts.peak_flops_per_second /
                         (family.name == "convolution" ? 4.0 : 1.0);
    for (const std::vector<double>& parameters : points) {
      const double seconds = seconds_of(family, parameters, one);
      ASSERT_TRUE(std::isfinite(seconds)) << text_of(one);
      ASSERT_GT(seconds, 0.0) << text_of(one);
      ASSERT_GE(seconds, least * (1.0 - 1e-12))
          << text_of(one) << fmt::format(" at {}", fmt::join(parameters, " "));
    }
  }
}

// A parameter that moves no answer cannot be fitted.
TEST_P(EveryFamily, NeedsEachOfItsParameters) {
  const LawFamily& family = *GetParam();
  const auto cases = cases_of(family);
  ASSERT_FALSE(cases.empty());
  for (std::size_t i = 0; i < family.parameters.size(); ++i) {
    double change = 0.0;
    for (std::vector<double> low : starts_of(family)) {
      std::vector<double> high = low;
      low[i] = family.parameters[i].lowest;
      high[i] = family.parameters[i].highest;
      for (const Case& one : cases) {
        change = std::max(change, std::abs(std::log(seconds_of(family, high, one) /
                                                    seconds_of(family, low, one))));
      }
    }
    EXPECT_GT(change, 0.01) << family.parameters[i].name;
  }
}

TEST_P(EveryFamily, TakesNoLessTimeForTwiceTheWork) {
  const LawFamily& family = *GetParam();
  for (const Case& one : cases_of(family)) {
    if (!is_aligned(one.shape)) continue;
    for (const auto& [size, shape] : doubled(one.shape)) {
      Case larger = one;
      larger.shape = shape;
      for (const std::vector<double>& start : starts_of(family)) {
        const double before = seconds_of(family, start, one);
        EXPECT_GE(seconds_of(family, start, larger), before * (1.0 - 1e-9))
            << text_of(one) << " with twice the " << size;
      }
    }
  }
}

std::vector<const LawFamily*> every_family() {
  std::vector<const LawFamily*> families;
  for (const LawFamily& family : law_families()) families.push_back(&family);
  return families;
}

INSTANTIATE_TEST_SUITE_P(Laws, EveryFamily, ::testing::ValuesIn(every_family()),
                         [](const auto& tested) { return std::string(tested.param->name); });

}  // namespace
}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#include "prediction/paper.hpp"

#include "documents/embedded.hpp"
#include "documents/hash.hpp"
#include "prediction/notes.hpp"

#include <joulecast/ecai2025.hpp>

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace joulecast {
namespace {

std::unexpected<Error> unsupported(std::string flag, std::string message, std::string remedy) {
  return std::unexpected(Error{ErrorKind::unsupported, std::move(message),
                               Location{.file = {}, .path = std::move(flag)}, std::move(remedy)});
}

Result<const PublishedDevice*> check_request(const PredictionRequest& request,
                                             const PublishedNumbers& numbers) {
  const PublishedDevice* device = find_published_device(numbers, request.device.id);
  if (device == nullptr) {
    std::string known;
    for (const PublishedDevice& entry : numbers.devices) {
      known += (known.empty() ? "" : " or ") + entry.device_id;
    }
    return unsupported("--convention",
                       fmt::format("the paper has no laws for {}", request.device.id),
                       fmt::format("choose --gpu {}, or leave --convention out", known));
  }
  if (to_string(request.setup.precision) != device->precision) {
    return unsupported(
        "--precision",
        fmt::format("the paper's laws for {} are for {}", device->device_id, device->precision),
        fmt::format("choose --precision {}", device->precision));
  }
  const RunPlan& plan = request.plan;
  if (plan.steps || plan.epochs || plan.samples || plan.tokens || request.setup.num_gpus > 1) {
    return unsupported("--convention",
                       "the paper gives the energy of one step on one GPU, not of a run",
                       "leave --convention out to predict runs");
  }
  return device;
}

Law law_from(const PublishedLaw& published, Precision precision) {
  return {.id = fmt::format("ecai2025/{}/{}", published.device_id, published.operation),
          .device = published.device_id,
          .operation = published.operation,
          .precision = measured_precision_of(precision),
          .origin = LawOrigin::published,
          .form = to_law(published),
          .fitted_range = FlopsRange{published.fitted_minimum, published.fitted_maximum},
          .interval = std::nullopt,
          .source = published.source,
          .file = "published",
          .sha256 = sha256(embedded_file("published/ecai2025/laws.csv"))};
}

OperationPrediction apply_law(const Operation& operation, const Law& law, FlopsPerSecond peak,
                              BytesPerSecond bandwidth) {
  OperationPrediction entry;
  entry.operation = operation;
  entry.rates = {.peak = peak, .bandwidth = bandwidth};
  entry.law_id = law.id;
  entry.fitted_range_distance = distance_from_fit(law, Flops{static_cast<double>(operation.flops)});
  entry.duration = predict_duration(law, operation, entry.rates);
  entry.total_duration = entry.duration.one * static_cast<double>(operation.count);
  return entry;
}

std::string write_equation(const PublishedNumbers& numbers, const std::array<double, 4>& times) {
  std::string text = "E = ";
  std::size_t index = 0;
  for (const PublishedCoefficient& term : numbers.coefficients) {
    if (term.table != "Table 8") continue;
    const bool constant = term.term == "constant";
    text += constant ? term.coefficient.text
                     : fmt::format(" + ({}) {:.4g}", term.coefficient.text, times[index++]);
  }
  return text;
}

// Equation (19) where the model is a Transformer; recurrent models have no usable regression.
Result<void> add_energy(const PublishedNumbers& numbers, Prediction& prediction) {
  std::array<double, 4> times{};
  bool recurrent = false;
  for (const OperationPrediction& entry : prediction.operations) {
    const auto* found = std::find(paper_operations.begin(), paper_operations.end(),
                                  std::string_view(entry.operation.name));
    recurrent = recurrent || found == paper_operations.end();
    if (found == paper_operations.end()) continue;
    times[static_cast<std::size_t>(found - paper_operations.begin())] +=
        to_paper_microseconds(entry.total_duration);
  }
  if (recurrent) {
    prediction.warnings.push_back(
        {WarningCode::paper_labels, "energy",
         "no energy is given: the paper's regression for recurrent models (Table 4) stands on "
         "centred features whose means are not published, and its energy column is a cumulative "
         "counter"});
    return {};
  }
  const auto energy = paper_step_energy(numbers, StepEnergyCoefficients::table_8, times);
  if (!energy) return std::unexpected(energy.error());
  prediction.step.energy = *energy;
  PaperFigures& figures = *prediction.paper;
  figures.energy_equation = write_equation(numbers, times);
  figures.energy_law_id = "ecai2025/step_energy";
  figures.energy_source = "equation (19) with the coefficients of Table 8";
  figures.energy_sha256 = sha256(embedded_file("published/ecai2025/coefficients.csv"));
  return {};
}

void warn(Prediction& prediction, bool recurrent) {
  prediction.warnings.push_back(
      {WarningCode::paper_convention, "--convention ecai2025",
       recurrent ? "the five operations of a forward time step only, by the laws of Table 2; the "
                   "paper's microseconds are 100 times too small"
                 : "forward attention only; QKV and final-projection laws as printed in Table 1, "
                   "which the authors' measurements exchange; the paper's microseconds are 100 "
                   "times too small and its coefficients absorb that"});
  // Where no energy is given, nothing need be said of the regression behind it.
  if (recurrent) return;
  prediction.warnings.push_back(
      {WarningCode::paper_labels, "energy",
       "the regression was trained on one power sample after the step, about 0.4 of the real "
       "draw, and on rows filtered by the model's own error (R2 0.5665 on all rows)"});
}

// The layers of its block that an operation stands for. The first recurrent layer reads the input
// and those above it read hidden states, so each operation comes twice.
std::string layers_of(const Model& model, const PaperFigures& figures, const Operation& operation) {
  const auto block = std::ranges::find(model.blocks, operation.block, &Block::name);
  const auto numbered = [](std::int64_t first, std::int64_t last) {
    return first == last ? fmt::format("{}", first) : fmt::format("{} to {}", first, last);
  };
  if (block == model.blocks.end()) return {};
  if (const auto* transformer = std::get_if<TransformerBlock>(&block->shape)) {
    return numbered(1, transformer->num_hidden_layers);
  }
  const auto* recurrent = std::get_if<RecurrentBlock>(&block->shape);
  if (recurrent == nullptr) return {};
  const bool met = std::ranges::any_of(figures.rows, [&](const PaperFigures::Row& row) {
    return row.block == operation.block && row.operation == operation.name;
  });
  return met ? numbered(2, recurrent->num_layers) : numbered(1, 1);
}

}  // namespace

Result<void> fill_paper_step(const PredictionRequest& request, Prediction& prediction) {
  const PublishedNumbers numbers = load_published_numbers();
  const auto device = check_request(request, numbers);
  if (!device) return std::unexpected(device.error());
  const auto operations = list_operations(request.model, request.setup);
  if (!operations) return std::unexpected(operations.error());
  const FlopsPerSecond peak = *published_peak(numbers, request.device.id);
  prediction.paper.emplace();
  for (const Operation& operation : *operations) {
    const PublishedLaw* published = find_published_law(numbers, request.device.id, operation.name);
    if (published == nullptr) {
      return unsupported(
          "--convention",
          fmt::format("the paper has no law for {} on {}", operation.name, request.device.id),
          "leave --convention out");
    }
    const Law law = law_from(*published, request.setup.precision);
    const auto rates = find_rates(request.device, operation);
    if (!rates) return std::unexpected(rates.error());
    OperationPrediction entry = apply_law(operation, law, peak, rates->bandwidth);
    const double count = static_cast<double>(operation.count);
    prediction.step.flops += Flops{static_cast<double>(operation.flops) * count};
    prediction.step.bytes_moved += Bytes{static_cast<double>(operation.bytes_moved) * count};
    prediction.step.duration += entry.total_duration;
    prediction.paper->rows.push_back(
        {operation.name, operation.block, layers_of(request.model, *prediction.paper, operation),
         *entry.duration.hef * 100.0, to_paper_microseconds(entry.total_duration)});
    const bool known = std::any_of(prediction.laws.begin(), prediction.laws.end(),
                                   [&](const Law& used) { return used.id == law.id; });
    if (!known) prediction.laws.push_back(law);
    prediction.operations.push_back(std::move(entry));
  }
  prediction.step.hef = prediction.step.flops / (peak * prediction.step.duration);
  const bool recurrent = std::ranges::any_of(*operations, [](const Operation& operation) {
    return std::ranges::find(paper_operations, std::string_view(operation.name)) ==
           paper_operations.end();
  });
  warn(prediction, recurrent);
  return add_energy(numbers, prediction);
}

}  // namespace joulecast

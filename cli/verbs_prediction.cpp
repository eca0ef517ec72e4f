// SPDX-License-Identifier: Apache-2.0
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace joulecast::cli {
namespace {

struct Inputs {
  std::vector<Model> models;
  std::vector<Device> devices;
  PredictionRequest request;  // everything but model and device
  Format format = Format::text;
};

Result<std::vector<Model>> read_models(const Arguments& arguments, const Settings& settings) {
  const auto head = read_head(settings);
  if (!head) return std::unexpected(head.error());
  std::vector<Model> models;
  for (const std::string& path : arguments.words) {
    auto model = find_model(path, {.head = *head, .hub_cache = hub_cache()});
    if (!model) return std::unexpected(model.error());
    models.push_back(std::move(*model));
  }
  return models;
}

Result<std::optional<LawSet>> read_own_laws(const Settings& settings, const std::string& family) {
  const auto directory = settings.text("laws");
  if (!directory) return std::nullopt;
  auto laws = read_laws(*directory, family);
  if (!laws) return std::unexpected(laws.error());
  return std::move(*laws);
}

Result<Inputs> read_inputs(const Arguments& arguments, const Configuration& configuration) {
  const Settings settings(arguments, configuration);
  auto format = read_format(arguments);
  if (!format) return std::unexpected(format.error());
  auto models = read_models(arguments, settings);
  if (!models) return std::unexpected(models.error());
  auto devices = read_devices(settings);
  if (!devices) return std::unexpected(devices.error());
  auto setup = read_training(settings);
  if (!setup) return std::unexpected(setup.error());
  auto plan = read_plan(settings);
  if (!plan) return std::unexpected(plan.error());
  if (auto checked = check_run_flags(settings, *plan); !checked) {
    return std::unexpected(checked.error());
  }
  auto site = read_site(settings);
  if (!site) return std::unexpected(site.error());
  auto family = read_law_family(settings);
  if (!family) return std::unexpected(family.error());
  auto laws = read_own_laws(settings, *family);
  if (!laws) return std::unexpected(laws.error());
  return Inputs{.models = std::move(*models),
                .devices = std::move(*devices),
                .request = {.model = {},
                            .device = {},
                            .setup = *setup,
                            .laws = std::move(*laws),
                            .shipped_too = true,
                            .law_family = std::move(*family),
                            .plan = *plan,
                            .site = *site},
                .format = *format};
}

Result<Prediction> predict_one(const Inputs& inputs, const Model& model, const Device& device) {
  PredictionRequest request = inputs.request;
  request.model = model;
  request.device = device;
  return predict(request);
}

Result<Prediction> predict_single(const Inputs& inputs) {
  if (inputs.devices.size() > 1) {
    return std::unexpected(Error{ErrorKind::usage, "one GPU at a time",
                                 Location{.file = {}, .path = "--gpu"},
                                 "use `joulecast compare` for several, and --num-gpus for many of "
                                 "one kind"});
  }
  return predict_one(inputs, inputs.models.front(), inputs.devices.front());
}

// Prints, unless --strict turns warnings into an error.
int finish(const Arguments& arguments, const Report& report, Format format,
           const std::vector<Warning>& warnings) {
  if (arguments.has("strict") && !warnings.empty()) return print_strict(warnings);
  if (format == Format::csv) print_warnings(warnings);
  return print_report(report, format);
}

}  // namespace

int run_predict(const Arguments& arguments, const Configuration& configuration) {
  const Settings settings(arguments, configuration);
  if (arguments.has("statement") && arguments.value("format") == "csv") {
    return print_error(Error{ErrorKind::usage, "a statement is no table",
                             Location{.file = {}, .path = "--format"},
                             "leave --format csv out, or leave --statement out"});
  }
  const auto inputs = read_inputs(arguments, configuration);
  if (!inputs) return print_error(settings.locate(inputs.error()));
  const auto prediction = predict_single(*inputs);
  if (!prediction) return print_error(settings.locate(prediction.error()));
  const PredictionReportOptions options{.phases = arguments.has("phases"),
                                        .statement = arguments.has("statement")};
  return finish(arguments, report_prediction(*prediction, options), inputs->format,
                prediction->warnings);
}

int run_compare(const Arguments& arguments, const Configuration& configuration) {
  const Settings settings(arguments, configuration);
  const auto inputs = read_inputs(arguments, configuration);
  if (!inputs) return print_error(settings.locate(inputs.error()));
  std::vector<Prediction> predictions;
  std::vector<Warning> warnings;
  for (const Model& model : inputs->models) {
    for (const Device& device : inputs->devices) {
      auto prediction = predict_one(*inputs, model, device);
      if (!prediction) return print_error(settings.locate(prediction.error()));
      warnings.insert(warnings.end(), prediction->warnings.begin(), prediction->warnings.end());
      predictions.push_back(std::move(*prediction));
    }
  }
  if (predictions.size() < 2) {
    return print_error(Error{ErrorKind::usage, "there is nothing to compare",
                             Location{.file = {}, .path = "compare"},
                             "give two models, or one model and --gpu twice"});
  }
  return finish(arguments, report_comparison(predictions), inputs->format, warnings);
}

int run_operations(const Arguments& arguments, const Configuration& configuration) {
  const Settings settings(arguments, configuration);
  const auto format = read_format(arguments);
  if (!format) return print_error(settings.locate(format.error()));
  const auto models = read_models(arguments, settings);
  if (!models) return print_error(settings.locate(models.error()));
  const auto setup = read_training(settings);
  if (!setup) return print_error(settings.locate(setup.error()));
  const Model& model = models->front();
  const auto operations = list_operations(model, *setup);
  if (!operations) return print_error(settings.locate(operations.error()));
  std::optional<MemoryNeed> memory;
  if (setup->convention == Convention::joulecast) {
    const auto need = count_memory(model, *setup);
    if (!need) return print_error(settings.locate(need.error()));
    memory = *need;
  }
  return finish(arguments, report_operations(model, *setup, *operations, memory), *format,
                model.warnings);
}

int run_explain(const Arguments& arguments, const Configuration& configuration) {
  const Settings settings(arguments, configuration);
  const auto inputs = read_inputs(arguments, configuration);
  if (!inputs) return print_error(settings.locate(inputs.error()));
  const auto prediction = predict_single(*inputs);
  if (!prediction) return print_error(settings.locate(prediction.error()));
  const auto phase = read_phase(settings);
  if (!phase) return print_error(settings.locate(phase.error()));
  const std::string subject = arguments.value("operation").value_or("step");
  if (arguments.has("phase") && (subject == "step" || subject == "run")) {
    return print_error(Error{ErrorKind::usage, "is of an operation, not of the " + subject,
                             Location{.file = {}, .path = "--phase"},
                             "name one with --operation, or leave it out"});
  }
  const auto explanation = explain(*prediction, subject, *phase);
  if (!explanation) return print_error(settings.locate(explanation.error()));
  return finish(arguments, report_explanation(*explanation, *prediction), inputs->format,
                explanation->warnings);
}

}  // namespace joulecast::cli

// SPDX-License-Identifier: Apache-2.0
// Measurements of others: read, check and write as one table.
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

namespace joulecast::cli {
namespace {

Result<std::string> read_output(const Arguments& arguments, const ImportRequest& request) {
  const auto output = arguments.value("output");
  if (!output || output->empty()) {
    return std::unexpected(Error{ErrorKind::usage, "is missing",
                                 Location{.file = {}, .path = "--output"},
                                 "name the table to write, e.g. --output measurements.csv"});
  }
  for (const std::filesystem::path& file : request.files) {
    std::error_code ignored;
    if (!std::filesystem::equivalent(file, *output, ignored)) continue;
    return std::unexpected(Error{ErrorKind::usage, "would replace what is being imported",
                                 Location{.file = *output}, "name another file"});
  }
  return *output;
}

// A flag that speaks of one format would have no effect on another.
Result<void> check_flags(const Arguments& arguments) {
  struct Owner {
    std::string_view flag;
    std::string_view format;
  };
  constexpr std::array owners = {Owner{"models", "campaign"},
                                 Owner{"held-out", "campaign"},
                                 Owner{"model", "measure"},
                                 Owner{"batch-size", "measure"},
                                 Owner{"sequence-length", "measure"},
                                 Owner{"precision", "measure"},
                                 Owner{"optimizer", "measure"},
                                 Owner{"num-gpus", "measure"},
                                 Owner{"steps-per-segment", "measure"},
                                 Owner{"segments", "measure"}};
  for (const auto& [flag, format] : owners) {
    if (!arguments.has(flag) || arguments.words.front() == format) continue;
    return std::unexpected(Error{ErrorKind::usage,
                                 "has no effect on " + arguments.words.front().substr(0, 80),
                                 Location{.file = {}, .path = "--" + std::string(flag)},
                                 "leave it out; it goes with the format " + std::string(format)});
  }
  return {};
}

// What a report of `measure` cannot know.
Result<void> read_measured_step(const Settings& settings, ImportRequest& request) {
  StepShape step{.model = settings.text("model").value_or("")};
  struct Size {
    const char* flag;
    std::int64_t& target;
  };
  for (const Size& size :
       {Size{"batch-size", step.batch_size}, Size{"sequence-length", step.sequence_length},
        Size{"num-gpus", step.num_gpus}, Size{"steps-per-segment", step.steps}}) {
    const auto value = settings.whole(size.flag);
    if (!value) return std::unexpected(value.error());
    if (*value && **value < 1) {
      return std::unexpected(Error{ErrorKind::value, "must be at least 1",
                                   Location{.file = {}, .path = "--" + std::string(size.flag)},
                                   "give the number that was trained with"});
    }
    size.target = value->value_or(size.target);
  }
  const auto precision = read_precision(settings);
  if (!precision) return std::unexpected(precision.error());
  if (*precision) request.precision = measured_precision_of(**precision);
  const auto optimizer = read_optimizer(settings);
  if (!optimizer) return std::unexpected(optimizer.error());
  step.optimizer = optimizer->value_or(step.optimizer);
  request.step = std::move(step);
  request.segments = settings.text("segments").value_or("");
  return {};
}

// The file below one of the folders that describes a model of so many parameters: a record may have
// been made before its model files changed.
Result<std::string> find_model_file(const std::vector<std::string>& folders,
                                    const std::string& file, std::int64_t parameters) {
  const auto fail = [](std::string message, std::string remedy) {
    return std::unexpected(Error{ErrorKind::not_found, std::move(message),
                                 Location{.file = {}, .path = "--models"}, std::move(remedy)});
  };
  std::string others;
  for (const std::string& folder : folders) {
    const std::filesystem::path path = std::filesystem::path(folder) / file;
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    const auto model = find_model(path.string());
    if (!model) return std::unexpected(model.error());
    const auto count = count_all_parameters(*model);
    if (!count) return std::unexpected(count.error());
    if (*count == parameters) return path.string();
    others += (others.empty() ? "" : ", ") + std::to_string(*count);
  }
  if (folders.empty()) {
    return fail("is missing: the record names " + file, "add e.g. --models campaign");
  }
  if (others.empty()) return fail("no folder has " + file, "name the folder that holds it");
  return fail(file + " describes a model of " + others + " parameters, measured were " +
                  std::to_string(parameters),
              "add a folder with the model that was measured");
}

Result<ImportRequest> read_request(const Arguments& arguments, const Settings& settings) {
  if (auto checked = check_flags(arguments); !checked) return std::unexpected(checked.error());
  ImportRequest request{.format = arguments.words.front(),
                        .files = {arguments.words.begin() + 1, arguments.words.end()},
                        .device = arguments.value("device").value_or(""),
                        .software = arguments.value("software").value_or("")};
  if (request.format == "measure") {
    if (auto read = read_measured_step(settings, request); !read) {
      return std::unexpected(read.error());
    }
  }
  request.held_out_only = arguments.has("held-out");
  using Key = std::pair<std::string, std::int64_t>;
  request.find_model = [folders = settings.texts("models"), known = std::map<Key, std::string>{}](
                           const std::string& file,
                           std::int64_t parameters) mutable -> Result<std::string> {
    const Key key{file, parameters};
    if (const auto found = known.find(key); found != known.end()) return found->second;
    auto path = find_model_file(folders, file, parameters);
    if (path) known[key] = *path;
    return path;
  };
  return request;
}

Result<Report> import_and_save(const Arguments& arguments, const Configuration& configuration) {
  const Settings settings(arguments, configuration);
  const auto request = read_request(arguments, settings);
  if (!request) return std::unexpected(request.error());
  const auto output = read_output(arguments, *request);
  if (!output) return std::unexpected(output.error());
  const auto catalogue = read_catalogue(settings);
  if (!catalogue) return std::unexpected(catalogue.error());
  const auto imported = import_measurements(*request, *catalogue);
  if (!imported) return std::unexpected(imported.error());
  const auto saved = save_measurements(*output, imported->measurements);
  if (!saved) return std::unexpected(saved.error());
  return report_import(*imported, *output);
}

}  // namespace

int run_import(const Arguments& arguments, const Configuration& configuration) {
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  const auto report = import_and_save(arguments, configuration);
  return report ? print_report(*report, *format) : print_error(report.error());
}

}  // namespace joulecast::cli

// SPDX-License-Identifier: Apache-2.0
// Laws against measured rows.
#include "output.hpp"
#include "settings.hpp"
#include "verbs.hpp"

#include <joulecast/joulecast.hpp>
#include <joulecast/suggest.hpp>
#include <joulecast/validation.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

namespace joulecast::cli {
namespace {

std::optional<PowerPrediction> predict_measured_power(const LawSet& laws, const Measurement& row,
                                                      const Device& device, Seconds duration) {
  const Law* law = laws.find(LawKey{device.id, row.precision, {row.operation}});
  const auto facts = facts_of(device, row.precision);
  if (law == nullptr || !facts) return std::nullopt;
  const auto answer = evaluate_law_power(*law, question_of(row, *facts), duration);
  if (!answer) return std::nullopt;
  return PowerPrediction{answer->power, answer->interval};
}

struct Wanted {
  std::set<MeasuredPrecision> precisions;
  std::set<std::string_view> operations;
};

LeaveOut read_leave_out(const Arguments& arguments) {
  const auto what = arguments.value("leave-out");
  if (!what) return LeaveOut::nothing;
  return *what == "device" ? LeaveOut::device : LeaveOut::architecture;
}

// The laws of --laws, then the shipped ones of every device in the tables.
Result<LawSet> read_law_set(const Settings& settings, const std::vector<Measurement>& rows,
                            const DeviceCatalogue& catalogue, LeaveOut leave_out) {
  const auto family = read_law_family(settings);
  if (!family) return std::unexpected(family.error());
  LawSet laws = shipped_prior();
  if (const auto directory = settings.text("laws")) {
    auto own = read_laws(*directory, *family);
    if (!own) return std::unexpected(own.error());
    laws = std::move(*own);
  }
  std::map<std::string_view, Wanted> devices;
  for (const Measurement& row : rows) {
    Wanted& wanted = devices[row.device];
    wanted.precisions.insert(row.precision);
    wanted.operations.insert(row.operation);
  }
  for (const auto& [name, wanted] : devices) {
    const auto device = catalogue.find(name);
    if (!device) return std::unexpected(device.error());
    laws = laws.followed_by(
        shipped_laws(*device, {.precisions = {wanted.precisions.begin(), wanted.precisions.end()},
                               .operations = {wanted.operations.begin(), wanted.operations.end()},
                               .row_hashes = true,
                               .family = *family,
                               .leave_out = leave_out}));
  }
  return laws;
}

// A prediction of a step asks for the shipped laws itself.
Result<void> check_leave_out(const Arguments& arguments, const std::vector<Measurement>& rows) {
  const auto is_step = [](const Measurement& row) { return row.record() == MeasuredRecord::step; };
  if (!arguments.has("leave-out") || !std::ranges::any_of(rows, is_step)) return {};
  return std::unexpected(Error{ErrorKind::unsupported, "is for operations alone",
                               Location{.file = {}, .path = "--leave-out"},
                               "leave it out, or leave out the table with training steps"});
}

Result<Model> find_measured_model(const Measurement& row) {
  const std::string& name = std::get<StepShape>(row.shape).model;
  auto model = find_model(name, {.hub_cache = hub_cache()});
  if (!model) {
    model.error().message += " (the model of a step in " + row.source + ")";
  }
  return model;
}

Result<void> write_plot(const Arguments& arguments, const Validation& validation) {
  const auto plot = arguments.value("plot");
  if (!plot) return {};
  for (const std::string& table : arguments.words) {
    std::error_code ignored;
    if (!std::filesystem::equivalent(table, *plot, ignored)) continue;
    return std::unexpected(Error{ErrorKind::usage, "would replace what is being validated",
                                 Location{.file = *plot}, "name another file"});
  }
  return save_validation_plot(*plot, validation);
}

Result<Report> validate_tables(const Arguments& arguments, const Settings& settings) {
  const auto rows = read_measurement_tables(arguments);
  if (!rows) return std::unexpected(rows.error());
  const auto catalogue = read_catalogue(settings);
  if (!catalogue) return std::unexpected(catalogue.error());
  const auto laws = read_law_set(settings, *rows, *catalogue, read_leave_out(arguments));
  if (!laws) return std::unexpected(laws.error());
  if (auto checked = check_leave_out(arguments, *rows); !checked) {
    return std::unexpected(checked.error());
  }
  const auto family = read_law_family(settings);
  if (!family) return std::unexpected(family.error());
  ValidationOptions options;
  options.find_model = find_measured_model;
  options.law_family = *family;
  options.power = [&](const Measurement& row, const Device& device, Seconds duration) {
    return predict_measured_power(*laws, row, device, duration);
  };
  const auto validation = validate_laws(*rows, *laws, *catalogue, options);
  if (!validation) return std::unexpected(validation.error());
  if (auto written = write_plot(arguments, *validation); !written) {
    return std::unexpected(written.error());
  }
  return report_validation(*validation);
}

}  // namespace

int run_validate(const Arguments& arguments, const Configuration& configuration) {
  const auto format = read_format(arguments);
  if (!format) return print_error(format.error());
  const Settings settings(arguments, configuration);
  const auto report = validate_tables(arguments, settings);
  return report ? print_report(*report, *format) : print_error(settings.locate(report.error()));
}

}  // namespace joulecast::cli

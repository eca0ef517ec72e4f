// SPDX-License-Identifier: Apache-2.0
// Records of campaign/training_steps.py (campaign/README.md): JSON lines, of which those of `kind`
// `machine` say what the following ones were measured on, and those of `kind` `step` are steps.
#include "measurements/collector.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace joulecast {
namespace {

constexpr Range any_time{1e-9, 1e9};

// The campaign's precisions are named as ours. Its sgd has a momentum, and a fused AdamW does the
// same work in other kernels.
constexpr std::array<std::string_view, 3> precisions = {"fp32", "tf32", "bf16"};
constexpr std::array<MeasuredPrecision, 3> measured_precisions = {
    MeasuredPrecision::fp32, MeasuredPrecision::tf32, MeasuredPrecision::bf16};
constexpr std::array<std::string_view, 4> optimizers = {"adamw", "adamw_fused", "adam", "sgd"};
constexpr std::array<Optimizer, 4> measured_optimizers = {Optimizer::adamw, Optimizer::adamw,
                                                          Optimizer::adam, Optimizer::momentum};

struct Machine {
  const Device* device = nullptr;
  std::string software{};
};

class RecordReader {
 public:
  explicit RecordReader(Collector& collector) : collector_(collector) {}

  Result<void> read(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      ++line_;
      if (line.find_first_not_of(" \r\t") == std::string_view::npos) continue;
      const auto value = parse_json(line, file());
      if (!value) return std::unexpected(locate(value.error()));
      if (auto read = read_row(*value); !read) return std::unexpected(locate(read.error()));
    }
    if (collector_.measurements.empty() && collector_.failed_rows + collector_.not_held_out == 0) {
      return std::unexpected(Error{ErrorKind::syntax, "has no measured step",
                                   Location{.file = file()},
                                   "give a record that campaign/training_steps.py wrote"});
    }
    return {};
  }

 private:
  [[nodiscard]] std::string file() const { return collector_.file().string(); }

  // Each line is a document of its own.
  [[nodiscard]] Error locate(Error error) const {
    if (error.where.file == file()) error.where.line = line_;
    return error;
  }

  Result<void> read_row(const Value& value) {
    ObjectReader row(value, file());
    const std::string kind = row.text("kind");
    if (row.error()) return std::unexpected(*row.error());
    if (kind == "machine") return read_machine(row);
    if (kind == "step") return read_step(row);
    if (kind == "idle") return {};
    row.fail("kind", fmt::format("unknown kind \"{}\"", kind.substr(0, 80)),
             "a record has lines of machine, idle and step");
    return std::unexpected(*row.error());
  }

  Result<void> read_machine(ObjectReader& row) {
    Machine machine;
    const std::string torch = row.text("torch_version");
    const std::string driver = row.text_or("driver_version", "");
    const std::string name = row.text("device_name");
    if (row.error()) return std::unexpected(*row.error());
    machine.software =
        fmt::format("PyTorch {}{}{}", torch, driver.empty() ? "" : ", driver ", driver);
    const auto device =
        collector_.reported_device(name, Location{.file = file(), .path = "device_name"});
    if (!device) return std::unexpected(device.error());
    machine.device = *device;
    machine_ = machine;
    return {};
  }

  Result<void> read_step(ObjectReader& row) {
    collector_.count_row();
    if (!machine_) {
      row.fail("kind", "a step before any line of kind machine", "give the whole record");
      return std::unexpected(*row.error());
    }
    if (row.has("error")) {
      ++collector_.failed_rows;
      return {};
    }
    if (collector_.request().held_out_only && !row.boolean_or("held_out", false)) {
      ++collector_.not_held_out;
      return {};
    }
    Measurement measurement = collector_.start(*machine_->device, "step");
    if (measurement.software.empty()) measurement.software = machine_->software;
    measurement.phase = MeasuredPhase::step;
    StepShape shape;
    const std::string model = row.text("model_file");
    const std::int64_t parameters = row.size("parameters_count");
    shape.batch_size = row.size("batch_size");
    shape.sequence_length = row.has("sequence_length") ? row.size("sequence_length") : 0;
    shape.steps = row.size("steps");
    const std::size_t precision = row.choice("precision", precisions);
    const std::size_t optimizer = row.choice("optimizer", optimizers);
    measurement.duration = Seconds{row.number("step_mean_seconds", any_time)};
    if (const auto energy = row.optional_number("step_energy_nvml_joules", any_energy)) {
      if (*energy > 0.0) {
        measurement.energy = Joules{*energy};
        measurement.energy_kind = EnergyKind::board;
      } else {
        row.fail("step_energy_nvml_joules", "is zero", "the counter did not advance; use null");
      }
    }
    if (const auto limit = row.optional_number("power_limit_watts", any_power)) {
      measurement.power_limit = Watts{*limit};
    }
    if (row.error()) return std::unexpected(*row.error());
    measurement.precision = measured_precisions[precision];
    shape.optimizer = measured_optimizers[optimizer];
    const auto found = find_model(model, parameters);
    if (!found) return std::unexpected(found.error());
    shape.model = *found;
    measurement.shape = shape;
    return collector_.add(std::move(measurement),
                          Location{.file = file(), .path = {}, .line = line_});
  }

  Result<std::string> find_model(const std::string& model, std::int64_t parameters) {
    const auto& request = collector_.request();
    return request.find_model ? request.find_model(model, parameters) : model;
  }

  Collector& collector_;
  std::optional<Machine> machine_{};
  int line_ = 0;
};

}  // namespace

Result<void> import_campaign(std::string_view text, Collector& collector) {
  return RecordReader(collector).read(text);
}

}  // namespace joulecast

// SPDX-License-Identifier: Apache-2.0
#pragma once

// From raw arguments and configuration to checked inputs of the library.

#include "arguments.hpp"
#include "configuration.hpp"

#include <joulecast/joulecast.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace joulecast::cli {

// Absent where it is not set.
std::optional<std::string> environment_variable(const char* name);

// Flags first, then the configuration file.
class Settings {
 public:
  Settings(const Arguments& arguments, const Configuration& configuration)
      : arguments_(arguments), configuration_(configuration) {}

  [[nodiscard]] std::optional<std::string> text(std::string_view flag) const;
  // All values of a repeatable flag.
  [[nodiscard]] std::vector<std::string> texts(std::string_view flag) const;
  // Whole numbers may be written 300e9 or 1_000_000.
  [[nodiscard]] Result<std::optional<std::int64_t>> whole(std::string_view flag) const;
  [[nodiscard]] Result<std::optional<double>> number(std::string_view flag) const;
  [[nodiscard]] bool has(std::string_view flag) const { return arguments_.has(flag); }
  // Whether the value comes from the configuration file.
  [[nodiscard]] bool configured(std::string_view flag) const;
  // Where the value was stated: "--pue", or the configuration file.
  [[nodiscard]] std::string origin(std::string_view flag) const;
  // The same error, blaming the key of the configuration file where it blames a flag that nobody
  // typed.
  [[nodiscard]] Error locate(Error error) const;

 private:
  const Arguments& arguments_;
  const Configuration& configuration_;
};

// Where huggingface_hub keeps what it fetched; empty where no variable tells.
std::filesystem::path hub_cache();

// Absent where it is not stated.
Result<std::optional<Precision>> read_precision(const Settings& settings);
Result<std::optional<Optimizer>> read_optimizer(const Settings& settings);
Result<TrainingSetup> read_training(const Settings& settings);
Result<RunPlan> read_plan(const Settings& settings);
// Refuses flags that would have no effect because no run is stated. Defaults of the configuration
// file may wait for one.
Result<void> check_run_flags(const Settings& settings, const RunPlan& plan);
Result<Site> read_site(const Settings& settings);
Result<Head> read_head(const Settings& settings);
Result<Phase> read_phase(const Settings& settings);
Result<DeviceCatalogue> read_catalogue(const Settings& settings);
// Empty where none is named.
Result<std::vector<Device>> find_gpus(const Settings& settings, const DeviceCatalogue& catalogue);
Result<std::vector<Device>> read_devices(const Settings& settings);
// Where a report goes: a file, in the form that its name says, or a stream.
struct Destination {
  std::optional<std::string> file{};
  Format format = Format::text;
};
Result<Destination> read_destination(const Arguments& arguments);
Result<Format> read_format(const Arguments& arguments);

// The rows of every table named, in their order.
Result<std::vector<Measurement>> read_measurement_tables(const Arguments& arguments);
// --law-family; empty where none is stated.
Result<std::string> read_law_family(const Settings& settings);

}  // namespace joulecast::cli

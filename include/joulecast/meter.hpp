// SPDX-License-Identifier: Apache-2.0
#pragma once

// How much energy does the hardware really take while something runs?
//
// A `Meter` opens the sensors of this machine (GPUs through NVML or the kernel's hwmon files,
// processors through RAPL), reads each in a thread of its own, and turns the readings into energy
// as they come: nothing grows with the length of the run but its segments. Energy is the difference
// of the device's own counter where there is one, else the integral of its power; both are kept.
//
// Times are seconds of CLOCK_MONOTONIC, the clock of Python's `time.monotonic_ns()`.

#include <joulecast/error.hpp>
#include <joulecast/quantities.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joulecast {

// `memory` is the host's DRAM.
enum class SensorKind { gpu, cpu, memory };

// How a sensor comes to its watts: as they are, as the driver's mean over about a second, or as
// the slope of the energy counter.
enum class PowerSource { none, instant, average, counter };

// Why a device runs below its highest clock; the order is that of the bits in a reading.
// Source: NVIDIA, NVML API reference, nvmlClocksEventReasons.
enum class ThrottleReason {
  idle,
  application_clocks,
  power_cap,
  hardware_slowdown,
  sync_boost,
  software_thermal,
  hardware_thermal,
  power_brake,
  display_clocks,
};

inline constexpr std::array all_throttle_reasons = {ThrottleReason::idle,
                                                    ThrottleReason::application_clocks,
                                                    ThrottleReason::power_cap,
                                                    ThrottleReason::hardware_slowdown,
                                                    ThrottleReason::sync_boost,
                                                    ThrottleReason::software_thermal,
                                                    ThrottleReason::hardware_thermal,
                                                    ThrottleReason::power_brake,
                                                    ThrottleReason::display_clocks};

// The reasons whose bits are set.
std::vector<ThrottleReason> throttle_reasons_in(std::uint32_t bits);

// The clock of readings and marks.
Seconds monotonic_now();

// What stays as it is while a sensor is open.
struct SensorFacts {
  std::string id{};  // unique in a meter: "gpu0", "cpu0", "memory0"
  SensorKind kind = SensorKind::gpu;
  std::int64_t index = 0;  // among its kind, as the driver counts
  std::string vendor{};    // "nvidia", "amd", "intel"
  std::string name{};      // "NVIDIA H200", "package-0"
  std::string uuid{};      // empty where the driver has none
  std::string driver{};    // "NVML, driver 580.159.04"
  std::optional<Watts> power_limit{};
  bool energy_counter = false;
  PowerSource power_source = PowerSource::none;
  // The counter starts again at 0 when it reaches this. Absent: it does not.
  std::optional<Joules> counter_range{};
  // MIG is on: the figures are of the whole GPU, which several programs may share.
  bool multi_instance = false;
};

// What a sensor says at one moment. Absent: it cannot tell, or was not asked this time.
struct SensorReading {
  Seconds at{};
  std::optional<Joules> energy_counter{};  // since a moment of the device's own
  std::optional<Watts> power{};
  std::optional<double> clock_hertz{};  // of the multiprocessors
  std::optional<double> memory_clock_hertz{};
  std::optional<double> temperature_celsius{};
  std::optional<std::uint32_t> throttle_reasons{};  // bit i: all_throttle_reasons[i]
};

// Mean and extremes over the readings that had the figure.
struct Spread {
  double mean = 0.0;
  double lowest = 0.0;
  double highest = 0.0;
};

struct ThrottleTime {
  ThrottleReason reason = ThrottleReason::idle;
  Seconds duration{};
};

enum class EnergySource { none, counter, integration };

// One sensor over one stretch of time.
struct SensorRecord {
  SensorFacts facts{};
  std::int64_t readings = 0;
  std::optional<Seconds> mean_interval{};  // between two readings
  // The better one of the two below, with its name.
  std::optional<Joules> energy{};
  EnergySource energy_source = EnergySource::none;
  std::optional<Joules> energy_by_counter{};
  std::optional<Joules> energy_by_integration{};
  Seconds covered{};                  // the part of the time that the energy is of
  std::optional<Watts> mean_power{};  // energy over that time
  std::optional<Watts> peak_power{};  // highest reading
  std::optional<Spread> clock_hertz{};
  std::optional<Spread> memory_clock_hertz{};
  std::optional<Spread> temperature_celsius{};
  std::vector<ThrottleTime> throttling{};  // reasons that were seen
  // Stretches between two readings that are over three intervals (and a second) long. A counter
  // goes on over a gap, an integral can only draw a straight line.
  std::int64_t gaps = 0;
  Seconds gap_time{};
  Seconds longest_gap{};
  std::int64_t counter_resets = 0;   // the energy of those intervals is integrated
  std::optional<Seconds> lost_at{};  // since the begin; the energy ends there
  std::string lost_because{};
  Seconds reading_cpu_time{};  // what the meter itself spent on this sensor
};

// What a program said about itself: between two marks of one name.
struct SegmentEnergy {
  std::string sensor{};  // a sensor's id
  std::optional<Joules> energy{};
  std::optional<Joules> energy_by_counter{};
  std::optional<Joules> energy_by_integration{};
};

struct Segment {
  std::string name{};
  Seconds begin{};  // since the begin of the record
  Seconds end{};
  std::vector<SegmentEnergy> energies{};  // in the order of the sensors
};

// All segments of one name.
struct SegmentSummary {
  std::string name{};
  std::int64_t count = 0;
  Seconds duration{};  // sums
  std::vector<SegmentEnergy> energies{};
};

struct MeterRecord {
  Seconds begin{};  // CLOCK_MONOTONIC
  Seconds duration{};
  std::vector<SensorRecord> sensors{};
  std::vector<Segment> segments{};  // the first 10,000 of them
  std::vector<SegmentSummary> summaries{};
  std::vector<Warning> warnings{};
};

// A sensor of any make. Implementations are called from one thread at a time; a call may hang, the
// meter does not wait for it for ever.
class Sensor {
 public:
  Sensor() = default;
  Sensor(const Sensor&) = delete;
  Sensor& operator=(const Sensor&) = delete;
  Sensor(Sensor&&) = delete;
  Sensor& operator=(Sensor&&) = delete;
  virtual ~Sensor() = default;

  [[nodiscard]] virtual const SensorFacts& facts() const = 0;
  // Energy and power; with `everything` also clocks, temperature and throttling. Errors: the
  // device is gone (hardware_absent) or refuses (io).
  virtual Result<SensorReading> read(bool everything) = 0;
};

struct SensorOptions {
  // "0,GPU-8f3a,cpu": indices, UUIDs or beginnings of them, `gpus`, `cpu`, `all`. Empty: the GPUs
  // that `visible_devices` names, all if it is absent, and the processors.
  std::vector<std::string> devices{};
  // The value of CUDA_VISIBLE_DEVICES, and whether CUDA_DEVICE_ORDER is PCI_BUS_ID.
  std::optional<std::string> visible_devices{};
  bool pci_bus_order = false;
  std::string nvml_library = "libnvidia-ml.so.1";
  std::filesystem::path sysfs = "/sys";
  Seconds call_timeout{10.0};  // for opening a driver
};

struct OpenedSensors {
  std::vector<std::shared_ptr<Sensor>> sensors{};
  std::vector<Warning> warnings{};  // sensors that exist and cannot be used, with a remedy
};

// Errors: hardware_absent (no driver, no GPU, or none that was asked for), not_found (a device that
// does not exist), usage.
Result<OpenedSensors> open_sensors(const SensorOptions& options);

struct MeterOptions {
  // Between two readings of a sensor. Absent: 0.1 s, or longer where reading is so slow that the
  // meter would take more than 1 % of a core.
  std::optional<Seconds> interval{};
  Seconds call_timeout{2.0};  // a sensor that has not answered for so long is called hung
  // Called for each reading, from the sensor's thread, one at a time.
  std::function<void(const SensorFacts&, const SensorReading&)> on_reading{};
};

// Runs from its construction to `stop`. Sensors are read at once, at each interval and at the end.
class Meter {
 public:
  Meter(std::vector<std::shared_ptr<Sensor>> sensors, const MeterOptions& options);
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;
  Meter(Meter&&) noexcept;
  Meter& operator=(Meter&&) noexcept;
  ~Meter();

  // Ends the record and begins a new one, after a reading of every sensor.
  MeterRecord restart();
  // Lines of the marks protocol, whole or in pieces: "begin NAME [@NANOSECONDS]", "end NAME
  // [@NANOSECONDS]" (docs/metering.md). What cannot be understood becomes a warning.
  void feed_marks(std::string_view bytes);
  // The record up to now, while the meter goes on.
  [[nodiscard]] MeterRecord snapshot() const;
  // After a last reading of every sensor.
  MeterRecord stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

std::string_view to_string(SensorKind kind);
std::string_view to_string(PowerSource source);
std::string_view to_string(EnergySource source);
std::string_view to_string(ThrottleReason reason);

}  // namespace joulecast

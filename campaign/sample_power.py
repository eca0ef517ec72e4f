# SPDX-License-Identifier: Apache-2.0
"""Samples energy counter, power and clocks of one NVIDIA GPU until it is told to stop.

    python3 campaign/sample_power.py --output samples.csv [--interval 0.05] [--index 0] &
    ... run what is to be measured ...
    kill -TERM $!

A process of its own, so that Python's lock in the measured program cannot delay a sample. Each line
carries the time at which the counter was read, by the clock that the record's marks use
(CLOCK_MONOTONIC). The file is a recording: it is replayed in tests of the meter and integrated
against the energy counter. Needs nvidia-ml-py.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import resource
import signal
import sys
import time

FIELD_POWER_INSTANT = 186  # NVML_FI_DEV_POWER_INSTANT, in milliwatts
COLUMNS = (
    "monotonic_nanoseconds,energy_counter_joules,power_instant_watts,power_average_watts,"
    "sm_clock_hertz,memory_clock_hertz,temperature_celsius,throttle_reasons,reading_seconds\n"
)
# Clocks and temperature change slowly and cost as much to read as energy does.
SLOW_EVERY = 5


def _or_empty(read, scale: float = 1.0) -> str:
    try:
        value = read()
    except Exception:  # a figure that this GPU does not give
        return ""
    return repr(value * scale) if scale != 1.0 else str(value)


def _instant_milliwatts(nvml, device) -> int:
    value = nvml.nvmlDeviceGetFieldValues(device, [FIELD_POWER_INSTANT])[0]
    if value.nvmlReturn != nvml.NVML_SUCCESS:
        raise ValueError("no instant power")
    return value.value.uiVal


def _slow(nvml, device) -> list[str]:
    return [
        _or_empty(lambda: nvml.nvmlDeviceGetClockInfo(device, nvml.NVML_CLOCK_SM), 1e6),
        _or_empty(lambda: nvml.nvmlDeviceGetClockInfo(device, nvml.NVML_CLOCK_MEM), 1e6),
        _or_empty(lambda: nvml.nvmlDeviceGetTemperature(device, nvml.NVML_TEMPERATURE_GPU)),
        _or_empty(lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(device)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--interval", type=float, default=0.05, help="seconds between samples")
    parser.add_argument("--index", type=int, default=0, help="which GPU, as NVML counts them")
    arguments = parser.parse_args()
    import pynvml as nvml

    stop = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(True))
    nvml.nvmlInit()
    device = nvml.nvmlDeviceGetHandleByIndex(arguments.index)
    begun = next_at = time.monotonic()
    samples = 0
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(COLUMNS)
        while not stop:
            now = time.monotonic_ns()
            cells = [
                str(now),
                _or_empty(lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(device), 1e-3),
                _or_empty(lambda: _instant_milliwatts(nvml, device), 1e-3),
                _or_empty(lambda: nvml.nvmlDeviceGetPowerUsage(device), 1e-3),
            ]
            cells += _slow(nvml, device) if samples % SLOW_EVERY == 0 else [""] * 4
            cells.append(f"{(time.monotonic_ns() - now) * 1e-9:.6f}")
            file.write(",".join(cells) + "\n")
            if samples % 20 == 0:
                file.flush()
            samples += 1
            next_at = max(next_at + arguments.interval, time.monotonic() - arguments.interval)
            time.sleep(max(0.0, next_at - time.monotonic()))
        file.flush()
        os.fsync(file.fileno())
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = time.monotonic() - begun
    print(f"{samples} samples in {seconds:.1f} s; {usage.ru_utime + usage.ru_stime:.2f} s of one "
          "core, starting included", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

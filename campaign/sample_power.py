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

import machine

FIELD_POWER_INSTANT = 186  # NVML_FI_DEV_POWER_INSTANT, in milliwatts
COLUMNS = (
    "monotonic_nanoseconds,energy_counter_joules,power_instant_watts,power_average_watts,"
    "sm_clock_hertz,memory_clock_hertz,temperature_celsius,throttle_reasons,reading_seconds\n"
)
# Clocks and temperature change slowly and cost as much to read as energy does.
SLOW_EVERY = 5


def _instant_watts(nvml: machine.Nvml) -> float | None:
    values = nvml.call("nvmlDeviceGetFieldValues", [FIELD_POWER_INSTANT])
    if not values or values[0].nvmlReturn != 0:
        return None
    return values[0].value.uiVal * 1e-3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--interval", type=float, default=0.05, help="seconds between samples")
    parser.add_argument("--index", type=int, default=0, help="which GPU, as NVML counts them")
    arguments = parser.parse_args()
    nvml = machine.open_nvml(index=arguments.index)
    if nvml.call("nvmlDeviceGetUUID") is None:
        raise SystemExit("sample_power.py: no such GPU, no NVIDIA driver or no nvidia-ml-py")
    stop = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.append(True))
    begun = next_at = time.monotonic()
    samples = 0
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write(COLUMNS)
        while not stop:
            now = time.monotonic_ns()
            values = [now, nvml.energy_joules(), _instant_watts(nvml), nvml.power_watts()]
            values += nvml.clocks().values() if samples % SLOW_EVERY == 0 else [None] * 4
            values.append(f"{(time.monotonic_ns() - now) * 1e-9:.6f}")
            file.write(",".join("" if v is None else str(v) for v in values) + "\n")
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

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures training steps: how long they take, what energy and memory they need.

usage: training_steps.py plan
       training_steps.py run --record FILE.jsonl [--time-limit 8m] [--resume] [--smoke] ...
       training_steps.py join --record FILE.jsonl --meter METER.json --output OUT.jsonl
"""

from __future__ import annotations

import time

PROCESS_START = time.monotonic()

import argparse  # noqa: E402 - the time limit counts from the start of the process
import fnmatch  # noqa: E402
import os  # noqa: E402
import pathlib  # noqa: E402
import re  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402
import warnings  # noqa: E402
from typing import Any  # noqa: E402

import plan as plans  # noqa: E402
import records  # noqa: E402

IDLE_SECONDS = 3.0
SMOKE_LOOP_SECONDS = 0.2
LOOP_SECONDS = 2.2
# Kept free at the end of a time limit for the closing idle segment and for leaving.
RESERVE_SECONDS = IDLE_SECONDS + 3.0
# A configuration that takes longer than this hangs.
HANG_SECONDS = {False: 60.0, True: 180.0}
TRACEBACK_LINES = 12
MOST_RESTARTS = 3
RESTARTS_VARIABLE = "JOULECAST_CAMPAIGN_RESTARTS"
START_VARIABLE = "JOULECAST_CAMPAIGN_START"


def parse_duration(text: str) -> float:
    """Seconds from "480", "480s", "8m" or "1.5h"."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration, such as 480, 480s or 8m")
    return float(match[1]) * {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}[match[2]]


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)

    show = commands.add_parser("plan", help="print the plan, one configuration a line")
    show.add_argument("--only", metavar="GLOB", help="only ids that match")

    run = commands.add_parser("run", help="measure")
    run.add_argument("--record", type=pathlib.Path, help="the record, which grows line by line")
    run.add_argument("--time-limit", type=parse_duration, metavar="8m",
                     help="counted from the start of the process")
    run.add_argument("--resume", action="store_true", help="skip what the record holds already")
    run.add_argument("--skip-failed", action="store_true",
                     help="with --resume: do not try again what failed")
    run.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    run.add_argument("--only", metavar="GLOB", help="only ids that match")
    run.add_argument("--max", type=int, metavar="N", help="at most N configurations")
    run.add_argument("--smoke", action="store_true",
                     help="a quick check of every path, with a table and all tracebacks")
    run.add_argument("--no-profile", action="store_true",
                     help="no passes beside the timed loop: operations, kernels, activations")
    run.add_argument("--loop-seconds", type=float, metavar="S",
                     help=f"length of the timed loop [{LOOP_SECONDS}]")

    join = commands.add_parser("join", help="add the meter's energies to a record")
    join.add_argument("--record", type=pathlib.Path, required=True)
    join.add_argument("--meter", type=pathlib.Path, required=True)
    join.add_argument("--output", type=pathlib.Path, required=True)

    parsed = parser.parse_args(arguments)
    if parsed.command == "run" and parsed.record is None and not parsed.smoke:
        parser.error("run needs --record, or --smoke")
    return parsed


def selected(arguments: argparse.Namespace) -> list[plans.Configuration]:
    configurations = plans.smoke_plan() if getattr(arguments, "smoke", False) else plans.plan()
    if arguments.only:
        configurations = [c for c in configurations if fnmatch.fnmatch(c.id, arguments.only)]
    return configurations


def remaining_configurations(
    configurations: list[plans.Configuration], rows: list[dict], skip_failed: bool
) -> list[plans.Configuration]:
    done = records.done_ids((r for r in rows if not r.get("smoke")), skip_failed)
    return [c for c in configurations if c.id not in done]


def show_plan(arguments: argparse.Namespace) -> int:
    configurations = selected(arguments)
    for index, configuration in enumerate(configurations):
        mark = "held-out" if configuration.held_out else "fit"
        print(f"{index:3} {configuration.id:48} {mark:8} {configuration.expected_seconds:5.1f} s")
    total = sum(c.expected_seconds for c in configurations)
    print(f"{len(configurations)} configurations, {total / 60:.1f} min", file=sys.stderr)
    return 0


class Clock:
    """The time limit. A restarted process goes on with the first one's time."""

    def __init__(self, limit: float | None) -> None:
        self.start = float(os.environ.get(START_VARIABLE, PROCESS_START))
        self.limit = limit
        self._spent: dict[bool, list[float]] = {False: [], True: []}

    def left(self) -> float:
        return float("inf") if self.limit is None else self.start + self.limit - time.monotonic()

    def note(self, compiled: bool, seconds: float) -> None:
        self._spent[compiled].append(seconds)

    def expected(self, configuration: plans.Configuration, shorter: float) -> float:
        """What the plan expects, or the slower ones of this machine if those took longer."""
        recent = sorted(self._spent[configuration.compiled][-20:])
        planned = max(1.0, configuration.expected_seconds - shorter)
        return max(planned, recent[int(0.9 * (len(recent) - 1))] if recent else 0.0)


class Campaign:
    """One run: the machine's line, idle segments, and every configuration in its own guard."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.clock = Clock(arguments.time_limit)
        self.failures: list[tuple[str, str]] = []
        self.table: list[dict] = []
        self.settings: Any = None
        self.restarted = int(os.environ.get(RESTARTS_VARIABLE, "0"))

    def write(self, row: dict) -> None:
        if self.arguments.record is not None:
            records.append_row(self.arguments.record, row)

    def prepare(self) -> None:
        # No configuration needs anything from the network; looking for it would only wait.
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
            os.environ.setdefault(name, "1")
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        warnings.simplefilter("ignore")
        import torch

        import machine
        import measure

        name = self.arguments.device
        if name == "cuda" and not torch.cuda.is_available():
            raise SystemExit("training_steps.py: PyTorch finds no GPU; --device cpu measures none")
        device = torch.device("cuda", 0) if name == "cuda" else torch.device("cpu")
        nvml = (machine.open_nvml(machine.device_uuid(torch, device)) if name == "cuda"
                else machine.Nvml())
        loop_seconds = self.arguments.loop_seconds
        if loop_seconds is None:
            loop_seconds = SMOKE_LOOP_SECONDS if self.arguments.smoke else LOOP_SECONDS
        self.settings = measure.Settings(
            device=device,
            nvml=nvml,
            marks=records.Marks(),
            loop_seconds=loop_seconds,
            extras=not self.arguments.no_profile,
        )
        row = machine.machine_row(torch, device, self.settings.nvml)
        row["restarts"] = self.restarted
        row["only"] = self.arguments.only
        row["time_limit_seconds"] = self.arguments.time_limit
        row["extras"] = self.settings.extras
        row["smoke"] = self.arguments.smoke
        row["loop_target_seconds"] = loop_seconds
        if device.type == "cuda":
            # The first product creates the context and loads the libraries.
            matrix = torch.ones(1024, 1024, device=device)
            for _ in range(10):
                matrix = (matrix @ matrix).clamp(max=1.0)
            torch.cuda.synchronize()
        machine.attempt(__import__, "transformers")
        if self.settings.extras:
            row.update(machine.attempt(measure.start_profiler, device) or {})
        row["prepare_seconds"] = time.monotonic() - PROCESS_START
        self.write(row)
        _say(f"{row['device_name']}, torch {row['torch_version']}, "
             f"transformers {row['transformers_version']}, ready after "
             f"{row['prepare_seconds']:.1f} s")

    def idle(self, where: str) -> None:
        seconds = 0.5 if self.arguments.smoke else IDLE_SECONDS
        nvml, marks = self.settings.nvml, self.settings.marks
        row: dict[str, Any] = {"kind": "idle", "id": "idle", "where": where,
                               "smoke": self.arguments.smoke}
        row["begin_monotonic_nanoseconds"] = marks.begin("idle")
        begin, energy = time.monotonic(), nvml.energy_joules()
        time.sleep(seconds)
        wall, end_energy = time.monotonic() - begin, nvml.energy_joules()
        row["end_monotonic_nanoseconds"] = marks.end("idle")
        row["wall_seconds"] = wall
        if energy is not None and end_energy is not None:
            row["energy_nvml_joules"] = end_energy - energy
            row["power_nvml_watts"] = (end_energy - energy) / wall
        row.update(nvml.state())
        self.write(row)

    def run(self) -> int:
        configurations = selected(self.arguments)
        if self.arguments.resume and self.arguments.record is not None:
            configurations = remaining_configurations(
                configurations, records.read_rows(self.arguments.record),
                self.arguments.skip_failed,
            )
        if self.arguments.max is not None:
            configurations = configurations[: max(0, self.arguments.max)]
        self.prepare()
        if not self.restarted:
            self.idle("begin")
        left = 0
        for index, configuration in enumerate(configurations):
            shorter = LOOP_SECONDS - self.settings.loop_seconds
            if self.clock.left() - RESERVE_SECONDS < self.clock.expected(configuration, shorter):
                # A compiled one may not fit where a later one still does.
                left += 1
                continue
            row = self.measure(configuration)
            self.write(row)
            self.table.append(row)
            _say(progress_line(index, len(configurations), row))
            if row.get("device_lost"):
                self.restart()
                left += len(configurations) - index - 1
                break
        machine_lost = bool(self.table and self.table[-1].get("device_lost"))
        if not machine_lost:
            self.idle("end")
        if self.arguments.smoke:
            self.print_smoke()
        measured = sum("error" not in row for row in self.table)
        _say(f"{measured} measured, {len(self.table) - measured} failed, {left} left"
             + (": run again with --resume" if left else ""))
        return 1 if self.arguments.smoke and self.failures else 0

    def measure(self, configuration: plans.Configuration) -> dict:
        import measure

        row: dict[str, Any] = {"kind": "step", **configuration.as_row()}
        row["smoke"] = self.arguments.smoke
        row["loop_target_seconds"] = self.settings.loop_seconds
        begin = time.monotonic()
        limit = min(HANG_SECONDS[configuration.compiled],
                    max(2.0, self.clock.left() - RESERVE_SECONDS + 2.0))
        try:
            signal.setitimer(signal.ITIMER_REAL, limit)
            measure.measure(configuration, self.settings, row)
        except Exception as error:  # noqa: BLE001 - one configuration never ends the campaign
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.note_failure(configuration, error, row)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        row["device_lost"] = not self.recover(configuration)
        row["elapsed_seconds"] = time.monotonic() - begin
        self.clock.note(configuration.compiled, row["elapsed_seconds"])
        return row

    def note_failure(
        self, configuration: plans.Configuration, error: Exception, row: dict
    ) -> None:
        text = f"{type(error).__name__}: {error}"[:500]
        full = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        if row.get("step_mean_seconds") is not None:
            # The timed loop is complete; only what comes after it is missing.
            row["late_error"] = text
        else:
            row["error"] = "out_of_memory" if _is_out_of_memory(error) else text
        row["traceback_tail"] = shorten_paths(full).splitlines()[-TRACEBACK_LINES:]
        self.failures.append((configuration.id, full))
        # The frames hold the model and its memory.
        traceback.clear_frames(error.__traceback__)

    def recover(self, configuration: plans.Configuration) -> bool:
        """Frees the memory; false if the GPU does not answer any more."""
        import measure

        try:
            measure.free_memory(self.settings.device, configuration.compiled)
            measure.synchronize(self.settings.device)
        except Exception:  # noqa: BLE001
            return False
        return True

    def restart(self) -> None:
        """Goes on in a fresh process: after some errors a process cannot use the GPU again.

        The process keeps its number, so a meter that started it goes on measuring. Returns if
        there is nothing to go on from or it has been tried often enough.
        """
        if self.arguments.record is None or self.arguments.smoke:
            return
        if self.restarted >= MOST_RESTARTS:
            return
        _say("the GPU does not answer: going on in a fresh process")
        environment = dict(os.environ)
        environment[RESTARTS_VARIABLE] = str(self.restarted + 1)
        environment[START_VARIABLE] = repr(self.clock.start)
        arguments = [a for a in sys.argv[1:] if a not in ("--resume", "--skip-failed")]
        sys.stderr.flush()
        os.execve(sys.executable,
                  [sys.executable, os.path.abspath(__file__), *arguments, "--resume",
                   "--skip-failed"], environment)

    def print_smoke(self) -> None:
        print(f"{'configuration':44} {'result':10} {'step ms':>9} {'J/step':>9} {'busy':>5} "
              f"{'GFLOP':>9} {'kernels':>7} {'peak MB':>8}  notes")
        for row in self.table:
            numbers = [
                _format(row.get("step_mean_seconds"), 1e3, "9.3f"),
                _format(row.get("step_energy_nvml_joules"), 1.0, "9.4f"),
                _format(_busy_fraction(row), 1.0, "5.2f"),
                _format(row.get("flops_total"), 1e-9, "9.3f"),
                _format(row.get("kernels_count"), 1.0, "7.0f"),
                _format(row.get("memory_peak_allocated_bytes"), 1e-6, "8.0f"),
            ]
            notes = {key: row.get(key) for key in
                     ("attention", "experts", "recurrent_output_type", "compile_seconds",
                      "extras_seconds", "extras_errors") if row.get(key) is not None}
            result = "FAILED" if "error" in row else "late" if "late_error" in row else "ok"
            print(f"{row['id']:44} {result:10} {' '.join(numbers)}  {notes}")
        for identifier, text in self.failures:
            print(f"\n--- {identifier}\n{text}")
        sys.stdout.flush()


def shorten_paths(text: str) -> str:
    """A traceback with three parts of every path: the rest tells only where things lie."""
    return re.sub(r'File "[^"]*?((?:[^/"]+/){0,2}[^/"]+)"', r'File "\1"', text)


def _is_out_of_memory(error: Exception) -> bool:
    return type(error).__name__ == "OutOfMemoryError" or "out of memory" in str(error).lower()


def _busy_fraction(row: dict) -> float | None:
    """Share of a step in which the GPU computes; the step is timed without the tracer."""
    busy, step = row.get("gpu_busy_union_seconds"), row.get("step_mean_seconds")
    return None if busy is None or not step else busy / step


def _format(value: float | None, factor: float, form: str) -> str:
    width = int(form.split(".")[0])
    return " " * (width - 1) + "-" if value is None else format(value * factor, form)


def progress_line(index: int, count: int, row: dict) -> str:
    head = f"[{index + 1:3}/{count}] {row['id']:46}"
    if "error" in row:
        return f"{head} {row['error'].splitlines()[0][:100]}"
    return (
        f"{head} {_format(row.get('step_mean_seconds'), 1e3, '9.3f')} ms "
        f"{_format(row.get('step_energy_nvml_joules'), 1.0, '8.3f')} J "
        f"{_format(row.get('power_nvml_watts'), 1.0, '5.0f')} W "
        f"busy {_format(_busy_fraction(row), 1.0, '4.2f')} "
        f"({row['elapsed_seconds']:.1f} s)"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _on_alarm(_number: int, _frame: Any) -> None:
    raise TimeoutError("the configuration took too long")


def join(arguments: argparse.Namespace) -> int:
    steps, joined = records.join_files(arguments.record, arguments.meter, arguments.output)
    _say(f"{joined} of {steps} configurations have the meter's energy")
    return 0


def main(arguments: list[str]) -> int:
    parsed = parse_arguments(arguments)
    if parsed.command == "plan":
        return show_plan(parsed)
    if parsed.command == "join":
        return join(parsed)
    signal.signal(signal.SIGALRM, _on_alarm)
    return Campaign(parsed).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: Apache-2.0
"""Files of the campaign: the record (JSON lines), the meter's marks, and their join.

Standard library only.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import time
from typing import Any, Iterable

MARKS_VARIABLE = "JOULECAST_MARKS"


class Marks:
    """Tells a meter when a segment begins and ends, through the file that the meter names.

    Does nothing when no meter runs. A line goes out in one write to a file opened for appending,
    so the meter never reads half of one.
    """

    def __init__(self, path: str | None = None) -> None:
        path = path if path is not None else os.environ.get(MARKS_VARIABLE)
        self._file = -1
        if path:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    @staticmethod
    def line(word: str, name: str, nanoseconds: int) -> bytes:
        if word not in ("begin", "end") or name.split() != [name]:
            raise ValueError(f"no mark can be written for {word!r} {name!r}")
        return f"{word} {name} @{nanoseconds}\n".encode()

    def _write(self, word: str, name: str) -> int:
        now = time.monotonic_ns()
        if self._file >= 0:
            os.write(self._file, self.line(word, name, now))
        return now

    def begin(self, name: str) -> int:
        return self._write("begin", name)

    def end(self, name: str) -> int:
        return self._write("end", name)


def plain(value: Any) -> Any:
    """The value with everything that JSON cannot say replaced: NaN and infinities by null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)


def append_row(path: pathlib.Path, row: dict) -> None:
    """Appends one line in one write. A line cut off by a crash is closed first."""
    data = (json.dumps(plain(row), allow_nan=False) + "\n").encode()
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            data = b"\n" + data
        while data:
            data = data[os.write(file, data):]
    finally:
        os.close(file)


def read_rows(path: pathlib.Path) -> list[dict]:
    """All rows of a record that can be read. A line cut off by a crash is left out."""
    rows = []
    if not path.exists():
        return rows
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows


def done_ids(rows: Iterable[dict], failed_too: bool = False) -> set[str]:
    """Configurations not to measure again: measured ones, and those that do not fit in memory."""
    return {
        row["id"]
        for row in rows
        if row.get("kind") == "step"
        and "id" in row
        and (failed_too or row.get("error") in (None, "out_of_memory"))
    }


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _segment_energy(segment: dict) -> dict:
    """What the meter says of one segment and GPU."""
    energy = {key: value for key, value in segment.items() if key != "name"}
    begin, end = (_number(segment.get(f"{edge}_seconds")) for edge in ("begin", "end"))
    if begin is not None and end is not None:
        energy["duration_seconds"] = end - begin
    return energy


def _segments(meter: dict) -> dict[str, list[dict]]:
    segments: dict[str, list[dict]] = {}
    found = meter.get("segments")
    for segment in found if isinstance(found, list) else []:
        # The meter writes a row for each segment and device; the campaign runs on one GPU.
        if not isinstance(segment, dict) or segment.get("device") != "gpu0":
            continue
        if isinstance(segment.get("name"), str):
            segments.setdefault(segment["name"], []).append(segment)
    return segments


def join(rows: list[dict], meter: dict) -> list[dict]:
    """The rows with what the meter measured in each one's segment under "meter".

    A configuration that was measured more than once has several segments of one name. Rows and
    segments are then paired in the order in which they were written, from the last one back,
    because a row whose measurement failed before its loop has no segment. Rows that hold a
    reading already keep it: a record of several runs is joined with the last run's meter first.
    """
    segments = _segments(meter)
    joined = []
    for row in reversed(rows):
        row = dict(row)
        if row.get("kind") in ("step", "idle") and row.get("meter") is None:
            name = row.get("id")
            mine = segments.get(name, []) if isinstance(name, str) else []
            began = row.get("kind") == "idle" or row.get("begin_monotonic_nanoseconds") is not None
            segment = mine.pop() if mine and began else None
            row["meter"] = _segment_energy(segment) if segment else None
            if row["meter"] is not None and row.get("kind") == "step":
                _add_energy_per_step(row)
        joined.append(row)
    joined.reverse()
    return joined


def _add_energy_per_step(row: dict) -> None:
    steps = _number(row.get("steps"))
    if not steps:
        return
    for key in ("energy_joules", "energy_by_counter_joules", "energy_by_integration_joules"):
        energy = _number(row["meter"].get(key))
        if energy is not None:
            row["meter"][key.replace("energy", "step_energy")] = energy / steps


def join_files(record: pathlib.Path, meter: pathlib.Path, output: pathlib.Path) -> tuple[int, int]:
    """Writes the joined record; returns how many step rows there are and how many have energy."""
    rows = join(read_rows(record), json.loads(meter.read_text(encoding="utf-8")))
    text = "".join(json.dumps(plain(row), allow_nan=False) + "\n" for row in rows)
    unfinished = output.with_name(output.name + ".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(output)
    steps = [row for row in rows if row.get("kind") == "step"]
    return len(steps), sum(row.get("meter") is not None for row in steps)

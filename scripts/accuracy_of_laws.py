#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fits laws to four fifths of the shapes of tables and judges them on the others, by regime.

usage: accuracy_of_laws.py JOULECAST TABLE... [--plain]

TABLEs are what `joulecast import` wrote. A shape is held out where the SHA-256 of its text, as a
number, is divisible by five: no row of it is seen by the fit, whatever device it ran on. Prints a
Markdown table of the held-out rows without doubted measurements: mean error of the duration by
regime, of power and energy in all and in training, and the share inside the 90 % interval.
"""
import csv
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

JOULECAST = sys.argv[1]
TABLES = sys.argv[2:]
REGIMES = ("all", "training", "skinny", "large", "small")


def held_out(shape):
    return int(hashlib.sha256(shape.encode()).hexdigest(), 16) % 5 == 0


def split(table, folder):
    name = pathlib.Path(table).name
    with open(table, newline="", encoding="utf-8") as source, \
            open(folder / ("fit_" + name), "w", newline="", encoding="utf-8") as fit, \
            open(folder / ("out_" + name), "w", newline="", encoding="utf-8") as out:
        rows = csv.DictReader(source)
        writers = [csv.DictWriter(file, rows.fieldnames, lineterminator="\n") for file in (fit, out)]
        for writer in writers:
            writer.writeheader()
        for row in rows:
            writers[held_out(row["shape"])].writerow(row)


def run(*arguments):
    return subprocess.run([JOULECAST, *map(str, arguments)], check=True, capture_output=True,
                          text=True).stdout


def cell(group, coverage):
    if group is None:
        return " |"
    text = f" {group['mape']:.3f} "
    if coverage and group["coverage_90"] is not None:
        text += f"/ {group['coverage_90']:.2f} "
    return text + "|"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for table in TABLES:
            split(table, folder)
        run("fit", *sorted(folder.glob("fit_*.csv")), "--output", folder / "laws")
        report = json.loads(run("validate", *sorted(folder.glob("out_*.csv")), "--laws",
                                folder / "laws", "--format", "json"))
    groups = {}
    for group in report["groups"]:
        if group["set"] == "out_of_sample_unmarked":
            key = (group["device"], group["precision"], group["operation"])
            groups.setdefault(key, {})[group["quantity"], group["regime"]] = group
    print("| device | precision | operation | rows | " + " | ".join(REGIMES) +
          " | power, all | power, training | energy, training |")
    print("| --- | --- | --- | ---: |" + " ---: |" * (len(REGIMES) + 3))
    for key, found in sorted(groups.items()):
        rows = found.get(("duration", "all"))
        line = f"| {' | '.join(key)} | {rows['count'] if rows else 0} |"
        for regime in REGIMES:
            line += cell(found.get(("duration", regime)), True)
        for quantity, regime in (("power", "all"), ("power", "training"), ("energy", "training")):
            line += cell(found.get((quantity, regime)), False)
        print(line)


main()

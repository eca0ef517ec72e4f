#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares predictions with the training steps of a campaign: figures of docs/accuracy.md.

usage: accuracy_of_campaign.py JOULECAST GPU RECORD [all]

RECORD is a record of campaign/training_steps.py, GPU the id of the device it was made on. The rows
that are held out count, with `all` every row. Those that joulecast cannot describe are counted by
reason. A row's time is its mean step in the timed loop, its energy the GPU's own counter over the
same loop; "kernels" is the time in which the GPU computed during one step, without the waits for
the host in between.
"""
import collections
import sys

import campaign_steps
import step_errors

JOULECAST, GPU, RECORD = sys.argv[1:4]


def report(name, pairs):
    mean, median, ratio, covered = step_errors.errors_of(pairs)
    print(f"| {name} | {len(pairs)} | {100 * mean:.0f} % | {100 * median:.0f} % | {ratio:.2f} | "
          f"{100 * covered:.0f} % |")


def main():
    steps = campaign_steps.read(RECORD)
    if "all" not in sys.argv[4:]:
        steps = [row for row in steps if row["held_out"]]
    pairs = collections.defaultdict(list)
    refused = collections.Counter()
    counted_otherwise = []
    for row in steps:
        try:
            result = campaign_steps.predict(JOULECAST, GPU, row)
        except ValueError as error:
            reason = str(error).splitlines()[0].split(": ", 2)[-1]
            refused[f"{row['family']}: {reason}"] += 1
            continue
        step, parameters = result["step"], result["model"]["parameters"]
        if parameters != row["parameters_count"]:
            counted_otherwise.append(f"{row['id']}: {parameters}, not {row['parameters_count']}")
        time = (step["duration_seconds"], row["step_mean_seconds"],
                step["duration_lower_seconds"], step["duration_upper_seconds"])
        busy = row["gpu_busy_union_seconds"] / row["step_mean_seconds"]
        pace = "paced by the GPU (busy 0.9 and more)" if busy >= 0.9 else "paced by the host"
        for group in (row["family"], "all", pace):
            pairs["time", group].append(time)
            pairs["kernels", group].append((time[0], row["gpu_busy_union_seconds"], *time[2:]))
            pairs["energy", group].append(
                (step["energy_joules"], row["step_energy_nvml_joules"],
                 step["energy_lower_joules"], step["energy_upper_joules"]))
    print("| quantity, rows | count | mean error | median error | median predicted / measured | "
          "inside the 90 % interval |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for quantity, group in sorted(pairs):
        report(f"{quantity}, {group}", pairs[quantity, group])
    for reason, count in sorted(refused.items()):
        print(f"not described: {count} rows, {reason}")
    print(f"parameter counts that differ: {counted_otherwise or 'none'}")


main()

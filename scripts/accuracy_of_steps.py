#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares predictions with measured steps: the figures of docs/accuracy.md.

usage: accuracy_of_steps.py JOULECAST DATA

DATA holds ecai2025/derived_transformer_steps.csv (training steps of the source paper's authors, one
row per distinct measurement) and neusight_ops/e2e/e2e_labels.csv with neusight_ops/device_configs
(forward passes and training steps in FP32). Every row of these tables that joulecast can describe
counts; the others are counted and named.
"""
import csv
import json
import pathlib
import sys
import tempfile

import step_errors

JOULECAST, DATA = sys.argv[1], pathlib.Path(sys.argv[2])
TRANSFORMER = """name = "{model}"
[[block]]
kind = "embedding"
vocab_size = {vocab}
hidden_size = {d_model}
max_position_embeddings = {seq}
[[block]]
kind = "{kind}"
num_hidden_layers = {layers}
hidden_size = {d_model}
num_attention_heads = {heads}
intermediate_size = {d_ff}
activation = "{activation}"
attention_dropout = 0.1
hidden_dropout = 0.1
[[block]]
kind = "language_model_head"
hidden_size = {d_model}
vocab_size = {vocab}
bias = true
"""


def predict(*arguments):
    return step_errors.predict(JOULECAST, *arguments)


def report(name, pairs):
    if not pairs:
        return
    mean, median, ratio, covered = step_errors.errors_of(pairs)
    print(f"{name}: rows {len(pairs)}, MAPE {mean:.3f}, median error {median:.3f}, "
          f"median predicted/measured {ratio:.3f}, inside the 90 % interval {covered:.3f}")


def authors_steps():
    pairs, refused = {}, {}
    gpus = {"A100-80GB-PCIe": ("a100-80gb-pcie", "tf32"), "RTX2080Ti": ("rtx-2080-ti", "fp32")}
    with tempfile.TemporaryDirectory() as folder, \
            open(DATA / "ecai2025/derived_transformer_steps.csv", newline="") as table:
        for row in csv.DictReader(table):
            gpu, precision = gpus[row["gpu"].replace(" ", "")]
            amp = row["impl"] != "torch_encoder"
            path = pathlib.Path(folder) / "model.toml"
            kind = "transformer_decoder" if row["model"] == "gpt" else "transformer_encoder"
            activation = "gelu" if amp else "relu"
            path.write_text(TRANSFORMER.format(**row, kind=kind, activation=activation))
            try:
                step = predict(path, gpu, "fp16" if amp else precision, row["batch"],
                               row["seq"])["step"]
            except ValueError as error:
                refused[str(error).split("\n")[0]] = refused.get(str(error).split("\n")[0], 0) + 1
                continue
            label = f"{gpu}, {'fp16' if amp else precision}"
            pairs.setdefault((label, "time"), []).append(
                (step["duration_seconds"], float(row["step_time_s"]),
                 step["duration_lower_seconds"], step["duration_upper_seconds"]))
            if row["E_cc_gpu_J"] and not amp:
                pairs.setdefault((label, "GPU energy by counter"), []).append(
                    (step["energy_joules"], float(row["E_cc_gpu_J"]),
                     step["energy_lower_joules"], step["energy_upper_joules"]))
    for key in sorted(pairs):
        report("training steps of the paper's authors, " + ", ".join(key), pairs[key])
    for error, count in refused.items():
        print(f"  refused {count} rows: {error}")


def neusight_steps():
    gpus = {"NVIDIA_A100-PCIE-40GB": "a100-40gb-pcie", "Tesla_P100-PCIE-16GB": "p100-pcie-16gb",
            "Tesla_P4": "p4", "Tesla_T4": "t4", "Tesla_V100-PCIE-32GB": "v100-pcie-32gb"}
    configs, pairs, left = DATA / "neusight_ops/device_configs", {}, {}
    with open(DATA / "neusight_ops/e2e/e2e_labels.csv", newline="") as table:
        for row in csv.DictReader(table):
            if row["option"] or row["device"] not in gpus:
                left["several GPUs, fused kernels or another device"] = left.get(
                    "several GPUs, fused kernels or another device", 0) + 1
                continue
            measured = json.loads(row["measured_json_ms"])["e2e_latency"] * 1e-3
            try:
                result = predict(configs / (row["model"] + ".json"), gpus[row["device"]], "fp32",
                                 row["batch"], row["seq"])
            except ValueError as error:
                reason = f"{row['model']}: " + str(error).split("\n")[0].split(": ")[-1]
                left[reason] = left.get(reason, 0) + 1
                continue
            phases = ("forward",) if row["mode"] == "inf" else (
                "forward", "backward_input", "backward_weight")
            predicted = sum(entry["total_duration_seconds"] for entry in result["operations"]
                            if entry["phase"] in phases)
            step = result["step"]
            low = step["duration_lower_seconds"] / step["duration_seconds"]
            high = step["duration_upper_seconds"] / step["duration_seconds"]
            mode = "forward passes" if row["mode"] == "inf" else "training steps"
            pairs.setdefault(mode, []).append(
                (predicted, measured, low * predicted, high * predicted))
    for mode in sorted(pairs):
        report(f"FP32 {mode} of BERT and GPT-2 on P4, P100, T4, V100, A100", pairs[mode])
    for reason, count in left.items():
        print(f"  left out {count} rows: {reason}")


authors_steps()
neusight_steps()

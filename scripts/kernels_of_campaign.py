#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares predicted with measured kernel time, class by class, of a campaign's training steps.

usage: kernels_of_campaign.py JOULECAST GPU RECORD

RECORD is a record of campaign/training_steps.py, GPU the id of the device it was made on. Only rows
that may be used for fitting are looked at: those that are held out, and those whose configuration
is held out under the model's other name, are left out. Measured kernels are put into classes by
their names, predicted operations by their kinds; times are in milliseconds, measured / predicted.
"""
import collections
import sys

import campaign_steps

JOULECAST, GPU, RECORD = sys.argv[1:4]
# The first entry that a kernel's name contains decides; names in lower case.
KERNELS = (("attention", ("sdpa", "flash", "fmha", "attention")),
           ("normalization", ("bn_", "batch_norm", "layer_norm", "layernorm", "gammabeta")),
           ("layout", ("nchwtonhwc", "nhwctonchw")),
           ("recurrent", ("lstm", "gru", "rnncell")),
           ("convolution", ("conv", "fprop", "dgrad", "wgrad", "winograd")),
           ("matmul", ("gemm", "nvjet", "cutlass", "splitk", "gemv")),
           ("optimizer", ("multi_tensor", "adam")),
           ("copy", ("copy", "memcpy")), ("fill", ("memset", "fill")),
           ("softmax", ("softmax", "nll")), ("reduction", ("reduce",)))
KINDS = {"loss": "softmax", "embedding": "elementwise"}


def class_of_kernel(name):
    for kind, parts in KERNELS:
        if any(part in name.lower() for part in parts):
            return kind
    return "elementwise"


def main():
    rows = campaign_steps.read(RECORD)
    print(f"{'row':44s} {'busy':>7s} {'sum':>7s} ratio  classes by size")
    for row in campaign_steps.not_held_out(rows):
        measured, predicted = collections.Counter(), collections.Counter()
        for kernel in row["kernels"]:
            measured[class_of_kernel(kernel["name"])] += 1e3 * kernel["total_seconds"]
        for entry in campaign_steps.predict(JOULECAST, GPU, row)["operations"]:
            kind = KINDS.get(entry["kind"], entry["kind"])
            predicted[kind] += 1e3 * entry["total_duration_seconds"]
        busy, total = 1e3 * row["gpu_busy_union_seconds"], sum(predicted.values())
        classes = " ".join(f"{kind}:{measured[kind]:.2f}/{predicted[kind]:.2f}"
                           for kind, _ in (measured + predicted).most_common(9))
        print(f"{row['id'][:44]:44s} {busy:7.2f} {total:7.2f} {total / busy:5.2f}  {classes}")


main()

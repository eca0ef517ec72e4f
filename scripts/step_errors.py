# SPDX-License-Identifier: Apache-2.0
"""What the comparisons with measured steps share: one prediction, and the errors of many."""
import json
import statistics
import subprocess


def predict(joulecast, model, gpu, precision, batch, sequence, *more):
    """The prediction as joulecast's JSON says it; ValueError with its message if it refuses."""
    command = [joulecast, "predict", str(model), "--gpu", gpu, "--precision", precision,
               "--batch-size", str(batch), "--sequence-length", str(sequence), *more,
               "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    return json.loads(done.stdout)


def errors_of(pairs):
    """Mean and median error, median ratio and coverage, as fractions.

    pairs: (predicted, measured, lower, upper), at least one.
    """
    ratios = [predicted / measured for predicted, measured, _, _ in pairs]
    errors = [abs(predicted - measured) / measured for predicted, measured, _, _ in pairs]
    covered = sum(low <= measured <= high for _, measured, low, high in pairs) / len(pairs)
    return (statistics.fmean(errors), statistics.median(errors), statistics.median(ratios),
            covered)

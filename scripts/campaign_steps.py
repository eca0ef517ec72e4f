# SPDX-License-Identifier: Apache-2.0
"""What the comparisons with a campaign's record share: its rows, and the prediction of one."""
import json
import pathlib
import tempfile

import step_errors

CAMPAIGN = pathlib.Path(__file__).resolve().parent.parent / "campaign"
# The campaign's sgd has a momentum; a fused AdamW does the same work in other kernels.
OPTIMIZERS = {"adamw": "adamw", "adamw_fused": "adamw", "adam": "adam", "sgd": "momentum"}
# One model has two names in the first record, and one was wider in the record's second run.
RENAMED = {"qwen3moe-170m": "qwen3moe-150m"}
EARLIER = {("llama-400m", 336118784): {"intermediate_size": 2816}}


def read(record):
    """The steps of a record that were measured."""
    rows = [json.loads(line) for line in open(record, encoding="utf-8")]
    return [row for row in rows if row["kind"] == "step" and "error" not in row]


def configuration(row):
    """The id of a row with the model's present name."""
    present = RENAMED.get(row["model"], row["model"])
    return row["id"].replace(row["model"], present, 1)


def not_held_out(rows):
    """The rows that may be used for fitting, by id: held out under no name of their model."""
    held_out = {configuration(row) for row in rows if row["held_out"]}
    return sorted((row for row in rows if configuration(row) not in held_out),
                  key=lambda row: row["id"])


def model_file(row, folder):
    path = CAMPAIGN / "models" / RENAMED.get(row["model"], row["model"])
    path = path / "model.toml" if (path / "model.toml").exists() else path / "config.json"
    changes = EARLIER.get((row["model"], row["parameters_count"]))
    if not changes:
        return path
    earlier = pathlib.Path(folder) / "config.json"
    earlier.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")
    return earlier


def predict(joulecast, gpu, row):
    """The prediction of a row as joulecast's JSON says it; ValueError if it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        return step_errors.predict(joulecast, model_file(row, folder), gpu, row["precision"],
                                   row["batch_size"], row["sequence_length"] or 1, "--optimizer",
                                   OPTIMIZERS[row["optimizer"]])

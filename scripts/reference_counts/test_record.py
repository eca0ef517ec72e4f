#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests what record.py does without transformers: tracing, counting, the pool, the order."""

from __future__ import annotations

import json
import pathlib
import tempfile
import time
import unittest
from typing import Any

import torch

import record


class Net(torch.nn.Module):
    """An embedding whose table is tied to the output, one linear layer and a convolution."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(11, 6, device=device)
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(6, 6, bias=True, device=device) for _ in range(2)
        )
        self.conv = torch.nn.Conv1d(6, 6, 3, padding=1, device=device)
        self.head = torch.nn.Linear(6, 11, bias=False, device=device)
        self.head.weight = self.embed.weight

    def forward(self, input_ids: torch.Tensor) -> dict[str, torch.Tensor]:
        hidden = self.embed(input_ids)
        for layer in self.layers:
            hidden = torch.tanh(layer(hidden))
        hidden = self.conv(hidden.transpose(1, 2)).transpose(1, 2)
        return {"logits": self.head(hidden)}


def inputs(device: str) -> dict[str, torch.Tensor]:
    return {"input_ids": torch.zeros((2, 5), dtype=torch.long, device=device)}


class Counting(unittest.TestCase):
    def test_parameters_count_a_tied_one_once(self) -> None:
        counted = record.count_parameters(Net("meta"), shapes=True)
        self.assertEqual(counted["parameters"], 11 * 6 + 2 * (36 + 6) + 6 * 6 * 3 + 6)
        self.assertEqual(counted["embedding_tables"], {"embed": [11, 6]})
        self.assertEqual(counted["tied"], [["embed.weight", "head.weight"]])
        self.assertEqual(counted["parameters_by_module"]["layers.*.weight"], 72)

    def test_operations_of_forward_and_backward(self) -> None:
        # The first versions with the meta device have no backward of a convolution on it.
        for device in ("cpu", "meta") if torch.__version__ >= "2" else ("cpu",):
            counted = record.count_operations(Net(device), inputs(device), whole_trace=True)
            forward = [call[0] for call in counted["operations"]["forward"]]
            self.assertEqual(len(forward), 4, forward)
            self.assertEqual(sum("conv" in name for name in forward), 1)
            backward = [call[0] for call in counted["operations"]["backward"]]
            self.assertIn("convolution_backward", backward)
            # Older versions multiply the transposed input of the head as a batch.
            self.assertEqual(backward.count("mm") + backward.count("bmm"), 6)
            self.assertEqual(counted["loss"], "sum of logits")

    def test_grouped_calls_keep_order(self) -> None:
        calls = [["mm", [[1, 2]]], ["bmm", [[3]]], ["mm", [[1, 2]]]]
        self.assertEqual(record.grouped_calls(calls), [[2, *calls[0]], [1, *calls[1]]])

    def test_saved_tensors_leave_parameters_out(self) -> None:
        for device in ("cpu", "meta"):
            saved = record.saved_tensors(Net(device), inputs(device), shapes=True)
            # Kept: the identifiers, three layer inputs (two of them also tanh outputs), the
            # convolution's output; a convolution may keep a copy of its transposed input.
            self.assertEqual(saved["bytes_by_dtype"]["int64"], 80)
            self.assertEqual(saved["bytes_of_inputs"], 80)
            self.assertIn(saved["bytes_by_dtype"]["float32"], (4 * 240, 5 * 240))
            self.assertEqual(sum(row[3] * row[0] for row in saved["storages"]), saved["bytes"])

    def test_names_of_operations(self) -> None:
        for name in ("mm", "addmm", "bmm", "_grouped_mm", "_scaled_mm", "convolution_backward"):
            self.assertIsNotNone(record.MATMUL_NAME.search(name), name)
        self.assertIsNotNone(record.MATMUL_NAME.search("_scaled_dot_product_flash_attention"))
        for name in ("add", "mul", "_softmax", "comm", "native_layer_norm", "embedding"):
            self.assertIsNone(record.MATMUL_NAME.search(name), name)


class Configurations(unittest.TestCase):
    def test_small_vocabularies_get_small_tokens(self) -> None:
        small = record.with_small_tokens({"text_config": {"vocab_size": 97, "pad_token_id": 5}})
        self.assertEqual(small["text_config"]["pad_token_id"], 5)
        self.assertEqual(small["text_config"]["eos_token_id"], 2)
        self.assertNotIn("eos_token_id", record.with_small_tokens({"vocab_size": 32000}))

    def test_every_file_names_what_the_script_reads(self) -> None:
        for folder in (record.MODELS, record.TINY):
            for path in folder.glob("*.json"):
                raw = json.loads(path.read_text())
                self.assertEqual(len(raw["architectures"]), 1, path)
                self.assertGreater(record.size_of(path), 0)
                shapes = record.input_shapes(path.stem, raw, folder == record.TINY)
                self.assertTrue(all(all(shape) for shape in shapes.values()), path)
                if "input_ids" in shapes:
                    self.assertGreater(record.vocabulary_of(raw), 3, path)


def work(stage: str, path: pathlib.Path, tiny: bool, send: record.Send) -> None:
    """Stands for a model: works, fails, dies or hangs as its name says."""
    send({"section": "first"})
    if path.stem == "fails":
        raise ValueError("as asked")
    if path.stem == "dies":
        import os

        os._exit(3)
    if path.stem == "hangs":
        time.sleep(30)
    send({"section": "last"})


class Pool(unittest.TestCase):
    def run_jobs(self, names: list[str], seconds: float, limit: float) -> list[dict[str, Any]]:
        lines: list[str] = []
        jobs = [record.Job("costs", pathlib.Path(f"{name}.json"), True) for name in names]
        record.run_jobs(jobs, lines.append, work, 3, time.monotonic() + seconds, limit)
        return [json.loads(line) for line in lines]

    def test_each_end_is_recorded(self) -> None:
        start = time.monotonic()
        records = self.run_jobs(["good", "fails", "dies", "hangs", "other"], 20, 1.0)
        self.assertLess(time.monotonic() - start, 10)
        of = {name: [r for r in records if r["id"] == name] for name in
              ("good", "fails", "dies", "hangs", "other")}
        self.assertEqual([r["section"] for r in of["good"]], ["first", "last"])
        self.assertEqual([r["section"] for r in of["other"]], ["first", "last"])
        self.assertEqual(of["fails"][1]["error"], "ValueError: as asked")
        self.assertIn("exit code 3", of["dies"][1]["error"])
        self.assertIn("timeout", of["hangs"][1]["error"])

    def test_the_time_limit_ends_all(self) -> None:
        start = time.monotonic()
        records = self.run_jobs(["hangs"] * 4, 1.0, 60)
        self.assertLess(time.monotonic() - start, 5)
        errors = [r["error"] for r in records if "error" in r]
        self.assertEqual(len(errors), 4)
        self.assertTrue(errors[-1].startswith("not started"))

    def test_command_line_without_transformers(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "counts.jsonl"
            record.main(["--output", str(path), "--only", "no-such-model"])
            lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual([line["section"] for line in lines], ["header", "end"])


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Tests of the campaign's parts that need neither PyTorch nor a GPU."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import plan as plans  # noqa: E402
import records  # noqa: E402
import training_steps  # noqa: E402


class PlanTest(unittest.TestCase):
    def setUp(self) -> None:
        self.plan = plans.plan()

    def test_is_the_same_every_time(self) -> None:
        self.assertEqual([c.id for c in self.plan], [c.id for c in plans.plan()])

    def test_does_not_depend_on_the_hash_seed(self) -> None:
        # The order on another machine must be the same; this is the order's beginning.
        self.assertEqual(self.plan[0].id, "bert-base_b16_s512_bf16_eager")

    def test_ids_are_unique_single_words(self) -> None:
        ids = [c.id for c in self.plan]
        self.assertEqual(len(ids), len(set(ids)))
        for identifier in ids:
            self.assertRegex(identifier, r"^[a-z0-9_-]+$")

    def test_id_states_what_differs_from_the_default(self) -> None:
        usual = plans.Configuration("bert-base", 32, 128, "bf16")
        self.assertEqual(usual.id, "bert-base_b32_s128_bf16_eager")
        other = plans.Configuration(
            "mixtral-100m", 8, 512, "tf32", True, "sgd", "eager", "eager"
        )
        self.assertEqual(other.id, "mixtral-100m_b8_s512_tf32_compiled_sgd_attneager_expeager")
        self.assertEqual(
            plans.Configuration("resnet-50", 4, 224, "fp32").id, "resnet-50_b4_i224_fp32_eager"
        )

    def test_size_and_time_fit(self) -> None:
        self.assertGreaterEqual(len(self.plan), 170)
        self.assertLessEqual(len(self.plan), 200)
        self.assertLessEqual(sum(c.expected_seconds for c in self.plan), 14 * 60)

    def test_hold_out_is_about_a_third(self) -> None:
        share = sum(c.held_out for c in self.plan) / len(self.plan)
        self.assertAlmostEqual(share, 1 / 3, delta=0.07)
        for family in plans.FAMILIES:
            marks = {c.held_out for c in self.plan if c.family == family}
            self.assertEqual(marks, {True, False}, family)

    def test_every_prefix_of_40_covers_families_and_precisions(self) -> None:
        begin = self.plan[:40]
        self.assertEqual({c.family for c in begin}, set(plans.FAMILIES))
        self.assertEqual({c.precision for c in begin}, set(plans.PRECISIONS))

    def test_every_stretch_of_40_covers_all_families(self) -> None:
        for start in range(0, len(self.plan) - 39):
            stretch = self.plan[start : start + 40]
            self.assertEqual({c.family for c in stretch}, set(plans.FAMILIES), start)

    def test_compiled_ones_lie_in_the_second_half(self) -> None:
        places = [i for i, c in enumerate(self.plan) if c.compiled]
        self.assertGreaterEqual(len(places), 8)
        self.assertGreaterEqual(min(places), len(self.plan) // 2 - len(places))
        self.assertGreater(min(b - a for a, b in zip(places, places[1:])), 3)

    def test_smoke_covers_all_families(self) -> None:
        smoke = plans.smoke_plan()
        self.assertEqual({c.family for c in smoke}, set(plans.FAMILIES))
        self.assertEqual(sum(c.compiled for c in smoke), 1)
        self.assertEqual(len({c.id for c in smoke}), len(smoke))


class ModelsTest(unittest.TestCase):
    def models(self) -> set[str]:
        return {c.model for c in plans.plan() + plans.smoke_plan()}

    def test_every_model_file_parses(self) -> None:
        for model in self.models():
            description = plans.read_model(model)
            self.assertTrue("model_type" in description or "block" in description, model)

    def test_every_model_is_planned(self) -> None:
        folders = {path.name for path in plans.MODELS.iterdir()}
        self.assertEqual(folders, self.models())

    def test_toml_blocks_fit_each_other(self) -> None:
        for model in self.models():
            description = plans.read_model(model)
            width = None
            for block in description.get("block", []):
                reads = block.get("input_size", block.get("hidden_size"))
                if width is not None:
                    self.assertEqual(reads, width, model)
                width = block.get("output_size", block.get("hidden_size"))

    def test_heads_divide_the_width(self) -> None:
        for model in self.models():
            config = plans.read_model(model)
            heads = config.get("num_attention_heads", config.get("n_head"))
            if heads and "head_dim" not in config:
                self.assertEqual(config.get("hidden_size", config.get("n_embd")) % heads, 0)
            if "num_key_value_heads" in config:
                self.assertEqual(heads % config["num_key_value_heads"], 0)

    def test_sequences_are_not_longer_than_the_model_allows(self) -> None:
        for configuration in plans.plan() + plans.smoke_plan():
            config = plans.read_model(configuration.model)
            limit = config.get("max_position_embeddings", config.get("n_positions"))
            if limit and not configuration.has_images:
                self.assertLessEqual(configuration.size, limit, configuration.id)

    def test_image_models_get_their_image_size(self) -> None:
        for configuration in plans.plan() + plans.smoke_plan():
            if configuration.family == "vit":
                config = plans.read_model(configuration.model)
                self.assertEqual(configuration.size, config["image_size"], configuration.id)


class MarksTest(unittest.TestCase):
    def test_lines_are_well_formed_and_in_order(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "marks")
            marks = records.Marks(path)
            begin = marks.begin("a_b32")
            end = marks.end("a_b32")
            text = pathlib.Path(path).read_text(encoding="utf-8")
        self.assertEqual(text, f"begin a_b32 @{begin}\nend a_b32 @{end}\n")
        for line in text.splitlines():
            self.assertTrue(re.fullmatch(r"(begin|end) \S+ @\d+", line))
        self.assertLessEqual(begin, end)

    def test_lines_are_added_to_those_of_others(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "marks")
            first, second = records.Marks(path), records.Marks(path)
            first.begin("a")
            second.begin("b")
            first.end("a")
            text = pathlib.Path(path).read_text(encoding="utf-8")
        words = [line.split()[:2] for line in text.splitlines()]
        self.assertEqual(words, [["begin", "a"], ["begin", "b"], ["end", "a"]])

    def test_nothing_is_written_without_a_meter(self) -> None:
        before = os.environ.pop(records.MARKS_VARIABLE, None)
        try:
            self.assertGreater(records.Marks().begin("a"), 0)
        finally:
            if before is not None:
                os.environ[records.MARKS_VARIABLE] = before

    def test_names_with_spaces_are_refused(self) -> None:
        for name in ("", "a b", "a\n", " a"):
            with self.assertRaises(ValueError):
                records.Marks.line("begin", name, 1)


class RecordTest(unittest.TestCase):
    def test_rows_survive_a_line_cut_off(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "record.jsonl"
            records.append_row(path, {"id": "a", "loss_last": float("nan")})
            with path.open("a", encoding="utf-8") as file:
                file.write('{"id": "b", "wall_sec')
            records.append_row(path, {"id": "c"})
            rows = records.read_rows(path)
        self.assertEqual(rows, [{"id": "a", "loss_last": None}, {"id": "c"}])

    def test_a_missing_record_is_empty(self) -> None:
        self.assertEqual(records.read_rows(pathlib.Path("/nonexistent/record.jsonl")), [])

    def test_resume_skips_what_is_measured_or_too_large(self) -> None:
        a, b, c, d = plans.plan()[:4]
        rows = [
            {"kind": "machine"},
            {"kind": "idle", "id": "idle"},
            {"kind": "step", "id": a.id},
            {"kind": "step", "id": b.id, "error": "out_of_memory"},
            {"kind": "step", "id": c.id, "error": "RuntimeError: no"},
            {"kind": "step", "id": d.id, "smoke": True},
        ]
        left = training_steps.remaining_configurations([a, b, c, d], rows, False)
        self.assertEqual([x.id for x in left], [c.id, d.id])
        left = training_steps.remaining_configurations([a, b, c, d], rows, True)
        self.assertEqual([x.id for x in left], [d.id])

    def test_a_later_success_counts(self) -> None:
        rows = [{"kind": "step", "id": "a", "error": "E"}, {"kind": "step", "id": "a"}]
        self.assertEqual(records.done_ids(rows), {"a"})


class JoinTest(unittest.TestCase):
    @staticmethod
    def segment(name: str, energy: float) -> dict:
        return {
            "name": name,
            "begin_seconds": 1.0,
            "end_seconds": 3.0,
            "device": "gpu0",
            "energy_joules": energy,
            "energy_by_integration_joules": None,
        }

    @staticmethod
    def row(name: str, **more: object) -> dict:
        return {"kind": "step", "id": name, "steps": 4, "begin_monotonic_nanoseconds": 1, **more}

    def test_gpu_0_of_the_segment_goes_into_the_row(self) -> None:
        rows = [{"kind": "machine"}, self.row("a"), self.row("b")]
        other = {**self.segment("a", -1.0), "device": "cpu0"}
        joined = records.join(rows, {"segments": [other, self.segment("a", 8.0), other]})
        self.assertEqual(joined[0], {"kind": "machine"})
        self.assertEqual(joined[1]["meter"]["energy_joules"], 8.0)
        self.assertEqual(joined[1]["meter"]["step_energy_joules"], 2.0)
        self.assertEqual(joined[1]["meter"]["duration_seconds"], 2.0)
        self.assertIsNone(joined[2]["meter"])

    def test_repeated_names_pair_in_order(self) -> None:
        rows = [
            {"kind": "idle", "id": "idle", "where": "begin"},
            self.row("a", error="RuntimeError: in the loop"),
            {"kind": "step", "id": "a", "error": "RuntimeError: before the loop"},
            self.row("a"),
            {"kind": "idle", "id": "idle", "where": "end"},
        ]
        meter = {
            "segments": [
                self.segment("idle", 1.0),
                self.segment("a", 2.0),
                self.segment("a", 3.0),
                self.segment("idle", 4.0),
            ]
        }
        joined = records.join(rows, meter)
        energies = [r["meter"] and r["meter"]["energy_joules"] for r in joined]
        self.assertEqual(energies, [1.0, 2.0, None, 3.0, 4.0])

    def test_two_runs_are_joined_with_the_last_meter_first(self) -> None:
        idle = {"kind": "idle", "id": "idle"}
        rows = [idle, self.row("a"), idle, self.row("b")]
        later = {"segments": [self.segment("idle", 3.0), self.segment("b", 4.0)]}
        earlier = {"segments": [self.segment("idle", 1.0), self.segment("a", 2.0)]}
        joined = records.join(records.join(rows, later), earlier)
        self.assertEqual([r["meter"]["energy_joules"] for r in joined], [1.0, 2.0, 3.0, 4.0])

    def test_odd_meters_leave_nulls(self) -> None:
        for meter in (
            {},
            {"segments": None},
            {"segments": ["a", {"name": "a"}]},
            {"segments": [{"name": "a", "device": None}]},
            {"segments": [{"name": "a", "device": "gpu3", "energy_joules": 1.0}]},
        ):
            self.assertIsNone(records.join([self.row("a")], meter)[0]["meter"], meter)

    def test_files(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            base = pathlib.Path(folder)
            records.append_row(base / "record.jsonl", {"kind": "machine"})
            records.append_row(base / "record.jsonl", self.row("a"))
            meter = {"segments": [self.segment("a", 8.0)]}
            (base / "meter.json").write_text(json.dumps(meter), encoding="utf-8")
            with contextlib.redirect_stderr(io.StringIO()) as said:
                code = training_steps.main(
                    ["join", "--record", str(base / "record.jsonl"),
                     "--meter", str(base / "meter.json"), "--output", str(base / "out.jsonl")]
                )
            rows = records.read_rows(base / "out.jsonl")
        self.assertEqual(code, 0)
        self.assertIn("1 of 1", said.getvalue())
        self.assertEqual(rows[1]["meter"]["energy_joules"], 8.0)


class CommandTest(unittest.TestCase):
    def test_durations(self) -> None:
        for text, seconds in (("480", 480), ("480s", 480), ("8m", 480), ("1.5h", 5400)):
            self.assertEqual(training_steps.parse_duration(text), seconds)
        for text in ("", "m", "8 minutes", "-1"):
            with self.assertRaises(argparse.ArgumentTypeError):
                training_steps.parse_duration(text)

    def test_plan_prints_one_line_each(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            with contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(training_steps.main(["plan"]), 0)
        lines = out.getvalue().splitlines()
        self.assertEqual(len(lines), len(plans.plan()))
        self.assertIn(plans.plan()[0].id, lines[0])

    def test_only_selects_by_id(self) -> None:
        arguments = training_steps.parse_arguments(["plan", "--only", "gru-*"])
        chosen = training_steps.selected(arguments)
        self.assertTrue(chosen)
        self.assertEqual({c.family for c in chosen}, {"gru"})

    def test_the_clock_learns_from_slow_configurations(self) -> None:
        clock = training_steps.Clock(600.0)
        configuration = plans.plan()[0]
        self.assertEqual(clock.expected(configuration, 0.0), configuration.expected_seconds)
        for _ in range(20):
            clock.note(False, 30.0)
        self.assertEqual(clock.expected(configuration, 0.0), 30.0)
        self.assertLessEqual(clock.left(), 600.0)

    def test_progress_lines(self) -> None:
        row = {"id": "a", "error": "out_of_memory"}
        self.assertIn("out_of_memory", training_steps.progress_line(0, 2, row))
        row = {"id": "a", "step_mean_seconds": 0.01, "gpu_busy_union_seconds": 0.009,
               "elapsed_seconds": 3.0}
        line = training_steps.progress_line(0, 2, row)
        self.assertIn("10.000 ms", line)
        self.assertIn("0.90", line)

    def test_tracebacks_keep_three_parts_of_a_path(self) -> None:
        text = '  File "/a/b/c/d/e.py", line 1, in f\n  File "e.py", line 2, in g\n'
        short = '  File "c/d/e.py", line 1, in f\n  File "e.py", line 2, in g\n'
        self.assertEqual(training_steps.shorten_paths(text), short)


@unittest.skipUnless(importlib.util.find_spec("torch"), "needs PyTorch")
class TorchTest(unittest.TestCase):
    def test_recurrent_and_dense_models_train_on_the_host(self) -> None:
        import torch

        import build

        device = torch.device("cpu")
        for model in ("lstm-256x1", "gru-512x2", "mlp-1024x4"):
            configuration = plans.Configuration(model, 2, 3, "fp32")
            module, _ = build.build_model(configuration, device)
            batch = build.build_batch(configuration, device)
            loss = build.loss_of(module(**batch))
            loss.backward()
            build.build_optimizer(configuration, module).step()
            self.assertTrue(torch.isfinite(loss), model)
            self.assertTrue(all(p.grad is not None for p in module.parameters()), model)

    def test_a_tied_head_has_the_weights_of_the_embedding(self) -> None:
        import torch

        import build

        device = torch.device("cpu")
        module, _ = build.build_model(plans.Configuration("lstm-650x2", 2, 3, "fp32"), device)
        self.assertEqual(sum(p.numel() for p in module.parameters()), 13_280_400)

    def test_a_step_is_measured_on_the_host(self) -> None:
        import torch

        import machine
        import measure

        settings = measure.Settings(
            torch.device("cpu"), machine.Nvml(), records.Marks(), loop_seconds=0.01
        )
        self.assertIsInstance(settings.nvml, machine.Nvml)
        row: dict = {}
        measure.measure(plans.Configuration("gru-256x1", 1, 2, "fp32"), settings, row)
        self.assertGreaterEqual(row["steps"], measure.LOOP_LEAST_STEPS)
        self.assertEqual(row["parameters_count"], 5_524_752)
        self.assertLessEqual(row["step_min_seconds"], row["step_median_seconds"])
        self.assertLessEqual(row["step_median_seconds"], row["step_p90_seconds"])
        self.assertGreater(row["activations_saved_bytes"], 0)
        self.assertIsNone(row["energy_nvml_joules"])
        json.dumps(records.plain(row), allow_nan=False)

    def test_kernels_are_summed_by_name(self) -> None:
        import measure

        kernels = [(f"k{i:03}", 100 * i, 100 * i + 10) for i in range(70)]
        kernels += [("slow", 0, 100), ("slow", 50, 150)]
        summary = measure.summarize_kernels(kernels)
        self.assertEqual(summary["kernels_count"], 72)
        self.assertEqual(summary["kernels"][0]["name"], "slow")
        self.assertAlmostEqual(summary["kernels"][0]["total_seconds"], 200e-9)
        self.assertEqual(len(summary["kernels"]), measure.KERNELS_LISTED + 1)
        self.assertEqual(summary["kernels"][-1]["name"], "other")
        self.assertEqual(summary["kernels"][-1]["count"], 11)
        self.assertAlmostEqual(summary["gpu_busy_seconds"], 900e-9)
        # k000 and k001 run beside "slow".
        self.assertAlmostEqual(summary["gpu_busy_union_seconds"], 830e-9)
        self.assertAlmostEqual(summary["gpu_span_seconds"], 6910e-9)
        self.assertEqual(measure.summarize_kernels([])["gpu_busy_seconds"], 0)


if __name__ == "__main__":
    unittest.main()

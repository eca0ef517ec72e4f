# SPDX-License-Identifier: Apache-2.0
"""The plan of the campaign: which training steps are measured, and in which order.

Standard library only. The plan is a pure function of this file, so two machines that run the same
version measure the same configurations in the same order.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import tomllib

PLAN_VERSION = 1
MODELS = pathlib.Path(__file__).resolve().parent / "models"

# Expected wall-clock time of one configuration: build, warm-up, timed loop, extra passes.
EAGER_SECONDS = 3.9
COMPILED_SECONDS = 22.0

FAMILIES = ("bert", "gpt2", "llama", "lstm", "gru", "resnet", "vit", "moe", "mlp")
PRECISIONS = ("fp32", "tf32", "bf16")
OPTIMIZERS = ("adamw", "adamw_fused", "adam", "sgd")

# One line per model and shape: MODEL BATCH SIZE PRECISION[,PRECISION...] [WORD...]
# SIZE is s<sequence length> or i<image size>. A word is compiled, an optimizer, attneager (the
# attention written out instead of the fused one) or expeager (experts in a loop).
_TABLE = """
bert-tiny     1    s128  bf16,fp32
bert-tiny     64   s128  bf16
bert-tiny     512  s128  tf32
bert-tiny     32   s512  bf16
bert-tiny     64   s128  bf16 compiled
bert-mini     8    s128  bf16
bert-mini     256  s128  fp32
bert-mini     128  s256  tf32
bert-small    16   s128  bf16
bert-small    64   s512  tf32
bert-small    32   s128  tf32 compiled
bert-medium   4    s128  fp32
bert-medium   64   s128  bf16
bert-medium   128  s256  bf16
bert-base     1    s128  bf16
bert-base     8    s128  tf32
bert-base     32   s128  fp32,tf32,bf16
bert-base     128  s128  bf16
bert-base     16   s512  bf16
bert-base     64   s512  bf16
bert-base     16   s512  bf16 attneager
bert-base     32   s128  bf16 sgd
bert-base     32   s128  bf16 adamw_fused
bert-large    2    s128  bf16
bert-large    16   s128  fp32
bert-large    16   s512  bf16
bert-large    32   s384  tf32
gpt2-mini     1    s64   bf16
gpt2-mini     32   s256  fp32
gpt2-mini     64   s256  bf16
gpt2-mini     16   s256  bf16 compiled
gpt2-distil   4    s128  tf32
gpt2-distil   16   s512  bf16
gpt2-distil   8    s512  fp32
gpt2-distil   8    s512  bf16 compiled
gpt2-base     1    s128  bf16,fp32
gpt2-base     8    s512  fp32,tf32,bf16
gpt2-base     4    s1024 bf16
gpt2-base     16   s1024 bf16
gpt2-base     8    s512  bf16 attneager
gpt2-base     8    s512  bf16 adam
gpt2-medium   1    s512  tf32
gpt2-medium   8    s512  bf16
gpt2-medium   8    s1024 bf16
gpt2-medium   4    s512  fp32
gpt2-large    2    s512  tf32
gpt2-large    4    s1024 bf16
llama-60m     1    s128  bf16,tf32
llama-60m     16   s512  bf16
llama-60m     8    s512  fp32
llama-60m     8    s512  bf16 compiled
llama-160m    2    s256  tf32
llama-160m    8    s1024 bf16
llama-160m    4    s512  fp32,tf32
llama-160m    32   s512  bf16
llama-160m    8    s512  bf16 adamw_fused
llama-160m    4    s1024 bf16 attneager
llama-400m    1    s512  bf16
llama-400m    4    s1024 bf16,tf32
llama-400m    8    s2048 bf16
llama-400m    2    s512  fp32
llama-1b      1    s512  bf16
llama-1b      1    s1024 tf32
llama-1b      4    s1024 bf16
llama-1b      4    s2048 bf16
llama-1b      4    s1024 bf16 sgd
lstm-256x1    1    s32   fp32,bf16
lstm-256x1    64   s64   bf16
lstm-256x1    256  s32   tf32
lstm-650x2    20   s35   fp32,tf32,bf16
lstm-650x2    128  s35   bf16
lstm-650x2    64   s128  tf32
lstm-650x2    20   s35   fp32 sgd
lstm-1024x2   16   s64   fp32
lstm-1024x2   64   s64   bf16,tf32
lstm-1024x2   128  s128  bf16
lstm-2048x2   16   s64   tf32
lstm-2048x2   64   s64   bf16,fp32
lstm-2048x2   256  s64   bf16
gru-256x1     1    s32   bf16,tf32
gru-256x1     64   s64   fp32
gru-256x1     256  s64   bf16
gru-512x2     20   s35   bf16,fp32
gru-512x2     64   s64   tf32
gru-512x2     256  s35   bf16
gru-1024x2    16   s64   tf32
gru-1024x2    64   s64   fp32,bf16
gru-1024x2    128  s128  tf32
gru-2048x1    16   s64   bf16
gru-2048x1    128  s64   bf16,tf32
gru-2048x1    64   s64   fp32
resnet-18     1    i224  bf16
resnet-18     64   i64   tf32
resnet-18     32   i224  fp32,tf32
resnet-18     256  i224  bf16
resnet-18     64   i224  bf16 compiled
resnet-50     1    i224  fp32
resnet-50     8    i224  tf32
resnet-50     32   i224  bf16,fp32
resnet-50     64   i224  tf32
resnet-50     64   i224  bf16
resnet-50     256  i224  bf16
resnet-50     64   i224  bf16 sgd
resnet-50     64   i224  fp32 sgd
resnet-50     128  i128  tf32
resnet-101    4    i224  bf16
resnet-101    32   i224  tf32
resnet-101    128  i224  bf16
vit-tiny      1    i224  bf16
vit-tiny      16   i224  fp32
vit-tiny      128  i224  bf16,tf32
vit-tiny      64   i224  bf16 compiled
vit-small     4    i224  tf32
vit-small     32   i224  fp32
vit-small     64   i224  bf16
vit-small     256  i224  bf16
vit-base      1    i224  fp32
vit-base      8    i224  bf16
vit-base      32   i224  fp32,tf32,bf16
vit-base      128  i224  bf16
vit-base      64   i224  tf32
vit-base      32   i224  bf16 attneager
vit-base      64   i224  bf16 adam
mixtral-100m  1    s128  bf16
mixtral-100m  4    s512  fp32
mixtral-100m  8    s512  bf16,tf32
mixtral-100m  8    s512  bf16 expeager
mixtral-100m  32   s512  bf16
mixtral-100m  32   s512  bf16 expeager
mixtral-300m  1    s512  tf32
mixtral-300m  4    s512  bf16
mixtral-300m  4    s512  bf16 expeager
mixtral-300m  8    s1024 bf16
mixtral-300m  8    s1024 bf16 expeager
mixtral-300m  8    s1024 tf32
qwen3moe-150m 2    s256  bf16
qwen3moe-150m 8    s512  bf16,tf32
qwen3moe-150m 8    s512  bf16 expeager
mlp-1024x4    8    s1    fp32
mlp-1024x4    256  s1    bf16
mlp-1024x4    4096 s1    tf32
mlp-1024x4    1024 s1    bf16 compiled
mlp-4096x6    64   s1    bf16
mlp-4096x6    512  s1    fp32
mlp-4096x6    2048 s1    tf32
mlp-4096x6    8192 s1    bf16
mlp-4096x6    2048 s1    tf32 sgd
"""

# The quick check that every path works on a machine, before its minutes are spent on the plan.
_SMOKE_TABLE = """
bert-tiny     1    s128  bf16
gpt2-mini     1    s64   bf16
llama-60m     1    s128  bf16
lstm-256x1    1    s32   bf16
gru-256x1     1    s32   bf16
resnet-18     1    i224  bf16
vit-tiny      1    i224  bf16
mixtral-100m  1    s128  bf16
mixtral-100m  1    s128  tf32
mixtral-100m  1    s128  bf16 expeager
qwen3moe-150m 2    s256  bf16
mlp-1024x4    8    s1    bf16
gpt2-mini     1    s64   bf16 attneager
bert-tiny     1    s128  fp32
lstm-256x1    1    s32   tf32 sgd
bert-tiny     1    s128  bf16 adamw_fused
bert-tiny     64   s128  bf16 compiled
"""


@dataclasses.dataclass(frozen=True)
class Configuration:
    """One training step to measure. `size` is the sequence length or the image size."""

    model: str
    batch_size: int
    size: int
    precision: str
    compiled: bool = False
    optimizer: str = "adamw"
    attention: str = "sdpa"
    experts: str = "grouped_mm"

    @property
    def family(self) -> str:
        return family_of(self.model)

    @property
    def has_images(self) -> bool:
        return self.family in ("resnet", "vit")

    @property
    def id(self) -> str:
        size = f"{'i' if self.has_images else 's'}{self.size}"
        mode = "compiled" if self.compiled else "eager"
        parts = [self.model, f"b{self.batch_size}", size, self.precision, mode]
        if self.optimizer != "adamw":
            parts.append(self.optimizer)
        if self.attention != "sdpa":
            parts.append(f"attn{self.attention}")
        if self.experts != "grouped_mm":
            parts.append(f"exp{self.experts}")
        return "_".join(parts)

    @property
    def held_out(self) -> bool:
        return is_held_out(self.id)

    @property
    def expected_seconds(self) -> float:
        return COMPILED_SECONDS if self.compiled else EAGER_SECONDS

    def as_row(self) -> dict:
        """The part of a record's row that states what was measured."""
        return {
            "id": self.id,
            "held_out": self.held_out,
            "family": self.family,
            "model": self.model,
            "model_file": model_file(self.model).relative_to(MODELS.parent).as_posix(),
            "batch_size": self.batch_size,
            "sequence_length": None if self.has_images else self.size,
            "image_size": self.size if self.has_images else None,
            "precision": self.precision,
            "mode": "compiled" if self.compiled else "eager",
            "optimizer": self.optimizer,
            "attention_requested": self.attention if has_attention(self.family) else None,
            "experts_requested": self.experts if self.family == "moe" else None,
        }


def family_of(model: str) -> str:
    name = model.split("-")[0]
    return {"mixtral": "moe", "qwen3moe": "moe"}.get(name, name)


def has_attention(family: str) -> bool:
    return family in ("bert", "gpt2", "llama", "vit", "moe")


def is_held_out(identifier: str) -> bool:
    """About a third of the configurations, chosen by name alone: never used for fitting."""
    return int(hashlib.sha256(identifier.encode()).hexdigest(), 16) % 3 == 0


def model_file(model: str) -> pathlib.Path:
    """The model's config.json or model.toml. Whichever exists; config.json if neither does."""
    toml = MODELS / model / "model.toml"
    return toml if toml.exists() else MODELS / model / "config.json"


def read_model(model: str) -> dict:
    path = model_file(model)
    text = path.read_text(encoding="utf-8")
    return tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)


def _parse_table(table: str) -> list[Configuration]:
    configurations = []
    for line in table.strip().splitlines():
        model, batch_size, size, precisions, *words = line.split()
        options: dict = {}
        for word in words:
            if word == "compiled":
                options["compiled"] = True
            elif word in OPTIMIZERS:
                options["optimizer"] = word
            elif word.startswith("attn"):
                options["attention"] = word[4:]
            elif word.startswith("exp"):
                options["experts"] = word[3:]
            else:
                raise ValueError(f"unknown word {word!r} in the plan")
        for precision in precisions.split(","):
            if precision not in PRECISIONS:
                raise ValueError(f"unknown precision {precision!r} in the plan")
            configuration = Configuration(
                model, int(batch_size), int(size[1:]), precision, **options
            )
            if (size[0] == "i") != configuration.has_images:
                raise ValueError(f"{line!r} has the wrong kind of size")
            configurations.append(configuration)
    return configurations


def _fraction(text: str) -> float:
    """A number in [0, 1) from a name: the same everywhere, unlike random() or hash()."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16) / 16**12


def _spread(groups: dict[str, list], salt: str) -> list:
    """Interleaves groups in proportion to their sizes.

    The i-th of n members stands at (i + phase) / n, so every prefix holds about the same share of
    every group. The phase differs by group, or else all groups would begin with the same kind.
    """
    placed = []
    for name, members in groups.items():
        phase = _fraction(f"{salt} {name}")
        placed += [((i + phase) / len(members), name, m) for i, m in enumerate(members)]
    return [member for _, _, member in sorted(placed, key=lambda entry: entry[:2])]


def _group(configurations: list[Configuration], key) -> dict[str, list[Configuration]]:
    groups: dict[str, list[Configuration]] = {}
    for configuration in configurations:
        groups.setdefault(key(configuration), []).append(configuration)
    return groups


def plan() -> list[Configuration]:
    """All configurations in measuring order: any prefix covers families and precisions evenly.

    Compiled ones cost ten times as much, so they lie in the second half, evenly.
    """
    configurations = _parse_table(_TABLE)
    eager = [c for c in configurations if not c.compiled]
    compiled = [c for c in configurations if c.compiled]
    by_family = {}
    for family, members in _group(eager, lambda c: c.family).items():
        by_precision = {
            precision: sorted(group, key=lambda c: _fraction(c.id))
            for precision, group in _group(members, lambda c: c.precision).items()
        }
        by_family[family] = _spread(by_precision, f"precision {family}")
    ordered = _spread(by_family, "family")
    compiled.sort(key=lambda c: _fraction(c.id))
    half = len(ordered) // 2
    for i, configuration in enumerate(compiled):
        at = half + round((i + 0.5) * (len(ordered) - half) / len(compiled)) + i
        ordered.insert(at, configuration)
    return ordered


def smoke_plan() -> list[Configuration]:
    return _parse_table(_SMOKE_TABLE)

# SPDX-License-Identifier: Apache-2.0
"""Builds the model, its inputs and its optimizer for one configuration.

Imports torch at the top, so only the measuring process imports this file.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable

import torch

import plan as plans

SEED = 20250101
# Small enough that the loss stays finite over thousands of steps: operands full of NaN would draw
# less power than real ones.
LEARNING_RATE = {"adamw": 1e-4, "adamw_fused": 1e-4, "adam": 1e-4, "sgd": 1e-3}
MASKED_SHARE = 0.15

_AUTO_CLASSES = {
    "bert": "AutoModelForMaskedLM",
    "gpt2": "AutoModelForCausalLM",
    "llama": "AutoModelForCausalLM",
    "mixtral": "AutoModelForCausalLM",
    "qwen3_moe": "AutoModelForCausalLM",
    "resnet": "AutoModelForImageClassification",
    "vit": "AutoModelForImageClassification",
}
_ACTIVATIONS: dict[str, Callable[[], torch.nn.Module]] = {
    "relu": torch.nn.ReLU,
    "gelu": torch.nn.GELU,
    "silu": torch.nn.SiLU,
    "tanh": torch.nn.Tanh,
}


class TomlModel(torch.nn.Module):
    """A model of joulecast's TOML format: embedding, recurrent, dense and head blocks in a row.

    It returns the cross-entropy over the outputs of every step, as a scalar.
    """

    def __init__(self, description: dict, device: torch.device) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList()
        self.head_bias: torch.nn.Parameter | None = None
        embedding: torch.nn.Embedding | None = None
        for block in description["block"]:
            if block["kind"] == "embedding":
                embedding = torch.nn.Embedding(
                    block["vocab_size"], block["hidden_size"], device=device
                )
                self.blocks.append(embedding)
            else:
                self.blocks.append(_toml_block(block, device))
            if block.get("tied_embedding"):
                assert embedding is not None
                self.blocks[-1].weight = embedding.weight

    def forward(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        hidden = inputs
        for block in self.blocks:
            hidden = block(hidden)
            if isinstance(hidden, tuple):  # recurrent layers return their last state too
                hidden = hidden[0]
        return torch.nn.functional.cross_entropy(hidden.flatten(0, -2), labels.flatten())


def _toml_block(block: dict, device: torch.device) -> torch.nn.Module:
    kind = block["kind"]
    if kind in ("lstm", "gru"):
        recurrent = torch.nn.LSTM if kind == "lstm" else torch.nn.GRU
        return recurrent(
            block["input_size"],
            block["hidden_size"],
            num_layers=block["num_layers"],
            bidirectional=block.get("bidirectional", False),
            batch_first=True,
            device=device,
        )
    if kind == "dense":
        layer = torch.nn.Linear(block["input_size"], block["output_size"], device=device)
        if "activation" not in block:
            return layer
        return torch.nn.Sequential(layer, _ACTIVATIONS[block["activation"]]())
    if kind == "language_model_head":
        return torch.nn.Linear(
            block["hidden_size"],
            block["vocab_size"],
            bias=block.get("bias", False),
            device=device,
        )
    raise ValueError(f"no block of kind {kind!r} in the campaign")


def build_model(
    configuration: plans.Configuration, device: torch.device
) -> tuple[torch.nn.Module, dict]:
    """The model in training mode on the device, and facts about how it was built."""
    torch.manual_seed(SEED)
    description = plans.read_model(configuration.model)
    if "block" in description:
        model: torch.nn.Module = TomlModel(description, device)
        return model.train(), {"attention": None, "experts": None}
    model = _build_transformers(configuration, description, device)
    config = model.config  # type: ignore[union-attr]
    is_moe = configuration.family == "moe"
    facts = {
        "attention": (
            getattr(config, "_attn_implementation", None)
            if plans.has_attention(configuration.family)
            else None
        ),
        "experts": getattr(config, "_experts_implementation", None) if is_moe else None,
    }
    return model.train(), facts


def _build_transformers(
    configuration: plans.Configuration, description: dict, device: torch.device
) -> torch.nn.Module:
    import transformers

    config = transformers.AutoConfig.from_pretrained(
        str(plans.model_file(configuration.model).parent), local_files_only=True
    )
    # A key-value cache has no use in training, and building one costs host time and memory.
    with contextlib.suppress(Exception):
        config.use_cache = False
    if "num_labels" in description:
        config.num_labels = description["num_labels"]
    arguments: dict[str, Any] = {"dtype": torch.float32}
    if plans.has_attention(configuration.family):
        arguments["attn_implementation"] = configuration.attention
    if configuration.family == "moe":
        arguments["experts_implementation"] = configuration.experts
    auto_class = getattr(transformers, _AUTO_CLASSES[description["model_type"]])
    try:
        # On the device itself: a billion random numbers take many seconds on the host.
        with torch.device(device):
            model = auto_class.from_config(config, **arguments)
    except (NotImplementedError, RuntimeError) as error:
        if "out of memory" in str(error).lower():
            raise
        model = auto_class.from_config(config, **arguments)
    return model.to(device)


def build_batch(
    configuration: plans.Configuration, device: torch.device
) -> dict[str, torch.Tensor]:
    """Random inputs and labels, as keyword arguments of the model."""
    generator = torch.Generator(device=device)
    generator.manual_seed(SEED)
    description = plans.read_model(configuration.model)
    batch = configuration.batch_size

    def integers(high: int, *shape: int) -> torch.Tensor:
        return torch.randint(0, high, shape, generator=generator, device=device)

    if configuration.has_images:
        channels = description["num_channels"]
        shape = (batch, channels, configuration.size, configuration.size)
        return {
            "pixel_values": torch.randn(shape, generator=generator, device=device),
            "labels": integers(description["num_labels"], batch),
        }
    if "block" in description:
        blocks = description["block"]
        shape = (batch, configuration.size)
        if blocks[0]["kind"] == "embedding":
            inputs = integers(blocks[0]["vocab_size"], *shape)
        else:
            width = blocks[0]["input_size"]
            inputs = torch.randn((*shape, width), generator=generator, device=device)
        classes = blocks[-1].get("vocab_size", blocks[-1].get("output_size"))
        return {"inputs": inputs, "labels": integers(classes, *shape)}
    vocabulary = description["vocab_size"]
    tokens = integers(vocabulary, batch, configuration.size)
    # Token 0 pads in some families, and a model that meets it may test for it on the host.
    tokens = tokens.clamp(min=1)
    labels = tokens.clone()
    if configuration.family == "bert":
        chosen = torch.rand(labels.shape, generator=generator, device=device) < MASKED_SHARE
        chosen[:, 0] = True
        labels = labels.masked_fill(~chosen, -100)
    return {"input_ids": tokens, "labels": labels}


def build_optimizer(
    configuration: plans.Configuration, model: torch.nn.Module
) -> torch.optim.Optimizer:
    """PyTorch's default implementation (many tensors per kernel) unless the plan says fused."""
    name = configuration.optimizer
    rate = LEARNING_RATE[name]
    if name == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=rate)
    if name == "adamw_fused":
        return torch.optim.AdamW(model.parameters(), lr=rate, fused=True)
    if name == "adam":
        return torch.optim.Adam(model.parameters(), lr=rate)
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)


def set_precision(precision: str) -> dict:
    """Sets how FP32 matrix products and convolutions are computed; returns what was set.

    Only calls that keep PyTorch's old and new settings consistent are used: 2.9 and later raise
    an error where the two were mixed, and the compiler reads the old ones.
    """
    tf32 = precision == "tf32"
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    # Under autocast to BF16 what stays FP32 keeps PyTorch's defaults, which allow TF32 in cuDNN.
    cudnn_tf32 = precision != "fp32"
    torch.backends.cudnn.allow_tf32 = cudnn_tf32
    facts: dict = {"float32_matmul_precision": torch.get_float32_matmul_precision()}
    with contextlib.suppress(Exception):
        facts["cudnn_allow_tf32"] = bool(torch.backends.cudnn.allow_tf32)
    return facts


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager:
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def loss_of(output: Any) -> torch.Tensor:
    return output if isinstance(output, torch.Tensor) else output.loss

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records parameter, operation and activation counts of models as transformers builds them.

The output is JSON Lines: a header with the versions, then one record for each model and section.
README.md beside this file describes the sections.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import multiprocessing
import os
import pathlib
import re
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

# Workers are forked: the CUDA check must not start the CUDA runtime in the parent, and a thread
# pool that the parent had started would be missing in the children.
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from torch.utils._python_dispatch import TorchDispatchMode

try:
    from torch.utils.flop_counter import FlopCounterMode
except ImportError:
    FlopCounterMode = None

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent.parent / "data" / "models"
TINY = HERE / "tiny"
STAGES = ("parameters", "costs", "cuda")
ATTENTIONS = ("eager", "sdpa")
MODEL_SECONDS = 60.0
# Token identifiers that lie in every vocabulary, for the small ones: the defaults of some
# families lie above 97.
SMALL_VOCABULARY = 1000
SPECIAL_TOKENS = {
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
# Lengths of the tiny models' sequences where they are not 8: odd lengths show swapped dimensions.
ODD_SEQUENCES = {
    "bert": 7,
    "gpt2": 7,
    "llama-gqa": 7,
    "mixtral": 7,
    "qwen3": 7,
    "gemma2": 11,
    "gemma3": 11,
    "mistral-window": 11,
    "t5": 7,
    "deepseek-v3": 7,
    "mamba": 5,
}
IMAGE_TYPES = ("vit", "deit", "swin", "convnext", "resnet")
# The sequential scan of a state-space model dispatches some ten operations a token and layer.
SCAN_TYPES = ("mamba",)
MATMUL_NAME = re.compile(
    r"(^|_)(mm|addmm|bmm|baddbmm|addbmm|mv|addmv|dot|vdot|addr|linear|linear_backward)$"
    r"|convolution|conv[123]d|attention|_mm(_|$)|addmm_activation|scan"
)


# -- the recorded operations ------------------------------------------------------------------


def operator_name(func: Any) -> str:
    """The name of an ATen operator without its namespace and overload."""
    return func._schema.name.rsplit("::", 1)[-1]


def tensor_shapes(value: Any) -> list[list[int]]:
    """The shapes of the tensors in an argument list, in order."""
    if isinstance(value, torch.Tensor):
        return [list(value.shape)]
    if isinstance(value, (list, tuple)):
        return [shape for item in value for shape in tensor_shapes(item)]
    if isinstance(value, dict):
        return [shape for item in value.values() for shape in tensor_shapes(item)]
    return []


def plain_arguments(func: Any, args: tuple, kwargs: dict) -> dict[str, Any]:
    """The arguments that are no tensors: a convolution's strides, attention's causal flag."""
    names = [argument.name for argument in func._schema.arguments]
    named = dict(zip(names, args)) | kwargs
    plain = (bool, int, float, str, type(None))
    return {
        name: value
        for name, value in named.items()
        if isinstance(value, plain)
        or (isinstance(value, (list, tuple)) and all(isinstance(item, plain) for item in value))
    }


class OperationTrace(TorchDispatchMode):
    """Lists the matrix-multiplication-like calls, those of forward and backward apart."""

    def __init__(self) -> None:
        super().__init__()
        self.phase = "forward"
        self.calls: dict[str, list[list[Any]]] = {"forward": [], "backward": []}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = operator_name(func)
        if MATMUL_NAME.search(name):
            call: list[Any] = [name, tensor_shapes(args) + tensor_shapes(kwargs)]
            if "conv" in name or "attention" in name:
                call.append(plain_arguments(func, args, kwargs))
            self.calls[self.phase].append(call)
        return func(*args, **kwargs)


def grouped_calls(calls: list[list[Any]]) -> list[list[Any]]:
    """Equal calls once, each with its count in front, in order of their first appearance."""
    counts = Counter(json.dumps(call, separators=(",", ":")) for call in calls)
    return [[count, *json.loads(call)] for call, count in counts.items()]


def flops_so_far(counter: Any) -> dict[str, Any] | None:
    """The totals of a FlopCounterMode, or None where this torch has none."""
    if counter is None:
        return None
    by_operation = counter.get_flop_counts().get("Global", {})
    return {
        "total": counter.get_total_flops(),
        "by_operation": {str(name): int(count) for name, count in by_operation.items()},
    }


def output_tensors(output: Any) -> dict[str, torch.Tensor]:
    """The floating-point outputs that need gradients; outputs in nested outputs are left out."""
    if isinstance(output, torch.Tensor):
        output = {"output": output}
    elif isinstance(output, (list, tuple)):
        output = {str(index): item for index, item in enumerate(output)}
    return {
        name: item
        for name, item in output.items()
        if isinstance(item, torch.Tensor) and item.is_floating_point() and item.requires_grad
    }


def count_operations(
    model: torch.nn.Module, inputs: dict[str, torch.Tensor], whole_trace: bool
) -> dict[str, Any]:
    """Runs forward and backward once and returns their FLOPs and operations."""
    counter = None if FlopCounterMode is None else FlopCounterMode(display=False)
    trace = OperationTrace()
    # The trace is the inner mode: it sees each call before the counter may decompose it.
    with contextlib.nullcontext() if counter is None else counter, trace:
        outputs = output_tensors(model(**inputs))
        forward = flops_so_far(counter)
        trace.phase = "backward"
        sum(item.sum() for item in outputs.values()).backward()
        total = flops_so_far(counter)
    listed = {
        phase: calls if whole_trace else grouped_calls(calls)
        for phase, calls in trace.calls.items()
    }
    return {
        "loss": "sum of " + " + ".join(outputs),
        "flops_forward": forward,
        "flops_forward_backward": total,
        "operations" if whole_trace else "operations_grouped": listed,
    }


# -- activation memory ------------------------------------------------------------------------


def storage_of(tensor: torch.Tensor) -> tuple[int, int, Any]:
    """Identity, size and the storage itself; data_ptr is 0 for every tensor without data."""
    storage = tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()
    return storage._cdata, storage.nbytes(), storage


def saved_tensors(
    model: torch.nn.Module, inputs: dict[str, torch.Tensor], shapes: bool
) -> dict[str, Any]:
    """Runs forward once and sums the storages that autograd keeps for backward.

    Parameters, buffers and storages counted before are left out. The tensors are kept until the
    end so that no identity is used twice.
    """
    fixed = [*model.parameters(), *model.buffers()]
    seen = {storage_of(tensor)[0] for tensor in fixed}
    input_storages = {storage_of(tensor)[0] for tensor in inputs.values()}
    kept: list[Any] = list(fixed)
    sizes: Counter[str] = Counter()
    rows: Counter[tuple[str, tuple[int, ...], int]] = Counter()
    of_inputs = 0

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal of_inputs
        identity, size, storage = storage_of(tensor)
        if identity not in seen:
            seen.add(identity)
            kept.append((tensor, storage))
            dtype = str(tensor.dtype).replace("torch.", "")
            sizes[dtype] += size
            rows[(dtype, tuple(tensor.shape), size)] += 1
            of_inputs += size if identity in input_storages else 0
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(**inputs)
    result = {
        "bytes": sum(sizes.values()),
        "count": sum(rows.values()),
        "bytes_by_dtype": dict(sizes),
        "bytes_of_inputs": of_inputs,
        "loss": "labels" if "labels" in inputs else None,
    }
    if shapes:
        result["storages"] = [
            [count, dtype, list(shape), size] for (dtype, shape, size), count in rows.items()
        ]
    del output, kept
    return result


# -- parameters -------------------------------------------------------------------------------


def pattern_of(name: str) -> str:
    return re.sub(r"(^|\.)\d+(?=\.|$)", r"\1*", name)


def tied_names(model: torch.nn.Module) -> list[list[str]]:
    """The groups of names that share one parameter."""
    names: dict[int, list[str]] = {}
    for prefix, module in model.named_modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                full = f"{prefix}.{name}" if prefix else name
                names.setdefault(id(parameter), []).append(full)
    return [group for group in names.values() if len(group) > 1]


def embedding_tables(model: torch.nn.Module) -> dict[str, list[int]]:
    """Names and shapes of the embedding tables, each shared one once."""
    seen: set[int] = set()
    tables = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Embedding) and id(module.weight) not in seen:
            seen.add(id(module.weight))
            tables[name] = list(module.weight.shape)
    return tables


def count_parameters(model: torch.nn.Module, shapes: bool) -> dict[str, Any]:
    named = list(model.named_parameters())
    by_module: Counter[str] = Counter()
    for name, parameter in named:
        by_module[pattern_of(name)] += parameter.numel()
    tables = embedding_tables(model)
    result = {
        "parameters": sum(parameter.numel() for _, parameter in named),
        "parameters_trainable": sum(p.numel() for _, p in named if p.requires_grad),
        "parameter_tensors": len(named),
        "buffers": sum(buffer.numel() for buffer in model.buffers()),
        "embedding_parameters": sum(rows * columns for rows, columns in tables.values()),
        "embedding_tables": tables,
        "tied": tied_names(model),
        "parameters_by_module": dict(by_module),
    }
    if shapes:
        counts = Counter(tuple(parameter.shape) for _, parameter in named)
        result["shapes"] = [[count, list(shape)] for shape, count in counts.items()]
    return result


# -- models of transformers -------------------------------------------------------------------


def with_small_tokens(config: Any) -> Any:
    """The configuration with token identifiers that lie in a small vocabulary."""
    if not isinstance(config, dict):
        return config
    config = {key: with_small_tokens(value) for key, value in config.items()}
    if config.get("vocab_size", SMALL_VOCABULARY) < SMALL_VOCABULARY:
        config = SPECIAL_TOKENS | config
    return config


def make_config(raw: dict[str, Any]) -> Any:
    from transformers import CONFIG_MAPPING

    raw = with_small_tokens(raw)
    if raw["model_type"] == "olmo" and raw["num_key_value_heads"] == raw["num_attention_heads"]:
        # Some 5.x versions finish an OLMo configuration only where this number is not given.
        del raw["num_key_value_heads"]
    config = CONFIG_MAPPING[raw["model_type"]].from_dict(raw)
    if hasattr(config, "use_cache"):
        config.use_cache = False
    return config


def make_model(
    raw: dict[str, Any],
    device: str,
    attention: str = "eager",
    dtype: torch.dtype = torch.float32,
    experts: str | None = None,
) -> torch.nn.Module:
    """The model of the named class in training mode, with its weights on the device."""
    import transformers

    model_class = getattr(transformers, raw["architectures"][0])
    options: dict[str, Any] = {"attn_implementation": attention, "dtype": dtype}
    if experts is not None:
        options["experts_implementation"] = experts
    torch.manual_seed(0)
    with torch.device(device):
        model = model_class._from_config(make_config(raw), **options)
    return model.train()


def mixes_experts(raw: dict[str, Any]) -> bool:
    keys = ("num_local_experts", "num_experts", "n_routed_experts")
    return any(raw.get(key) for key in keys)


def fits_cpu(raw: dict[str, Any], tiny: bool) -> bool:
    """Whether the model may run with real tensors where the meta device cannot run it."""
    return tiny or raw["model_type"] in IMAGE_TYPES


def image_shape(raw: dict[str, Any], batch: int) -> tuple[int, ...]:
    size = raw.get("image_size", 224)
    height, width = (size, size) if isinstance(size, int) else size
    return batch, raw.get("num_channels", 3), height, width


def sequence_of(name: str, raw: dict[str, Any], tiny: bool) -> int:
    if tiny:
        return ODD_SEQUENCES.get(name.removeprefix("tiny-"), 8)
    return 32 if raw["model_type"] in SCAN_TYPES else 128


def input_shapes(name: str, raw: dict[str, Any], tiny: bool) -> dict[str, tuple[int, ...]]:
    """The shape of each input; the decoder's length differs from the encoder's where it can."""
    kind = raw["model_type"]
    batch = 2 if tiny else 1
    sequence = sequence_of(name, raw, tiny)
    if kind in IMAGE_TYPES:
        return {"pixel_values": image_shape(raw, batch)}
    if kind == "clip":
        text = min(sequence, raw["text_config"].get("max_position_embeddings", 77))
        pixels = image_shape(raw["vision_config"], batch)
        return {"input_ids": (batch, text), "pixel_values": pixels}
    if kind == "whisper":
        frames = 2 * raw.get("max_source_positions", 1500)
        mel = raw.get("num_mel_bins", 80)
        decoder = 5 if tiny else 16
        return {"input_features": (batch, mel, frames), "decoder_input_ids": (batch, decoder)}
    if kind in ("t5", "bart"):
        decoder = 5 if tiny else sequence
        return {"input_ids": (batch, sequence), "decoder_input_ids": (batch, decoder)}
    return {"input_ids": (batch, sequence)}


def vocabulary_of(raw: dict[str, Any]) -> int:
    return raw.get("vocab_size") or raw.get("text_config", {}).get("vocab_size", 3)


def make_inputs(
    shapes: dict[str, tuple[int, ...]], raw: dict[str, Any], device: str, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Random inputs; the lowest token identifiers are left out, they may stand for padding."""
    inputs = {}
    for name, shape in shapes.items():
        if name.endswith("_ids"):
            inputs[name] = torch.randint(3, vocabulary_of(raw), shape, device=device)
        else:
            inputs[name] = torch.rand(shape, device=device, dtype=dtype)
    return inputs


def label_shape(raw: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...] | None:
    """The shape of the labels of a language model with a head, None for other models."""
    if not raw["architectures"][0].endswith(
        ("ForCausalLM", "ForMaskedLM", "LMHeadModel", "ForConditionalGeneration")
    ):
        return None
    return shapes.get("decoder_input_ids") or shapes.get("input_ids")


def without_data(tensor: Any) -> bool:
    return isinstance(tensor, torch.Tensor) and (
        tensor.is_meta or type(tensor).__name__ == "FakeTensor"
    )


def answer_for_tensors_without_data() -> None:
    """Answers what transformers asks of the values of masks and positions.

    It looks whether sequences are packed and whether a mask masks anything, which a tensor
    without data cannot tell; with this script's inputs both answers are no.
    """
    try:
        from transformers import masking_utils
    except ImportError:
        return

    def wrapped(original: Callable, when_unknown: Callable) -> Callable:
        def function(first: Any = None, *args: Any, **kwargs: Any) -> Any:
            named = first is None and "padding_mask" in kwargs
            value = kwargs.pop("padding_mask") if named else first
            if without_data(value):
                return when_unknown(original, args, kwargs)
            return original(value, *args, **kwargs)

        return function

    def as_unmasked(original: Callable, args: tuple, kwargs: dict) -> Any:
        return original(None, *args, **kwargs)

    def find_packed(position_ids: Any, *args: Any, **kwargs: Any) -> Any:
        return None if without_data(position_ids) else original_find(position_ids, *args, **kwargs)

    for name in ("_ignore_causal_mask_sdpa", "_ignore_bidirectional_mask_sdpa"):
        if hasattr(masking_utils, name):
            setattr(masking_utils, name, wrapped(getattr(masking_utils, name), as_unmasked))
    original_find = getattr(masking_utils, "find_packed_sequence_indices", None)
    if original_find is not None:
        masking_utils.find_packed_sequence_indices = find_packed


# -- the sections of one model ----------------------------------------------------------------

Send = Callable[[dict[str, Any]], None]


def describe(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return {
        "error": f"{type(error).__name__}: {error}"[:600],
        "at": [f"{pathlib.Path(f.filename).name}:{f.lineno} {f.name}" for f in frames],
    }


def attempt(send: Send, facts: dict[str, Any], work: Callable[[], dict[str, Any]]) -> bool:
    """Sends what the work returns, or the error that it raises, and says whether it ran."""
    start = time.monotonic()
    try:
        result = work()
    except Exception as error:  # every failure is a result here: it is recorded
        result = describe(error)
    seconds = round(time.monotonic() - start, 3)
    send({**facts, **result, "seconds": seconds})
    return "error" not in result


def expert_implementations(raw: dict[str, Any]) -> list[str | None]:
    """Those that run without data, in the order in which they are tried; none without experts.

    The eager experts loop over those that were hit, which needs data. The grouped ones are one
    operation with offsets, the batched ones gather each token's weights.
    """
    if not mixes_experts(raw):
        return [None]
    return ["grouped_mm", "batched_mm"]


def record_parameters(raw: dict[str, Any], tiny: bool, send: Send) -> None:
    def run(device: str) -> bool:
        def work() -> dict[str, Any]:
            return count_parameters(make_model(raw, device), shapes=tiny)

        return attempt(send, {"section": "parameters", "device": device}, work)

    if not run("meta") and fits_cpu(raw, tiny):
        run("cpu")


def record_operations(name: str, raw: dict[str, Any], tiny: bool, send: Send) -> None:
    shapes = input_shapes(name, raw, tiny)

    def run(attention: str, device: str, experts: str | None) -> bool:
        def work() -> dict[str, Any]:
            model = make_model(raw, device, attention, experts=experts)
            return count_operations(
                model, make_inputs(shapes, raw, device, torch.float32), whole_trace=tiny
            )

        facts = {"section": "operations", "attention": attention, "device": device}
        facts |= {"experts": experts, "dtype": "float32", "training": True, "inputs": shapes}
        return attempt(send, facts, work)

    for attention in ATTENTIONS:
        ran = False
        for experts in expert_implementations(raw):
            ran = run(attention, "meta", experts) or ran
        if tiny and mixes_experts(raw):
            run(attention, "cpu", "eager")
        # The attention that the CPU takes shows beside what the meta device decomposes.
        on_cpu = not ran or (tiny and attention == "sdpa")
        if on_cpu and not mixes_experts(raw) and fits_cpu(raw, tiny):
            run(attention, "cpu", None)


def record_activations(
    name: str, raw: dict[str, Any], tiny: bool, send: Send, device: str
) -> None:
    shapes = input_shapes(name, raw, tiny)
    labels = label_shape(raw, shapes)

    def run(attention: str, dtype: torch.dtype, where: str, experts: str | None, lab: bool) -> bool:
        def work() -> dict[str, Any]:
            model = make_model(raw, where, attention, dtype, experts)
            inputs = make_inputs(shapes, raw, where, dtype)
            if lab:
                inputs["labels"] = torch.randint(3, vocabulary_of(raw), labels, device=where)
            return saved_tensors(model, inputs, shapes=tiny)

        facts = {"section": "activations", "attention": attention}
        facts |= {"device": "fake-cuda" if where == "cuda" else where, "experts": experts}
        facts |= {"dtype": str(dtype).replace("torch.", ""), "training": True, "inputs": shapes}
        facts["labels"] = lab
        return attempt(send, facts, work)

    for attention in ATTENTIONS:
        for dtype in (torch.float32, torch.bfloat16):
            ran = False
            for experts in expert_implementations(raw):
                ran = run(attention, dtype, device, experts, False) or ran
                if tiny and ran and labels is not None:
                    run(attention, dtype, device, experts, True)
            on_cpu = not ran or (tiny and mixes_experts(raw))
            if on_cpu and device == "meta" and fits_cpu(raw, tiny):
                run(attention, dtype, "cpu", "eager" if mixes_experts(raw) else None, False)


@contextlib.contextmanager
def fake_cuda() -> Iterator[None]:
    """Tensors that say they are on a GPU, so that dropout and attention choose its operations."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    plain_rand = torch.rand

    def rand(*args: Any, **kwargs: Any) -> Any:
        # A layer's drop is decided by one random number, whose value a fake tensor has not; all
        # configurations here drop no layer.
        return 1.0 if args == ([],) and not kwargs else plain_rand(*args, **kwargs)

    torch.rand = rand
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            yield
    finally:
        torch.rand = plain_rand


def record_stage(stage: str, path: pathlib.Path, tiny: bool, send: Send) -> None:
    """All sections of one stage of one model, in this process."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    answer_for_tensors_without_data()
    raw = json.loads(path.read_text())
    name = path.stem
    if stage == "parameters":
        record_parameters(raw, tiny, send)
    elif stage == "costs":
        record_operations(name, raw, tiny, send)
        record_activations(name, raw, tiny, send, "meta")
    else:
        with fake_cuda():
            record_activations(name, raw, tiny, send, "cuda")


# -- the pool ---------------------------------------------------------------------------------


class Job:
    """One stage of one model in a process of its own: a hang or a crash costs only that."""

    def __init__(self, stage: str, path: pathlib.Path, tiny: bool) -> None:
        self.stage = stage
        self.path = path
        self.tiny = tiny
        self.process: Any = None
        self.reader: Connection | None = None
        self.started = 0.0
        self.finished = False

    def facts(self) -> dict[str, Any]:
        return {"id": self.path.stem, "set": "tiny" if self.tiny else "models"}

    def start(self, work: Callable[..., None]) -> None:
        context = multiprocessing.get_context("fork")
        self.reader, writer = context.Pipe(duplex=False)
        self.process = context.Process(target=self.child, args=(writer, work), daemon=True)
        self.process.start()
        # The parent's copy must be closed, or the pipe has no end when the child stops.
        writer.close()
        self.started = time.monotonic()

    def child(self, writer: Connection, work: Callable[..., None]) -> None:
        def send(record: dict[str, Any]) -> None:
            writer.send_bytes(json.dumps({**self.facts(), **record}, **COMPACT).encode())

        try:
            work(self.stage, self.path, self.tiny, send)
        except BaseException as error:
            send({"section": self.stage, **describe(error)})
        writer.send_bytes(b"")
        writer.close()

    def stop(self) -> None:
        if self.process is not None and self.process.is_alive():
            self.process.kill()
        if self.process is not None:
            self.process.join()


COMPACT: dict[str, Any] = {"separators": (",", ":"), "default": str}


def receive(job: Job, write: Callable[[str], None]) -> bool:
    """Writes one record of a job that has one to read; False when the job has ended."""
    try:
        line = job.reader.recv_bytes()
    except (EOFError, OSError):
        return False
    if line:
        write(line.decode())
        return True
    job.finished = True
    return False


def failed(job: Job, reason: str) -> str:
    return json.dumps({**job.facts(), "section": job.stage, "error": reason}, **COMPACT)


def run_jobs(
    jobs: list[Job],
    write: Callable[[str], None],
    work: Callable[..., None],
    workers: int,
    deadline: float,
    job_seconds: float,
) -> None:
    """Runs the jobs in order, as many at a time as there are workers, until the deadline."""
    waiting = list(reversed(jobs))
    running: dict[Connection, Job] = {}
    while (waiting or running) and time.monotonic() < deadline:
        while waiting and len(running) < workers:
            job = waiting.pop()
            job.start(work)
            running[job.reader] = job
        for reader in wait(list(running), timeout=0.1):
            job = running[reader]
            if not receive(job, write):
                del running[reader]
                job.process.join(timeout=1.0)
                job.stop()
                if not job.finished:
                    write(failed(job, f"the worker died: exit code {job.process.exitcode}"))
        for reader, job in list(running.items()):
            if time.monotonic() - job.started > job_seconds:
                del running[reader]
                job.stop()
                write(failed(job, f"timeout after {job_seconds:g} s"))
    for job in running.values():
        job.stop()
        write(failed(job, "the time limit of the whole run ended this job"))
    for job in reversed(waiting):
        write(failed(job, "not started: the time limit of the whole run"))


# -- order and command line -------------------------------------------------------------------


def size_of(path: pathlib.Path) -> float:
    """A rough measure of the work: it orders the models, small ones first."""
    raw = json.loads(path.read_text())
    flat = raw | {k: v for part in raw.values() if isinstance(part, dict) for k, v in part.items()}

    def first(*keys: str, default: int) -> int:
        values = [flat[key] for key in keys if isinstance(flat.get(key), int)]
        return max(values, default=default)

    width = first("hidden_size", "n_embd", "d_model", "dim", default=512)
    layers = first(
        "num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", default=0
    )
    depths = flat.get("depths")
    layers = layers or (sum(depths) if isinstance(depths, list) else 12)
    experts = first("num_local_experts", "num_experts", "n_routed_experts", default=1)
    scan = 20 if raw["model_type"] in SCAN_TYPES else 1
    return scan * layers * (1000 + width) * (1 + experts / 16)


def find_jobs(
    models: pathlib.Path, tiny: pathlib.Path, only: str, stages: tuple[str, ...]
) -> list[Job]:
    """The jobs in order: the stages one after the other, in each the tiny models first."""
    found = [
        (path, is_tiny)
        for folder, is_tiny in ((tiny, True), (models, False))
        for path in sorted(folder.glob("*.json"), key=size_of)
        if fnmatch.fnmatch(path.stem, only)
    ]
    return [Job(stage, path, is_tiny) for stage in stages for path, is_tiny in found]


def header(arguments: argparse.Namespace) -> dict[str, Any]:
    """Versions; importing here lets the forked workers share what was imported."""
    try:
        import transformers
        import transformers.masking_utils
        import transformers.modeling_utils

        version: str | None = transformers.__version__
    except Exception as error:  # without transformers each job records its own error
        print(f"transformers cannot be imported: {error}", file=sys.stderr)
        version = None
    return {
        "section": "header",
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "transformers": version,
        "flop_counter": FlopCounterMode is not None,
        "only": arguments.only,
        "stages": arguments.stages,
        "time_limit": arguments.time_limit,
    }


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, required=True, help="the file to write")
    parser.add_argument("--only", default="*", metavar="GLOB", help="only models of these names")
    parser.add_argument("--workers", type=int, default=12)
    parser.add_argument("--time-limit", type=float, default=80.0, help="seconds for the whole run")
    parser.add_argument("--model-limit", type=float, default=MODEL_SECONDS, help="seconds a job")
    parser.add_argument("--stages", default=",".join(STAGES), help="comma-separated, in order")
    parser.add_argument("--models", type=pathlib.Path, default=MODELS, help="folder of configs")
    parser.add_argument("--tiny", type=pathlib.Path, default=TINY, help="folder of tiny configs")
    arguments = parser.parse_args(argv)
    arguments.stages = tuple(arguments.stages.split(","))
    unknown = set(arguments.stages) - set(STAGES)
    if unknown:
        parser.error(f"unknown stages: {', '.join(sorted(unknown))}")
    return arguments


def main(argv: list[str] | None = None) -> int:
    deadline_start = time.monotonic()
    arguments = parse(argv)
    torch.set_num_threads(1)
    jobs = find_jobs(arguments.models, arguments.tiny, arguments.only, arguments.stages)
    with arguments.output.open("w", encoding="utf-8") as output:

        def write(line: str) -> None:
            output.write(line + "\n")
            output.flush()

        write(json.dumps(header(arguments), **COMPACT))
        deadline = deadline_start + arguments.time_limit
        run_jobs(jobs, write, record_stage, arguments.workers, deadline, arguments.model_limit)
        seconds = round(time.monotonic() - deadline_start, 1)
        write(json.dumps({"section": "end", "jobs": len(jobs), "seconds": seconds}, **COMPACT))
    return 0


if __name__ == "__main__":
    sys.exit(main())

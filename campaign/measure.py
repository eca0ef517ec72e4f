# SPDX-License-Identifier: Apache-2.0
"""Measures one configuration: warm-up, timed loop, memory, operations, kernels."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import math
import statistics
import time
from typing import Any, Callable

import torch

import build
import machine
import plan as plans
import records

WARMUP_LEAST_STEPS = 3
WARMUP_MOST_STEPS = 20
WARMUP_SECONDS = 1.5
WARMUP_CHANGE = 0.05
LOOP_LEAST_STEPS = 5
LOOP_MOST_STEPS = 2000
ISOLATED_STEPS = 3
KERNELS_LISTED = 60
KERNEL_NAME_LENGTH = 120


@dataclasses.dataclass
class Settings:
    device: torch.device
    nvml: machine.Nvml
    marks: records.Marks
    loop_seconds: float
    extras: bool = True


class Step:
    """One training step of a configuration, to be called again and again."""

    def __init__(self, configuration: plans.Configuration, settings: Settings) -> None:
        self.configuration = configuration
        self.device = settings.device
        self.model, self.facts = build.build_model(configuration, self.device)
        self.batch = build.build_batch(configuration, self.device)
        self.optimizer = build.build_optimizer(configuration, self.model)
        self.callee: Callable[..., Any] = self.model
        if configuration.compiled:
            self.callee = torch.compile(self.model)

    def forward(self) -> torch.Tensor:
        with build.autocast(self.configuration.precision, self.device):
            return build.loss_of(self.callee(**self.batch))

    def __call__(self) -> torch.Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.forward()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def clear_gradients(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _timed(function: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = function()
    synchronize(device)
    return time.perf_counter() - begin, result


def measure(configuration: plans.Configuration, settings: Settings, row: dict) -> None:
    """Fills the row. What was filled before an exception stays: it says how far it went."""
    row["precision_settings"] = build.set_precision(configuration.precision)
    if settings.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(settings.device)
    seconds, step = _timed(lambda: Step(configuration, settings), settings.device)
    row["build_seconds"] = seconds
    row.update(step.facts)
    steps = _warm_up(step, settings, row)
    _timed_loop(step, steps, settings, row)
    _memory(step, settings.device, row)
    if settings.extras:
        _extras(step, settings.device, row)


def _warm_up(step: Step, settings: Settings, row: dict) -> int:
    """Warms up and returns how many steps the timed loop takes."""
    first, loss = _timed(step, settings.device)
    row["loss_first"] = float(loss)
    row["first_step_seconds"] = first
    # The first step compiles; what an ordinary step takes is lost in that.
    row["compile_seconds"] = first if step.configuration.compiled else None
    durations: list[float] = []
    begin = time.perf_counter()
    while len(durations) < WARMUP_MOST_STEPS - 1:
        durations.append(_timed(step, settings.device)[0])
        settled = (
            len(durations) >= max(2, WARMUP_LEAST_STEPS - 1)
            and abs(durations[-1] - durations[-2]) < WARMUP_CHANGE * durations[-2]
        )
        if settled:
            break
        enough = len(durations) >= WARMUP_LEAST_STEPS - 1
        if enough and time.perf_counter() - begin > WARMUP_SECONDS:
            break
    row["warmup_steps"] = 1 + len(durations)
    row["warmup_step_seconds"] = durations
    estimate = min(durations)
    # Back to back, steps are shorter than one by one where the host sets the pace; a short
    # stretch without waiting tells by how much.
    if estimate < settings.loop_seconds / 40:
        estimate = min(estimate, _timed(lambda: [step() for _ in range(4)], settings.device)[0] / 4)
        row["warmup_steps"] += 4
    wanted = math.ceil(settings.loop_seconds / max(estimate, 1e-6))
    return max(LOOP_LEAST_STEPS, min(LOOP_MOST_STEPS, wanted))


def _timed_loop(step: Step, steps: int, settings: Settings, row: dict) -> None:
    device = settings.device
    on_gpu = device.type == "cuda"
    events = (
        [torch.cuda.Event(enable_timing=True) for _ in range(steps + 1)] if on_gpu else []
    )
    stamps = [0] * (steps + 1)
    name = step.configuration.id
    # A collection of Python's garbage in the loop would be measured as a slow step.
    gc.collect()
    gc.disable()
    row["steps"] = steps
    try:
        synchronize(device)
        row["begin_monotonic_nanoseconds"] = settings.marks.begin(name)
        energy_begin = settings.nvml.energy_joules()
        if on_gpu:
            events[0].record()
        stamps[0] = time.monotonic_ns()
        for i in range(1, steps + 1):
            loss = step()
            if on_gpu:
                events[i].record()
            stamps[i] = time.monotonic_ns()
        synchronize(device)
        finished = time.monotonic_ns()
        energy_end = settings.nvml.energy_joules()
    finally:
        if "begin_monotonic_nanoseconds" in row:
            row["end_monotonic_nanoseconds"] = settings.marks.end(name)
        gc.enable()
    row.update(settings.nvml.state())
    wall = (finished - stamps[0]) * 1e-9
    enqueue = [(b - a) * 1e-9 for a, b in zip(stamps, stamps[1:])]
    if on_gpu:
        durations = [a.elapsed_time(b) * 1e-3 for a, b in zip(events, events[1:])]
    else:
        durations = enqueue
    row.update(_step_statistics(wall, durations, enqueue))
    energy = None
    if energy_begin is not None and energy_end is not None:
        energy = energy_end - energy_begin
    row["energy_nvml_joules"] = energy
    row["step_energy_nvml_joules"] = None if energy is None else energy / steps
    row["power_nvml_watts"] = None if energy is None else energy / wall
    row["loss_last"] = float(loss)
    row["host_isolated_step_seconds"] = _isolated_enqueue_seconds(step, device, wall / steps)


def _step_statistics(wall: float, durations: list[float], enqueue: list[float]) -> dict:
    ordered = sorted(durations)
    return {
        "wall_seconds": wall,
        "step_mean_seconds": wall / len(durations),
        "step_median_seconds": statistics.median(ordered),
        "step_min_seconds": ordered[0],
        "step_p90_seconds": ordered[min(len(ordered) - 1, math.ceil(0.9 * len(ordered)) - 1)],
        "step_max_seconds": ordered[-1],
        # The queue of the GPU is not full yet in the first steps after a wait.
        "host_enqueue_seconds": statistics.median(enqueue[:5]),
        "host_enqueue_first_seconds": enqueue[:5],
        "host_enqueue_all_seconds": sum(enqueue),
    }


def _isolated_enqueue_seconds(step: Step, device: torch.device, mean: float) -> float | None:
    """Host time of a step that finds the GPU idle: no wait for earlier steps is in it.

    Models that read a result back in the middle of a step still wait for their own work.
    """
    if device.type != "cuda":
        return None
    durations = []
    for _ in range(ISOLATED_STEPS if mean < 0.1 else 1):
        synchronize(device)
        begin = time.perf_counter()
        step()
        durations.append(time.perf_counter() - begin)
    synchronize(device)
    return statistics.median(durations)


def _storage(tensor: torch.Tensor) -> Any:
    return tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()


def _storage_key(tensor: torch.Tensor) -> tuple:
    return (str(tensor.device), _storage(tensor).data_ptr())


def _tensor_bytes(tensors: Any) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _memory(step: Step, device: torch.device, row: dict) -> None:
    if device.type == "cuda":
        row["memory_peak_allocated_bytes"] = torch.cuda.max_memory_allocated(device)
        row["memory_peak_reserved_bytes"] = torch.cuda.max_memory_reserved(device)
        row["memory_allocated_bytes"] = torch.cuda.memory_allocated(device)
    parameters = list(step.model.parameters())
    gradients = [p.grad for p in parameters if p.grad is not None]
    states = [
        value
        for state in step.optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor)
    ]
    row["parameters_count"] = sum(p.numel() for p in parameters)
    row["parameters_bytes"] = _tensor_bytes(parameters)
    row["buffers_bytes"] = _tensor_bytes(step.model.buffers())
    row["gradients_bytes"] = _tensor_bytes(gradients)
    row["optimizer_state_bytes"] = _tensor_bytes(states)
    row["batch_bytes"] = _tensor_bytes(step.batch.values())


def _extras(step: Step, device: torch.device, row: dict) -> None:
    """Passes beside the timed loop. Each may fail alone; its error goes into the row."""
    errors: dict[str, str] = {}
    begin = time.perf_counter()
    passes: dict[str, Callable[[], dict]] = {
        "activations": lambda: _activations(step, device),
        "flops": lambda: _flops(step),
        "profile": lambda: _profile(step, device),
    }
    for name, run in passes.items():
        try:
            row.update(run())
        except TimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 - the timed loop's result must be kept
            errors[name] = f"{type(error).__name__}: {error}"[:300]
        finally:
            step.clear_gradients()
    row["extras_errors"] = errors or None
    row["extras_seconds"] = time.perf_counter() - begin


def _activations(step: Step, device: torch.device) -> dict:
    """What one forward pass leaves in memory for the backward pass.

    The allocator's view counts everything that is alive; the hooks count only what operators
    saved, each storage once, without parameters.
    """
    on_gpu = device.type == "cuda"
    step.clear_gradients()
    row: dict[str, Any] = {}
    saved: dict[tuple, tuple[int, str]] = {}
    own = {_storage_key(tensor) for tensor in step.model.parameters()}
    own |= {_storage_key(tensor) for tensor in step.model.buffers()}
    own |= {_storage_key(tensor) for tensor in step.batch.values()}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        key = _storage_key(tensor)
        if key not in own:
            saved[key] = (_storage(tensor).nbytes(), str(tensor.dtype).removeprefix("torch."))
        # Saving an operator's own output as it is would make a cycle that keeps it alive.
        return tensor.detach()

    hooks: contextlib.AbstractContextManager = contextlib.nullcontext()
    # In compiled code the hooks would change the graph and compile it again.
    if not step.configuration.compiled:
        hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    types: dict[str, str] = {}
    handles = _watch_recurrent_types(step.model, types)
    try:
        synchronize(device)
        before = torch.cuda.memory_allocated(device) if on_gpu else 0
        with hooks:
            loss = step.forward()
        synchronize(device)
        if on_gpu:
            row["activations_allocated_bytes"] = torch.cuda.memory_allocated(device) - before
        del loss
    finally:
        for handle in handles:
            handle.remove()
    # Autocast has cuDNN's recurrent layers compute in a type of its own choice.
    row["recurrent_output_type"] = types.get("recurrent")
    if not step.configuration.compiled:
        by_type: dict[str, int] = {}
        for size, name in saved.values():
            by_type[name] = by_type.get(name, 0) + size
        row["activations_saved_bytes"] = sum(by_type.values())
        row["activations_saved_by_type_bytes"] = by_type
    return row


def _watch_recurrent_types(model: torch.nn.Module, types: dict[str, str]) -> list:
    def watch(_module: Any, _inputs: Any, output: Any) -> None:
        types["recurrent"] = str(output[0].dtype).removeprefix("torch.")

    return [m.register_forward_hook(watch) for m in model.modules()
            if isinstance(m, torch.nn.RNNBase)]


def _flops(step: Step) -> dict:
    """Operations of forward and backward by PyTorch's own counter.

    It knows matrix products, convolutions and fused attention, not cuDNN's recurrent layers.
    """
    nothing = {"flops_total": None, "flops_by_operator": None}
    if step.configuration.compiled:
        return nothing
    try:
        from torch.utils.flop_counter import FlopCounterMode
    except ImportError:
        return nothing
    counter = FlopCounterMode(display=False)
    step.clear_gradients()
    with counter:
        step.forward().backward()
    by_operator = counter.get_flop_counts().get("Global", {})
    return {
        "flops_total": counter.get_total_flops(),
        "flops_by_operator": {str(name): int(count) for name, count in by_operator.items()},
    }


def start_profiler(device: torch.device) -> dict:
    """Starts the profiler once, outside of all measurements, and tells what that changes.

    Its first use loads the tracing library of the GPU, which takes long and may leave kernel
    launches slower; the launch times before and after show by how much.
    """
    if device.type != "cuda":
        return {}
    before = _launch_seconds(device)
    begin = time.perf_counter()
    with _profiler(device):
        torch.zeros(8, device=device).add_(1)
        synchronize(device)
    return {
        "profiler_start_seconds": time.perf_counter() - begin,
        "launch_before_profiler_seconds": before,
        "launch_after_profiler_seconds": _launch_seconds(device),
    }


def _launch_seconds(device: torch.device, launches: int = 2000) -> float:
    """Host time of one small operator, without waiting for the GPU."""
    tensor = torch.zeros(8, device=device)
    best = math.inf
    for _ in range(3):
        synchronize(device)
        begin = time.perf_counter()
        for _ in range(launches // 4):
            tensor.add_(1)
        best = min(best, (time.perf_counter() - begin) / (launches // 4))
    synchronize(device)
    return best


def _profiler(device: torch.device) -> Any:
    activity = torch.profiler.ProfilerActivity
    return torch.profiler.profile(
        activities=[activity.CUDA if device.type == "cuda" else activity.CPU]
    )


def _profile(step: Step, device: torch.device) -> dict:
    """The kernels of one step. The tracer slows the host down, hardly the kernels."""
    if device.type != "cuda":
        return {"gpu_busy_seconds": None, "kernels_count": None, "kernels": None}
    synchronize(device)
    with _profiler(device) as profiler:
        step()
        synchronize(device)
    return summarize_kernels(_kernels(profiler))


def _kernels(profiler: Any) -> list[tuple[str, int, int]]:
    """Name, begin and end (ns) of all that ran on the GPU, copies and fills included."""
    results = getattr(getattr(profiler, "profiler", None), "kineto_results", None)
    cuda = torch._C._autograd.DeviceType.CUDA
    kernels = []
    try:
        # Reading the raw events avoids building PyTorch's tree of events, which takes longer
        # than the step.
        for event in results.events():
            if event.device_type() == cuda:
                begin = event.start_ns()
                kernels.append((event.name(), begin, begin + event.duration_ns()))
    except AttributeError:
        kernels = [
            (event.name, int(event.time_range.start * 1e3), int(event.time_range.end * 1e3))
            for event in profiler.events()
            if event.device_type == cuda
        ]
    return [kernel for kernel in kernels if _is_work(kernel[0])]


def _is_work(name: str) -> bool:
    """False for ranges that PyTorch marks on the GPU's time line, which enclose kernels."""
    marks = ("Optimizer.", "ProfilerStep", "## ", "Torch-Compiled Region", "CompiledFunction",
             "Context Sync", "Stream Sync", "Event Sync", "Stream Wait")
    return not name.startswith(marks)


def summarize_kernels(kernels: list[tuple[str, int, int]]) -> dict:
    totals: dict[str, list[float]] = {}
    for name, begin, end in kernels:
        entry = totals.setdefault(name[:KERNEL_NAME_LENGTH], [0, 0.0])
        entry[0] += 1
        entry[1] += (end - begin) * 1e-9
    ordered = sorted(totals.items(), key=lambda item: (-item[1][1], item[0]))
    rows = [
        {"name": name, "count": int(count), "total_seconds": seconds}
        for name, (count, seconds) in ordered[:KERNELS_LISTED]
    ]
    rest = ordered[KERNELS_LISTED:]
    if rest:
        rows.append(
            {
                "name": "other",
                "count": int(sum(entry[0] for _, entry in rest)),
                "total_seconds": sum(entry[1] for _, entry in rest),
            }
        )
    union = 0
    reached = -math.inf
    for _, begin, end in sorted(kernels, key=lambda kernel: kernel[1]):
        union += max(0, end - max(begin, reached)) if end > reached else 0
        reached = max(reached, end)
    span = max(k[2] for k in kernels) - min(k[1] for k in kernels) if kernels else 0
    return {
        "gpu_busy_seconds": sum(entry[1] for entry in totals.values()),
        "gpu_busy_union_seconds": union * 1e-9,
        "gpu_span_seconds": span * 1e-9,
        "kernels_count": len(kernels),
        "kernels": rows,
    }


def free_memory(device: torch.device, compiled: bool) -> None:
    """Called when nothing refers to the step any more."""
    gc.collect()
    if compiled and hasattr(torch, "_dynamo"):
        with contextlib.suppress(Exception):
            torch._dynamo.reset()
    if device.type == "cuda":
        torch.cuda.empty_cache()

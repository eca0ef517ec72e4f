# SPDX-License-Identifier: Apache-2.0
"""Facts about the machine, and the GPU's own counters through NVML.

Every fact is optional: what cannot be read is null.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import platform
import time
from typing import Any, Callable

import plan as plans


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """The function's result, or null: no fact is worth losing a measurement for."""
    try:
        return function(*arguments)
    except Exception:  # noqa: BLE001 - NVML and torch raise many kinds
        return None


def _scaled(value: Any, factor: float) -> Any:
    return None if value is None else value * factor


class Nvml:
    """One GPU as NVML sees it; without NVML, or a device that it knows, every reading is null."""

    def __init__(self, nvml: Any = None, handle: Any = None) -> None:
        self._nvml = nvml
        self._handle = handle

    def call(self, name: str, *arguments: Any) -> Any:
        if self._handle is None:
            return None
        return attempt(lambda: getattr(self._nvml, name)(self._handle, *arguments))

    def energy_joules(self) -> float | None:
        """Energy since the driver was loaded; it advances in steps of some tens of ms."""
        return _scaled(self.call("nvmlDeviceGetTotalEnergyConsumption"), 1e-3)

    def power_watts(self) -> float | None:
        """By nvmlDeviceGetPowerUsage, which data-centre GPUs average over a second."""
        return _scaled(self.call("nvmlDeviceGetPowerUsage"), 1e-3)

    def clocks(self) -> dict:
        """What may have limited the GPU, in the order in which a sample states it."""
        reasons = self.call("nvmlDeviceGetCurrentClocksEventReasons")
        if reasons is None:
            reasons = self.call("nvmlDeviceGetCurrentClocksThrottleReasons")
        return {
            "sm_clock_hertz": _scaled(self.call("nvmlDeviceGetClockInfo", 1), 1e6),
            "memory_clock_hertz": _scaled(self.call("nvmlDeviceGetClockInfo", 2), 1e6),
            "temperature_celsius": self.call("nvmlDeviceGetTemperature", 0),
            "throttle_reasons_mask": reasons,
        }

    def state(self) -> dict:
        """Clocks and power, to be read while they are still those of work."""
        return {
            **self.clocks(),
            "power_limit_watts": _scaled(self.call("nvmlDeviceGetEnforcedPowerLimit"), 1e-3),
            "power_instant_watts": self.power_watts(),
        }

    def facts(self) -> dict:
        """What does not change during a campaign."""
        nvml = self._nvml
        version = attempt(nvml.nvmlSystemGetDriverVersion) if nvml else None
        uuid = self.call("nvmlDeviceGetUUID")
        if isinstance(uuid, str):
            uuid = uuid.encode()
        memory = self.call("nvmlDeviceGetMemoryInfo")
        return {
            "driver_version": version.decode() if isinstance(version, bytes) else version,
            # Tells two cards of one kind apart without naming either.
            "device_uuid_sha256": hashlib.sha256(uuid).hexdigest()[:16] if uuid else None,
            "power_limit_watts": _scaled(self.call("nvmlDeviceGetEnforcedPowerLimit"), 1e-3),
            "power_limit_default_watts": _scaled(
                self.call("nvmlDeviceGetPowerManagementDefaultLimit"), 1e-3
            ),
            "sm_clock_default_hertz": _scaled(
                self.call("nvmlDeviceGetDefaultApplicationsClock", 1), 1e6
            ),
            "memory_clock_default_hertz": _scaled(
                self.call("nvmlDeviceGetDefaultApplicationsClock", 2), 1e6
            ),
            "sm_clock_max_hertz": _scaled(self.call("nvmlDeviceGetMaxClockInfo", 1), 1e6),
            "memory_clock_max_hertz": _scaled(self.call("nvmlDeviceGetMaxClockInfo", 2), 1e6),
            "device_memory_bytes": getattr(memory, "total", None),
            "mig_mode": attempt(lambda: self.call("nvmlDeviceGetMigMode")[0]),
            "ecc_mode": attempt(lambda: self.call("nvmlDeviceGetEccMode")[0]),
            "persistence_mode": self.call("nvmlDeviceGetPersistenceMode"),
        }


def open_nvml(uuid: str | None = None, index: int = 0) -> Nvml:
    """The GPU of the UUID, or else of the index, as NVML counts them."""
    try:
        import pynvml  # type: ignore[import-not-found]

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001
        return Nvml()
    handle = None
    if uuid:
        # PyTorch counts only visible devices, NVML all: the name in common is the UUID.
        name = uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"
        handle = attempt(pynvml.nvmlDeviceGetHandleByUUID, name)
        if handle is None:
            handle = attempt(pynvml.nvmlDeviceGetHandleByUUID, name.encode())
    if handle is None:
        handle = attempt(pynvml.nvmlDeviceGetHandleByIndex, index)
    return Nvml(pynvml, handle)


def _cpu_model() -> str | None:
    def read() -> str | None:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.lower().startswith("model name"):
                    return line.split(":", 1)[1].strip()
        return None

    return attempt(read)


def _version(module: str) -> str | None:
    from importlib import metadata

    return attempt(metadata.version, module)


def machine_row(torch: Any, device: Any, nvml: Nvml) -> dict:
    """The first line of a record."""
    row: dict[str, Any] = {
        "kind": "machine",
        "plan_version": plans.PLAN_VERSION,
        "date_utc": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        # Adding this to a monotonic time gives seconds since 1970.
        "monotonic_to_unix_seconds": time.time() - time.monotonic(),
        "device_type": device.type,
        "python_version": platform.python_version(),
        "torch_version": torch.__version__,
        "transformers_version": _version("transformers"),
        "cuda_version": torch.version.cuda,
        "cudnn_version": attempt(torch.backends.cudnn.version),
        "kernel_version": platform.release(),
        "cpu_model": _cpu_model(),
        "cpu_count": os.cpu_count(),
        "cpu_available_count": attempt(lambda: len(os.sched_getaffinity(0))),
        "torch_threads_count": attempt(torch.get_num_threads),
        "host_memory_bytes": attempt(
            lambda: os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        ),
        "allocator_configuration": os.environ.get("PYTORCH_CUDA_ALLOC_CONF"),
    }
    row.update(nvml.facts())
    if device.type == "cuda":
        properties = attempt(torch.cuda.get_device_properties, device)
        row.update(
            {
                "device_name": attempt(torch.cuda.get_device_name, device),
                "device_memory_visible_bytes": getattr(properties, "total_memory", None),
                "multiprocessor_count": getattr(properties, "multi_processor_count", None),
                "compute_capability": attempt(
                    lambda: ".".join(map(str, torch.cuda.get_device_capability(device)))
                ),
            }
        )
    else:
        row["device_name"] = row["cpu_model"]
    return row


def device_uuid(torch: Any, device: Any) -> str | None:
    if device.type != "cuda":
        return None
    uuid = attempt(lambda: torch.cuda.get_device_properties(device).uuid)
    return None if uuid is None else str(uuid)

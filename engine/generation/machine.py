"""What this machine has, and how full it is: processors, main memory, graphics cards. Imports nothing big."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.generation.backend import Gpu, Host
from engine.generation.events import GpuReading


def host(folder: Path) -> Host:
    """Look at this machine.

    Args:
        folder: where the render is stored; the nearest folder that exists counts.
    """
    total, free = memory()
    place = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.is_dir())
    return Host(
        cores=cores(),
        ram_bytes=total,
        free_ram_bytes=free,
        free_disk_bytes=shutil.disk_usage(place).free,
        gpus=GpuMonitor().gpus(),
    )


def cores() -> int:
    """Return how many processors this process may use."""
    with suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor() -> str:
    """Return the processor's name; where the system does not say, its kind."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()


def memory() -> tuple[int, int]:
    """Return main memory in bytes: all of it, and what is available; zeros where the system does not say."""
    if sys.platform == "win32":
        return _windows_memory()
    with suppress(OSError, ValueError, KeyError):
        facts = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        total, free = (int(facts[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
        return total, free
    with suppress(OSError, ValueError):
        # macOS does not say what is available: pages that it caches in would be counted as taken.
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return total, total // 2
    return 0, 0


def resident_bytes() -> int:
    """Return the main memory that this process holds; where the system does not say, the most it has held."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "win32":
        return _windows_resident()
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class GpuMonitor:
    """Reads NVIDIA cards through nvidia-ml-py, if that and a driver are there; otherwise there are none."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._cards: list[Any] = []
        with suppress(Exception):  # no package, no driver, no card, or a driver of another version
            import pynvml

            pynvml.nvmlInit()
            self._nvml = pynvml
            self._cards = [pynvml.nvmlDeviceGetHandleByIndex(n) for n in range(pynvml.nvmlDeviceGetCount())]

    def gpus(self) -> tuple[Gpu, ...]:
        """Return the cards with what they are."""
        found = []
        for number, card in enumerate(self._cards):
            with suppress(Exception):  # a card that has fallen off the bus
                held = self._nvml.nvmlDeviceGetMemoryInfo(card)
                found.append(
                    Gpu(
                        f"cuda:{number}",
                        _text(self._nvml.nvmlDeviceGetName(card)),
                        int(held.total),
                        int(held.free),
                        _text(self._nvml.nvmlSystemGetDriverVersion()),
                        tuple(self._nvml.nvmlDeviceGetCudaComputeCapability(card)),
                    )
                )
        return tuple(found)

    def readings(self) -> tuple[GpuReading, ...]:
        """Return how busy and how full the cards are now."""
        found = []
        for number, card in enumerate(self._cards):
            with suppress(Exception):
                held = self._nvml.nvmlDeviceGetMemoryInfo(card)
                busy = self._nvml.nvmlDeviceGetUtilizationRates(card).gpu / 100
                found.append(GpuReading(f"cuda:{number}", int(held.used), int(held.total), busy))
        return tuple(found)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _windows_memory() -> tuple[int, int]:
    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
        )

    status = Status()
    status.length = ctypes.sizeof(status)
    kernel: Any = getattr(ctypes, "windll", None)
    if kernel is None or not kernel.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return 0, 0
    return int(status.total), int(status.free)


def _windows_resident() -> int:
    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", ctypes.c_ulong),
            ("faults", ctypes.c_ulong),
            *((name, ctypes.c_size_t) for name in ("peak", "resident", "a", "b", "c", "d", "e", "f")),
        )

    counters = Counters()
    counters.size = ctypes.sizeof(counters)
    kernel: Any = getattr(ctypes, "windll", None)
    if kernel is None:
        return 0
    process = ctypes.c_void_p(kernel.kernel32.GetCurrentProcess())
    kernel.psapi.GetProcessMemoryInfo(process, ctypes.byref(counters), counters.size)
    return int(counters.resident)

"""What the benchmarks share: tables, clocks, and what machine this is."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table


def machine() -> str:
    """Return processor and number of cores."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores"


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print one table."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    Console(width=140 if not sys.stdout.isatty() else None).print(table)


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest of several runs, in seconds."""
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best


def run_alone(arguments: Sequence[str], *, wanted: int = 0) -> tuple[float, float]:
    """Run a command as a process of its own.

    Args:
        arguments: the program and what follows it.
        wanted: exit code with which it has done its work.

    Returns:
        Wall seconds, and its peak memory in MB (0 where the system cannot tell).

    Raises:
        subprocess.CalledProcessError: it ended with another code.
    """
    if not hasattr(os, "wait4"):
        begin = time.perf_counter()
        code = subprocess.run(arguments, capture_output=True, check=False).returncode
        measured = (time.perf_counter() - begin, 0.0)
    else:
        alone = [sys.executable, "-I", "-S", str(Path(__file__).with_name("alone.py")), *arguments]
        told = subprocess.run(alone, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        unit = 1 if sys.platform == "darwin" else 1024  # Linux counts kilobytes
        code, measured = int(told[0]), (float(told[1]), int(told[2]) * unit / 1e6)
    if code != wanted:
        raise subprocess.CalledProcessError(code, arguments)
    return measured


def show_memory_by_length(module: str, clip: Path, size: str) -> None:
    """Print the peak memory of drawing one minute and ten, each in a process of its own.

    Args:
        module: has ``draw_all(clip, minutes)``.
        clip: what is drawn over and over.
        size: of its pictures, in words.
    """
    code = f"import sys, pathlib, {module} as room; room.draw_all(pathlib.Path(sys.argv[1]), int(sys.argv[2]))"
    rows = []
    for minutes in (1, 10):
        took, peak = run_alone([sys.executable, "-c", code, str(clip), str(minutes)])
        rows.append((f"{minutes} minutes", f"{took:.0f} s", f"{peak:.0f} MB"))
    show(f"Peak memory by length, {size}", ("length", "time", "peak memory"), rows)

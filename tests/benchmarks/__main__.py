"""Run the benchmarks: all of them, or those named on the command line."""

from __future__ import annotations

import importlib
import pkgutil
import platform
import sys
from datetime import UTC, datetime

import tests.benchmarks
from tests.benchmarks.table import machine

names = sys.argv[1:] or sorted(
    module.name
    for module in pkgutil.iter_modules(tests.benchmarks.__path__)
    if module.name not in {"__main__", "alone", "cards", "table"}
)
sys.stdout.write(f"{machine()}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}\n")
for name in names:
    importlib.import_module(f"tests.benchmarks.{name}").main()

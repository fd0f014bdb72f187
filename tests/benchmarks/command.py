"""How soon the command line answers, against an interpreter that does nothing.

Run ``python -m tests.benchmarks command``.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from tests.benchmarks.table import seconds, show

RUNS = 7


def main() -> None:
    """Print the table."""
    cases = {
        "python, nothing": ["-c", ""],
        "plosive --help": ["-m", "engine.cli", "--help"],
        "plosive --version": ["-m", "engine.cli", "--version"],
        "plosive measure, no such file": ["-m", "engine.cli", "measure", "no-such-file.mp4"],
    }
    taken = {name: seconds(partial(_run, arguments), RUNS) for name, arguments in cases.items()}
    nothing = taken["python, nothing"]
    rows = [(name, f"{took:.2f} s", f"{took / nothing:.1f}") for name, took in taken.items()]
    show("Command line: start to end", ("command", "shortest of 7", "times python alone"), rows)


def _run(arguments: list[str]) -> None:
    subprocess.run([sys.executable, *arguments], capture_output=True, check=False)


if __name__ == "__main__":
    main()

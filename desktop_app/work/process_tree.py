"""Start a program so that it can be ended together with everything that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any


def start(command: Sequence[str], folder: Path | None, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, with pipes to its input and output.

    Args:
        command: the program and its arguments.
        folder: where it runs, ``None`` for here.
        log: an open file that receives what it says on standard error.
    """
    group: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NO_WINDOW}
    return subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        **group,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a program that :func:`start` started, unless it was waited for, and all that it started, at once."""
    if process.returncode is not None:  # its number may belong to somebody else by now
        return
    if sys.platform == "win32":
        command = ["taskkill", "/PID", str(process.pid), "/T", "/F"]
        subprocess.run(command, capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

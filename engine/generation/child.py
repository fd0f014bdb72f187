"""A process of its own with a line to it: begun, heard and ended in one way wherever work is divided. Light."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

_SIGNALS = 128
"""Shells tell a process that signal ``n`` ended as exit code 128 + n; 137 is mostly main memory that was full."""

_LAST_BREATH = 5.0
"""Seconds between the end of a line and that of its process."""


class ChildDied(Exception):  # noqa: N818 - said of the child, not of the parent
    """A process ended although it was still wanted.

    Args:
        code: its exit code, as shells tell it; of one that ended by a signal 128 + its number.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"a process ended with exit code {code}")
        self.code = code


class Child:
    """A process that ends with its parent at the latest.

    Args:
        body: what it runs; importable by its name, called with ``given`` and its end of the line.
        given: understood by another process (picklable).

    Attributes:
        line: to the process; what is sent is pickled.
    """

    def __init__(self, body: Callable[..., None], *given: object) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process that has used CUDA cannot use it
        self.line: Connection
        self.line, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(body, *given, theirs), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.is_alive()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid or 0

    def send(self, message: object) -> None:
        """Say something to it.

        Raises:
            ChildDied: if it has ended.
        """
        try:
            self.line.send(message)
        except OSError as error:
            raise self._died() from error

    def received(self) -> Any:
        """Wait for what it says next. What it said before it ended is still heard.

        Raises:
            ChildDied: if it has ended.
        """
        try:
            return self.line.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error

    def says_something(self, seconds: float) -> bool:
        """Return whether within so many seconds there is something to receive, and be it that it has ended."""
        try:
            return self.line.poll(seconds)
        except OSError:
            return True

    def _died(self) -> ChildDied:
        self._process.join(_LAST_BREATH)
        code = self._process.exitcode or 0
        return ChildDied(code if code >= 0 else _SIGNALS - code)

    def end(self, patience: float) -> None:
        """Cut the line and see it end; make it end after so many seconds."""
        self.line.close()
        self._process.join(patience)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _run(body: Callable[..., None], *given: object) -> None:
    """Run a child's body; end with the parent whatever the body waits for, for instance a card that never answers."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    body(*given)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

"""Run jobs in child processes: several at a time, stoppable at once, and none takes the others along when it crashes.

Even a single job of the command line runs in a child: what native code prints cannot mix with results, and Ctrl-C is
answered at once while that code is busy. A child that is to stop closes its job at the next yield, which removes
half-written files. One that does not come to a yield is interrupted wherever it is, with the same effect, and only one
that is stuck in native code is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import TYPE_CHECKING, Any

from engine.jobs import Job, Progress, run
from engine.words import current_language, use_language

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

_YIELD_SECONDS = 0.4
"""How long a child may take to stop at a yield, before it is interrupted..."""
_UNWIND_SECONDS = 1.1
"""...and after that to remove what is half done, before it is killed."""
_REPORT_SECONDS = 0.05
"""Progress is sent at most this often."""


@dataclass(frozen=True, slots=True)
class Task:
    """A job to start elsewhere.

    Attributes:
        start: a function of a module that returns the job.
        arguments: its keyword arguments, which must survive pickling.
        tells: the kinds of ``partial`` that are sent on; what else a job shows on its way stays in the child.
    """

    start: Callable[..., Job[Any]]
    arguments: dict[str, Any]
    tells: tuple[type, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A job that ended by a bug instead of a result.

    Attributes:
        details: the traceback, or how the process died.
    """

    details: str


class _Stopped(BaseException):
    """Raised inside the child to close its job; not an ``Exception``, so that nobody takes it for a failure."""


def run_all(
    tasks: Sequence[Task], processes: int, on_progress: Callable[[int, Progress], object] | None = None
) -> Generator[tuple[int, Any], None, None]:
    """Run tasks and yield ``(number of the task, its result or Fault)`` as they finish.

    Closing the generator, or an exception while it waits (Ctrl-C), stops everything that still runs.

    Args:
        tasks: what to run.
        processes: how many at a time, at least 1.
        on_progress: called in this process with the number of a task and its progress; its ``partial`` is one of
            :attr:`Task.tells` or ``None``.
    """
    waiting = deque(enumerate(tasks))
    children: list[_Child] = []
    try:
        while waiting or any(child.number is not None for child in children):
            while waiting and len([child for child in children if child.number is not None]) < processes:
                child = next((child for child in children if child.number is None), None)
                if child is None:
                    child = _Child.started()
                    children.append(child)
                child.give(*waiting.popleft())
            ready = wait([child.connection for child in children if child.number is not None])
            for child in [child for child in children if child.connection in ready]:
                number = child.number
                assert number is not None
                try:
                    event = child.connection.recv()
                except (EOFError, OSError):
                    children.remove(child)
                    yield number, Fault(child.obituary())
                    continue
                if isinstance(event, Progress):
                    if on_progress is not None:
                        on_progress(number, event)
                    continue
                child.number = None
                yield number, event
    finally:
        _stop(children)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start children that Ctrl-C does not reach, from their first instruction on: what it means is said by the parent.

    Held back, not ignored: a Ctrl-C that comes meanwhile reaches this process afterwards.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(slots=True)
class _Child:
    """One process and the pipe to it."""

    process: SpawnProcess
    connection: Connection
    number: int | None = field(default=None)

    @classmethod
    def started(cls) -> _Child:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, current_language()), daemon=True)
        with _interrupts_held():
            process.start()
        theirs.close()
        return cls(process, ours)

    def give(self, number: int, task: Task) -> None:
        self.number = number
        self.connection.send(task)

    def obituary(self) -> str:
        self.process.join(_UNWIND_SECONDS)
        return f"the working process ended with code {self.process.exitcode}"


def _stop(children: Sequence[_Child]) -> None:
    for child in children:
        child.connection.close()  # the child sees the end of the pipe, at its next yield if it is busy
    left = _alive_after(_YIELD_SECONDS, [child.process for child in children])
    for process in left:
        process.terminate()
    left = _alive_after(_UNWIND_SECONDS, left)
    for process in left:
        process.kill()
        process.join()


def _alive_after(seconds: float, processes: Sequence[SpawnProcess]) -> list[SpawnProcess]:
    """Wait up to so many seconds for all to end, and return those that have not."""
    deadline = time.monotonic() + seconds
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    return [process for process in processes if process.is_alive()]


def _serve(connection: Connection, language: str) -> None:
    """Be the child: take tasks from the pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    _silence()
    use_language(language)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        while True:
            connection.send(_perform(connection.recv(), connection))
    except (EOFError, OSError, _Stopped):
        pass
    # Not through the interpreter's own ending: native libraries take their time to unload, or crash doing it.
    os._exit(0)


def _end_with_parent() -> None:
    """End this process soon after its parent, even one that was killed: the next start must not find it at work."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    time.sleep(_YIELD_SECONDS)  # the pipe has ended, too, and whoever comes to a yield stops there
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_UNWIND_SECONDS)
    os._exit(1)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough; what is being removed shall be removed
    raise _Stopped


def _silence() -> None:
    """Send what native code prints to nowhere; results go through the pipe."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _perform(task: Task, connection: Connection) -> object:
    reported = -_REPORT_SECONDS

    def report(progress: Progress) -> None:
        nonlocal reported
        if connection.poll():
            raise _Stopped
        partial = progress.partial if isinstance(progress.partial, task.tells) else None
        now = time.monotonic()
        if partial is not None or now - reported >= _REPORT_SECONDS:
            reported = now
            connection.send(Progress(progress.stage, progress.done, partial))

    try:
        return run(task.start(**task.arguments), report)
    except Exception:  # noqa: BLE001 - a bug in one job is reported as such, the others go on
        return Fault(traceback.format_exc())

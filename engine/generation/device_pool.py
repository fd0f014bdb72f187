"""Who computes: one device in a thread of this process, or several with a process for each of them.

Tasks do not depend on each other, so nothing passes between processes but tasks and answers, and the answers are the
same for any number of processes. What happens inside a task is never divided.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_lines
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

import torch

from engine.generation.backend import OutOfMemory
from engine.generation.child import Child, ChildDied
from engine.jobs import Job, Progress, run
from engine.refusal import Refusal, Refused

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Task_contra = TypeVar("Task_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)

Drawing = Generator[float, None, Answer]
"""Works on one task; yields the share that is done, each a place to stop, and returns the answer."""

Draw = Callable[[Task], Drawing[Answer]]

_PATIENCE = 0.2
"""Seconds between looks whether anybody still wants an answer."""
_GOODBYE = 1.0
"""Seconds that a step in progress is waited for when all ends."""


class Setup(Protocol[Task_contra, Answer_co]):
    """What a process needs in order to begin; small, and understood by another process (picklable)."""

    def load(self) -> Job[Draw[Task_contra, Answer_co]]:
        """Load what is needed and return what draws.

        Raises:
            Refused: if it cannot be loaded.
            OutOfMemory: if it does not fit.
        """
        ...


class Pool(Protocol[Task_contra, Answer]):
    """Takes tasks and answers them, some at the same time.

    Attributes:
        devices: how many tasks are worked on at a time.
    """

    devices: int

    @property
    def share(self) -> float:
        """How much of the tasks in progress is done, 0 to 1."""
        ...

    def submit(self, task: Task_contra) -> Future[Answer]:
        """Hand in a task; of several the first one handed in is the first one begun.

        The future raises :class:`OutOfMemory` if it does not fit, :class:`Refused` for what is expected to happen, and
        ``CancelledError`` after :meth:`forget`.
        """
        ...

    def forget(self) -> None:
        """Drop what is waiting; what is being worked on ends at its next step."""
        ...

    def close(self) -> None:
        """Give everything back, without waiting for a long step to end."""
        ...


class LocalPool(Generic[Task, Answer]):
    """One device, in a thread of its own.

    Args:
        draw: works on a task.
    """

    devices = 1

    def __init__(self, draw: Draw[Task, Answer]) -> None:
        self._draw = draw
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="drawing")
        self._round = 0
        self._latest: Future[Answer] | None = None
        self.share = 0.0

    def submit(self, task: Task) -> Future[Answer]:
        """See :class:`Pool`."""
        self._latest = self._thread.submit(self._answer, task, self._round)
        return self._latest

    def forget(self) -> None:
        """See :class:`Pool`."""
        self._round += 1

    def close(self) -> None:
        """See :class:`Pool`."""
        self.forget()
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._latest is not None:
            wait([self._latest], _GOODBYE)

    def _answer(self, task: Task, number: int) -> Answer:
        self.share = 0.0
        with closing(self._draw(task)) as drawing:
            while number == self._round:
                try:
                    self.share = next(drawing)
                except StopIteration as end:
                    answer: Answer = end.value
                    return answer
        raise CancelledError


@dataclass(frozen=True, slots=True)
class _Share:
    """How far a process is with its task."""

    done: float


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why there is no answer; exactly one is not ``None``."""

    refusal: Refusal | None = None
    full_device: str | None = None


def _work(setup: Setup[Task, Answer], threads: int, line: Connection) -> None:
    """Load, then answer tasks until the line is cut; the body of a process."""
    # Sums of as many parts as in one process alone: only so they are the same to the last bit.
    torch.set_num_threads(threads)
    try:
        try:
            draw = run(setup.load())
        except (OutOfMemory, Refused) as error:
            line.send(_failure(error))
            return
        line.send(None)
        while True:
            task = line.recv()
            try:
                drawing = draw(task)
                while True:
                    try:
                        line.send(_Share(next(drawing)))
                    except StopIteration as end:
                        line.send(end.value)
                        break
            except (OutOfMemory, Refused) as error:
                line.send(_failure(error))
    except (EOFError, OSError, KeyboardInterrupt):
        return  # nobody is there any more who would want an answer


def _failure(error: OutOfMemory | Refused) -> _Failure:
    return _Failure(refusal=error.refusal) if isinstance(error, Refused) else _Failure(full_device=error.device)


class ProcessPool(Generic[Task, Answer]):
    """Several devices, a process for each.

    Tasks and answers travel through pipes as plain arrays: tensors would take the system's shared memory, of which
    containers have little.

    Args:
        setups: one per process.
    """

    def __init__(self, setups: Sequence[Setup[Task, Answer]]) -> None:
        self.devices = len(setups)
        self._children = [Child(_work, setup, torch.get_num_threads()) for setup in setups]
        self._free: SimpleQueue[Child] = SimpleQueue()
        for child in self._children:
            self._free.put(child)
        self._threads = ThreadPoolExecutor(len(setups), thread_name_prefix="drawing")
        self._round = 0
        self._is_closed = False
        self._shares: dict[Child, float] = {}

    def ready(self) -> Job[None]:
        """Wait until every process has loaded.

        Raises:
            Refused: what one of them refuses, or ``workers.died``.
            OutOfMemory: if it does not fit.
        """
        waiting = {child.line: child for child in self._children}
        while waiting:
            for line in wait_for_lines(list(waiting), _PATIENCE):
                assert isinstance(line, Connection)
                _received(waiting.pop(line))
            yield Progress("loading", 1 - len(waiting) / self.devices)

    @property
    def share(self) -> float:
        """See :class:`Pool`."""
        shares = list(self._shares.values())
        return sum(shares) / self.devices

    def submit(self, task: Task) -> Future[Answer]:
        """See :class:`Pool`."""
        return self._threads.submit(self._answer, task, self._round)

    def forget(self) -> None:
        """See :class:`Pool`."""
        self._round += 1

    def close(self) -> None:
        """End the processes; what they work on is worth nothing."""
        self.forget()
        self._is_closed = True
        self._threads.shutdown(wait=True, cancel_futures=True)  # each looks at its line, and leaves
        for child in self._children:
            child.end(_GOODBYE)
        self._children.clear()

    def _answer(self, task: Task, number: int) -> Answer:
        if number != self._round:
            raise CancelledError
        child = self._free.get()  # there are as many processes as threads
        try:
            child.send(task)
            while True:
                while not child.says_something(_PATIENCE):
                    if self._is_closed:
                        raise CancelledError
                answer = _received(child)
                if not isinstance(answer, _Share):
                    return answer  # type: ignore[return-value]  # what the process drew
                self._shares[child] = answer.done
        except ChildDied as error:
            raise Refused.because("workers.died", exit_code=error.code) from error
        finally:
            self._shares.pop(child, None)
            self._free.put(child)


def _received(child: Child) -> object:
    """Return what a process says next.

    Raises:
        Refused: what it refuses, or ``workers.died``.
        OutOfMemory: if its memory does not suffice.
    """
    try:
        answer: object = child.received()
    except ChildDied as error:
        raise Refused.because("workers.died", exit_code=error.code) from error
    if isinstance(answer, _Failure):
        raise Refused(answer.refusal) if answer.refusal is not None else OutOfMemory(answer.full_device or "cpu")
    return answer


def open_pool(setups: Sequence[Setup[Task, Answer]]) -> Job[Pool[Task, Answer]]:
    """Return what draws on one device here, or on several in processes of their own, when all have loaded.

    Raises:
        Refused: what a setup refuses, or ``workers.died``.
        OutOfMemory: if it does not fit.
    """
    if len(setups) == 1:
        return LocalPool((yield from setups[0].load()))
    pool = ProcessPool(setups)
    try:
        yield from pool.ready()
    except BaseException:
        pool.close()
        raise
    return pool

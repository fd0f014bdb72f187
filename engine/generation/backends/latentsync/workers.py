"""Several devices: one process each, which draws whole windows.

Windows do not depend on each other, so nothing is exchanged but pictures, tokens and results, and the result is the
same for any number of processes. Inside a window frames do depend on each other: it is never divided.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import numpy as np
import numpy.typing as npt
import torch

from engine.generation.backend import OutOfMemory
from engine.generation.backends.latentsync.drawing import Drawing, Face, LocalDrawer, SeededNoise, WindowPart
from engine.generation.backends.latentsync.files import Files
from engine.generation.backends.latentsync.networks import Placement, load_networks
from engine.generation.backends.latentsync.sampler import Sampling
from engine.jobs import Job, Progress, run
from engine.refusal import Refusal, Refused

_PATIENCE = 0.5
"""Seconds between signs of life while nothing is finished."""
_GOODBYE = 5.0


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process needs to know.

    Attributes:
        files: what it loads.
        placement: where and how it computes.
        sampling: how it draws.
        seed: of everything random.
        threads: of torch, so that all processes add in the same order.
    """

    files: Files
    placement: Placement
    sampling: Sampling
    seed: int
    threads: int


@dataclass(frozen=True, slots=True)
class _Task:
    first: int
    faces: npt.NDArray[np.uint8]
    audio: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Failure:
    refusal: Refusal | None
    device: str | None


def _work(setup: Setup, line: Connection) -> None:
    """Load, then draw whatever comes until ``None`` does; the body of a process."""
    torch.set_num_threads(setup.threads)
    try:
        networks = run(load_networks(setup.files, setup.placement))
        drawer = LocalDrawer(networks, setup.sampling, SeededNoise(setup.seed))
        line.send(None)
        while (task := line.recv()) is not None:
            drawing = drawer.draw([WindowPart(task.first, task.faces, torch.from_numpy(task.audio))])
            try:
                while True:
                    line.send(next(drawing))
            except StopIteration as end:
                line.send(end.value[0])
    except OutOfMemory as error:
        line.send(_Failure(None, error.device))
    except Refused as refused:
        line.send(_Failure(refused.refusal, None))
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return  # nobody is there any more who would want a result


class WorkerDrawer:
    """Draws in one process per device.

    Args:
        setups: one per process.
    """

    def __init__(self, setups: Sequence[Setup]) -> None:
        context = multiprocessing.get_context("spawn")
        self._workers: list[tuple[BaseProcess, Connection]] = []
        for setup in setups:
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(setup, theirs), daemon=True)
            process.start()
            theirs.close()
            self._workers.append((process, ours))

    def ready(self) -> Job[None]:
        """Wait until every process has loaded its networks.

        Raises:
            Refused: as :func:`~engine.generation.backends.latentsync.networks.load_networks`.
            OutOfMemory: if they do not fit.
        """
        waiting = {line for _, line in self._workers}
        while waiting:
            for line in wait(list(waiting), _PATIENCE):
                assert isinstance(line, Connection)
                _received(line)
                waiting.discard(line)
            yield Progress("loading", 1 - len(waiting) / len(self._workers))

    def draw(self, parts: Sequence[WindowPart]) -> Drawing:
        """Draw parts, each by whoever is free."""
        faces: list[Face | None] = [None] * len(parts)
        shares = [0.0] * len(parts)
        upcoming = iter(range(len(parts)))
        busy: dict[Connection, int] = {}
        free = [line for _, line in self._workers]
        while True:
            while free and (index := next(upcoming, None)) is not None:
                part, line = parts[index], free.pop()
                line.send(_Task(part.first, part.faces, part.audio.numpy()))
                busy[line] = index
            if not busy:
                break
            for spoken in wait(list(busy), _PATIENCE):
                assert isinstance(spoken, Connection)
                answer = _received(spoken)
                if isinstance(answer, float):
                    shares[busy[spoken]] = answer
                else:
                    faces[busy.pop(spoken)] = answer
                    free.append(spoken)
            yield sum(shares) / len(parts)
        return [each for each in faces if each is not None]

    def close(self) -> None:
        """End the processes."""
        for process, line in self._workers:
            line.close()
            process.join(_GOODBYE)
            if process.is_alive():
                process.terminate()
                process.join()
        self._workers.clear()


def _received(line: Connection) -> float | Face | None:
    """Return the next answer of a process.

    Raises:
        Refused: what it refuses, or ``latentsync.worker_died``.
        OutOfMemory: if its memory does not suffice.
    """
    try:
        answer: object = line.recv()
    except (EOFError, ConnectionResetError) as error:
        raise Refused.because("latentsync.worker_died") from error
    if isinstance(answer, _Failure):
        raise Refused(answer.refusal) if answer.refusal is not None else OutOfMemory(answer.device or "cpu")
    assert answer is None or isinstance(answer, float | np.ndarray)
    return answer

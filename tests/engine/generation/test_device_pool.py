"""Tasks on one device in this process, and on several in processes of their own."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import CancelledError
from dataclasses import dataclass

import numpy as np
import pytest

from engine.generation.backend import OutOfMemory
from engine.generation.device_pool import Draw, Drawing, LocalPool, Pool, ProcessPool, open_pool
from engine.jobs import Job, Progress, run
from engine.refusal import Refused

_LONG = 60.0
"""Seconds after which an answer does not come any more; a process takes some to begin."""


@dataclass(frozen=True)
class Doubling:
    """Doubles arrays; some numbers stand for what may happen."""

    refuses: bool = False

    def load(self) -> Job[Draw[np.ndarray, np.ndarray]]:
        """Return what doubles."""
        yield Progress("loading", 0.5)
        if self.refuses:
            raise Refused.because("models.missing", path="somewhere")
        return self.draw

    def draw(self, task: np.ndarray) -> Drawing[np.ndarray]:
        """Double an array."""
        yield 0.5
        match int(task[0]):
            case -1:
                raise OutOfMemory("cpu")
            case -2:
                raise Refused.because("latentsync.not_a_number")
            case -3:
                os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        return task * 2


def _tasks() -> list[np.ndarray]:
    return [np.arange(number, number + 4, dtype=np.float32) for number in range(7)]


def _answers(pool: Pool[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    return [future.result(_LONG) for future in [pool.submit(task) for task in _tasks()]]


@pytest.mark.parametrize("count", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_answers_are_those_of_the_tasks_in_their_order(count: int) -> None:
    pool = run(open_pool([Doubling()] * count))
    try:
        assert pool.devices == count
        for found, task in zip(_answers(pool), _tasks(), strict=True):
            np.testing.assert_array_equal(found, task * 2)
    finally:
        pool.close()


def test_what_goes_wrong_goes_wrong_in_its_task_only() -> None:
    pool = LocalPool(Doubling().draw)
    full, refused, right = (pool.submit(np.array([number], np.float32)) for number in (-1, -2, 3))
    assert isinstance(full.exception(_LONG), OutOfMemory)
    error = refused.exception(_LONG)
    assert isinstance(error, Refused)
    assert error.refusal.code == "latentsync.not_a_number"
    assert right.result(_LONG)[0] == 6
    pool.close()


def test_what_nobody_wants_ends_at_its_next_step() -> None:
    begun, go_on = threading.Event(), threading.Event()
    steps: list[int] = []

    def draw(task: int) -> Drawing[int]:
        for step in range(3):
            steps.append(step)
            begun.set()
            assert go_on.wait(_LONG)
            yield step / 3
        return task

    pool = LocalPool(draw)
    first, second = pool.submit(1), pool.submit(2)
    assert begun.wait(_LONG)
    pool.forget()
    go_on.set()
    for future in (first, second):
        with pytest.raises(CancelledError):
            future.result(_LONG)
    assert steps == [0]
    assert pool.submit(5).result(_LONG) == 5
    pool.close()


@pytest.mark.slow
def test_a_process_that_is_killed_is_told_in_a_sentence() -> None:
    pool = run(open_pool([Doubling()] * 2))
    try:
        assert isinstance(pool, ProcessPool)
        full = pool.submit(np.array([-1], np.float32))
        assert isinstance(full.exception(_LONG), OutOfMemory)
        error = pool.submit(np.array([-3], np.float32)).exception(_LONG)
        assert isinstance(error, Refused)
        assert error.refusal.code == "workers.died"
        assert "finished is kept" in str(error.refusal)
    finally:
        pool.close()


@pytest.mark.slow
def test_a_process_that_cannot_load_says_why() -> None:
    with pytest.raises(Refused) as refused:
        run(open_pool([Doubling(), Doubling(refuses=True)]))
    assert refused.value.refusal.code == "models.missing"

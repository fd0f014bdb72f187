"""Stages in threads: order, limits, errors at their place, and an end within a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from engine.generation.pipeline import Pipeline, Shelf, Stopped

_LONG = 20.0
"""Seconds after which something that should have happened has not."""


def _doubled(numbers: Iterator[int]) -> Iterator[int]:
    for number in numbers:
        yield 2 * number


def test_things_come_in_order_through_all_stages() -> None:
    pipeline = Pipeline()
    numbers = pipeline.stage(iter(range(100)), 3, "numbers")
    assert list(pipeline.stage(_doubled(numbers), 2, "doubled")) == list(range(0, 200, 2))
    pipeline.close()


def test_a_stage_is_no_further_ahead_than_it_may_be() -> None:
    """Two things wait, one is in the hands of who made it; that which was taken keeps its place."""
    made: list[int] = []
    fourth, sixth = threading.Event(), threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            if number == 3:
                fourth.set()
            if number == 5:
                sixth.set()
            yield number

    pipeline = Pipeline()
    shelf = pipeline.stage(numbers(), 2, "numbers")
    assert next(shelf) == 0
    assert next(shelf) == 1  # only now the place of 0 is free
    assert fourth.wait(_LONG)
    assert not sixth.is_set()
    assert made == [0, 1, 2, 3]
    pipeline.close()
    assert made == [0, 1, 2, 3]


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise MemoryError("full")

    pipeline = Pipeline()
    shelf = pipeline.stage(_doubled(pipeline.stage(failing(), 1, "failing")), 4, "doubled")
    assert [next(shelf), next(shelf)] == [2, 4]
    for _ in range(2):  # and it stays
        with pytest.raises(MemoryError, match="full"):
            next(shelf)
    pipeline.close()


def test_closing_ends_stages_that_wait_for_something_or_for_room() -> None:
    closed: list[str] = []
    never = Shelf[int](1)

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append("endless")

    def waiting() -> Iterator[int]:
        try:
            yield from never
        finally:
            closed.append("waiting")

    pipeline = Pipeline()
    full = pipeline.stage(endless(), 1, "endless")
    empty = pipeline.stage(waiting(), 1, "waiting")
    assert empty.take(0.01) is None
    never.close()  # what is not a stage of its own is closed by its owner
    pipeline.close()
    assert sorted(closed) == ["endless", "waiting"]
    assert pipeline.is_closed
    for shelf in (full, empty):
        with pytest.raises(Stopped):
            next(shelf)
    assert not [thread for thread in threading.enumerate() if thread.name in {"endless", "waiting"}]


def test_everything_taken_is_an_ordinary_end() -> None:
    pipeline = Pipeline()
    shelf = pipeline.stage(iter([7]), 1, "one")
    assert shelf.take(_LONG) == 7
    with pytest.raises(StopIteration):
        shelf.take(_LONG)
    pipeline.close()

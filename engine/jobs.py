"""Long work as generators: every ``yield`` is progress and a place to stop.

A job takes a snapshot of its inputs, yields :class:`Progress` and *returns* its result. Whoever drives it may stop
iterating and call ``close()`` at any yield: the job's ``finally`` blocks then remove what is half done.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        stage: what is being done now, a short catalogue-free name such as ``"listening"`` or ``"copying"``.
        done: share of the whole job that is finished, 0 to 1.
        partial: something worth showing already (an offset point, a peak block), or ``None``.
    """

    stage: str
    done: float
    partial: object = None


Job = Generator[Progress, None, Result]
"""A generator that yields :class:`Progress` and returns ``Result``."""


def run(job: Job[Result], on_progress: Callable[[Progress], object] | None = None) -> Result:
    """Drive a job to its end and return its result; an exception in ``on_progress`` (Ctrl-C too) closes the job."""
    try:
        while True:
            progress = next(job)
            if on_progress is not None:
                on_progress(progress)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    finally:
        job.close()


def part_of(job: Job[Result], start: float, stop: float) -> Job[Result]:
    """Run a job as one part of a bigger one: its 0 to 1 becomes ``start`` to ``stop``."""
    try:
        while True:
            progress = next(job)
            yield Progress(progress.stage, start + (stop - start) * progress.done, progress.partial)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        job.close()

"""One piece of work that the engine's process does for the window."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QObject, Signal

from engine.refusal import Refusal
from engine.worker_messages import Request


class Ending(Enum):
    """How a job ended."""

    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAULT = "fault"
    """A bug: the details are for the log."""
    LOST = "lost"
    """The engine's process died over it; the same job can be asked for again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job.

    Attributes:
        ending: how it ended.
        value: the result, or the refusal.
        details: for the log, when it ended by a bug or by the death of the process.
    """

    ending: Ending
    value: object = None
    details: str = ""

    @classmethod
    def of(cls, value: object) -> Outcome:
        """Return the outcome for what a job returned."""
        return cls(Ending.REFUSED if isinstance(value, Refusal) else Ending.DONE, value)

    @property
    def refusal(self) -> Refusal | None:
        """Why there is no result: what the engine says, or that it failed or is gone; ``None`` for all other ends."""
        if isinstance(self.value, Refusal):
            return self.value
        code = {Ending.LOST: "window.engine_lost", Ending.FAULT: "window.fault"}.get(self.ending)
        return None if code is None else Refusal.of(code)


class EngineJob(QObject):
    """A request on its way; tells how far it is and, exactly once, how it ended."""

    progressed = Signal(str, float, object)
    """Stage, share that is done, and a partial result or ``None``."""
    ended = Signal(object)
    """Its :class:`Outcome`."""
    came_late = Signal(object)
    """The value that it returned although it has ended as cancelled: it was done before it could be stopped."""

    _numbers = itertools.count(1)

    def __init__(self, request: Request, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.number = next(self._numbers)
        self.request = request
        self.outcome: Outcome | None = None
        self.done = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.outcome is not None

    def progress(self, stage: str, done: float, partial: object) -> None:
        """Take note of how far it is; for the engine's process."""
        if not self.is_over:
            self.done = done
            self.progressed.emit(stage, done, partial)

    def end(self, outcome: Outcome) -> None:
        """Take note of how it ended; for the engine's process. Only the first call counts."""
        if not self.is_over:
            self.outcome = outcome
            self.ended.emit(outcome)

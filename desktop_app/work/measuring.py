"""Measure the open clip in the background, and show what is found while it is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from desktop_app.document.document import Document
from desktop_app.document.parts import with_part
from desktop_app.document.settings import Settings
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Ending, Outcome
from desktop_app.work.slot import JobSlot
from engine.refusal import Refusal
from engine.sync.result import Glimpse, Kind, Measurement, MouthTrace
from engine.words import Message
from engine.worker_messages import Measure, Request


class Measuring(QObject):
    """Keeps the document's measurement up to date.

    Attributes:
        stage: what is being done, a name of the engine's; empty while nothing is.
        done: share that is done.
        refusal: why the last attempt brought nothing, or ``None``.
    """

    changed = Signal()
    """It began, went on, or ended."""
    failed = Signal(object, str)
    """A refusal that is nobody's fault but ours, and its details for the log."""
    finished = Signal()
    """There is a measurement."""
    part_measured = Signal(Measurement, float, float)
    """What was found in a part of the clip, and from when to when that is; a part may be unmeasurable."""
    part_refused = Signal(Refusal)
    """Why measuring a part brought nothing."""

    def __init__(
        self, document: Document, engine: EngineProcess, settings: Settings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._slot = JobSlot(engine, self)
        self._slot.progressed.connect(self._go_on)
        self._slot.ended.connect(self._end)
        self._settings = settings
        self._part: tuple[float, float] | None = None
        self._glimpses: list[Glimpse] = []
        self.stage = ""
        self.done = 0.0
        self.refusal: Refusal | None = None
        document.media_changed.connect(self._begin_again)
        document.face_changed.connect(self.start)

    @property
    def is_running(self) -> bool:
        """Whether the clip is being measured."""
        return self._slot.is_taken

    def start(self) -> None:
        """Measure the open clip, from the beginning."""
        self.cancel()
        self.refusal = None
        if self._document.path is not None:
            self._document.set_measurement(None)
            self._submit(self._document.path, None)

    def start_part(self, start: float, stop: float) -> None:
        """Measure a part of the open clip; the rest of what is known of it stays.

        Args:
            start: seconds on the clip's clock.
            stop: seconds.
        """
        self.cancel()
        if self._document.path is not None:
            self._submit(self._document.path, (start, stop))

    def _submit(self, path: Path, part: tuple[float, float] | None) -> None:
        start, stop = part or (None, None)
        request = Measure(
            path,
            audio=self._document.sound_path,
            thorough=self._settings["thorough"],
            face=self._document.face,
            start=start,
            stop=stop,
        )
        self._glimpses = []
        self._part = part
        self.stage, self.done = "starting", 0.0
        self._slot.submit(request)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop measuring; what was found so far is dropped."""
        if self._slot.drop():
            self._rest()
            if self._document.is_partial:
                self._document.set_measurement(None)

    def _begin_again(self) -> None:
        self.cancel()
        self.refusal = None
        self.changed.emit()

    def _go_on(self, stage: str, done: float, partial: object) -> None:
        self.stage, self.done = stage, done
        if isinstance(partial, Glimpse) and self._part is None:
            self._glimpses.append(partial)
            self._document.set_measurement(self._so_far(), is_partial=True)
        self.changed.emit()

    def _so_far(self) -> Measurement:
        """Return what there is to be seen already: everything but the number and the verdict."""
        mouths = sorted(
            (each.mouth for each in self._glimpses if each.mouth is not None and len(each.mouth.times)),
            key=lambda mouth: float(mouth.times[0]),
        )
        mouth = None
        if mouths:
            times, opening = (np.concatenate([getattr(each, name) for each in mouths]) for name in ("times", "opening"))
            mouth = MouthTrace(times, opening)
        return Measurement(
            str(self._document.path),
            Kind.UNMEASURABLE,
            Message("sync.reason.uncertain"),
            points=tuple(sorted((p for each in self._glimpses for p in each.points), key=lambda point: point.t)),
            curves=tuple(sorted((c for each in self._glimpses for c in each.curves), key=lambda curve: curve.t)),
            mouth=mouth,
        )

    def _end(self, _request: Request, outcome: Outcome) -> None:
        refusal = outcome.refusal
        if self._part is None:
            self._end_whole(outcome.value, refusal)
        else:
            self._end_part(self._part, outcome.value, refusal)
        if refusal is not None and outcome.details:
            self.failed.emit(refusal, outcome.details)
        if outcome.ending is Ending.DONE:
            self.finished.emit()

    def _end_whole(self, value: object, refusal: Refusal | None) -> None:
        if isinstance(value, Measurement):
            self._document.set_measurement(value)
        elif self._document.is_partial:
            self._document.set_measurement(None)
        self.refusal = refusal
        self._rest()

    def _end_part(self, part: tuple[float, float], value: object, refusal: Refusal | None) -> None:
        if isinstance(value, Measurement) and value.kind is not Kind.UNMEASURABLE:
            self._document.set_measurement(with_part(self._document.measurement, value, *part))
        self._rest()
        if isinstance(value, Measurement):
            self.part_measured.emit(value, *part)
        elif refusal is not None:
            self.part_refused.emit(refusal)

    def _rest(self) -> None:
        self.stage, self.done = "", 0.0
        self.changed.emit()

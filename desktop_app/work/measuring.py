"""Measure the open clip in the background, and show what is found while it is found."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from desktop_app.document.document import Document
from desktop_app.document.settings import Settings
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Ending, EngineJob, Outcome
from engine.refusal import Refusal
from engine.sync.result import Glimpse, Kind, Measurement, MouthTrace
from engine.words import Message
from engine.worker_messages import Measure


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

    def __init__(
        self, document: Document, engine: EngineProcess, settings: Settings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._engine = engine
        self._settings = settings
        self._job: EngineJob | None = None
        self._glimpses: list[Glimpse] = []
        self.stage = ""
        self.done = 0.0
        self.refusal: Refusal | None = None
        document.media_changed.connect(self._begin_again)
        document.face_changed.connect(self.start)

    @property
    def is_running(self) -> bool:
        """Whether the clip is being measured."""
        return self._job is not None

    def start(self) -> None:
        """Measure the open clip, from the beginning."""
        self.cancel()
        self.refusal = None
        if self._document.path is None:
            return
        request = Measure(
            self._document.path,
            audio=self._document.sound_path,
            thorough=self._settings["thorough"],
            face=self._document.face,
        )
        self._glimpses = []
        self._document.set_measurement(None)
        self.stage, self.done = "starting", 0.0
        self._job = job = self._engine.submit(request)
        job.progressed.connect(lambda *progress: self._go_on(job, *progress))
        job.ended.connect(lambda outcome: self._end(job, outcome))
        self.changed.emit()

    def cancel(self) -> None:
        """Stop measuring; what was found so far is dropped."""
        if self._job is not None:
            job, self._job = self._job, None
            self._engine.cancel(job)
            self._rest()
            if self._document.is_partial:
                self._document.set_measurement(None)

    def _begin_again(self) -> None:
        self.cancel()
        self.refusal = None
        self.changed.emit()

    def _go_on(self, job: EngineJob, stage: str, done: float, partial: object) -> None:
        if job is not self._job:
            return
        self.stage, self.done = stage, done
        if isinstance(partial, Glimpse):
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

    def _end(self, job: EngineJob, outcome: Outcome) -> None:
        if job is not self._job:
            return
        self._job = None
        value = outcome.value
        if isinstance(value, Measurement):
            self._document.set_measurement(value)
        elif self._document.is_partial:
            self._document.set_measurement(None)
        if isinstance(value, Refusal):
            self.refusal = value
        elif outcome.ending is Ending.LOST:
            self.refusal = Refusal.of("window.engine_lost")
        elif outcome.ending is Ending.FAULT:
            self.refusal = Refusal.of("window.fault")
        self._rest()
        if self.refusal is not None and outcome.details:
            self.failed.emit(self.refusal, outcome.details)
        if outcome.ending is Ending.DONE:
            self.finished.emit()

    def _rest(self) -> None:
        self.stage, self.done = "", 0.0
        self.changed.emit()

"""Write the correction of the open clip for another program, or draw it as a report."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.document.document import Document
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Outcome
from desktop_app.work.slot import JobSlot
from engine.media.interchange.formats import EditFile, EditFormat
from engine.refusal import Refusal
from engine.sync.result import Measurement
from engine.words import Message
from engine.worker_messages import Draw, Request, WriteEdit


class HandingOn(QObject):
    """One file at a time.

    Attributes:
        written: the file that was written last, or ``None``.
        notes: what to know about it.
        refusal: why the last attempt brought nothing, or ``None``.
    """

    changed = Signal()
    """It began or ended."""
    failed = Signal(object, str)
    """A refusal that is nobody's fault but ours, and its details for the log."""

    def __init__(
        self, document: Document, engine: EngineProcess, spare: EngineProcess, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._slot = JobSlot(engine, self, spare=spare)
        self._slot.ended.connect(self._end)
        self.written: Path | None = None
        self.notes: tuple[Message, ...] = ()
        self.refusal: Refusal | None = None
        document.media_changed.connect(self._forget)

    @property
    def is_running(self) -> bool:
        """Whether a file is being written."""
        return self._slot.is_taken

    @property
    def can_draw(self) -> bool:
        """Whether there is a measurement to be drawn."""
        return self._document.measurement is not None and not self._document.is_partial

    def write(self, target: Path, form: EditFormat) -> None:
        """Write the correction; a target that exists is replaced."""
        document = self._document
        if document.path is not None and not self.is_running:
            self._ask(WriteEdit(document.path, target, document.correction, form, document.sound_path, overwrite=True))

    def draw(self, target: Path, after: Measurement | None) -> None:
        """Draw the measurement, and what the correction makes of it, as PDF or PNG by the target's name.

        Args:
            target: the picture; replaced if it exists.
            after: what was measured in the corrected copy, if there is one.
        """
        document = self._document
        if document.measurement is not None and self.can_draw and not self.is_running:
            self._ask(Draw(document.measurement, target, document.correction, after, document.sound_path))

    def _ask(self, request: Request) -> None:
        self.written, self.notes, self.refusal = None, (), None
        self._slot.submit(request)
        self.changed.emit()

    def _end(self, _request: Request, outcome: Outcome) -> None:
        match outcome.value:
            case EditFile() as done:
                self.written, self.notes = done.target, done.notes
            case Path() as picture:
                self.written = picture
        self.refusal = outcome.refusal
        self.changed.emit()
        if self.refusal is not None and outcome.details:
            self.failed.emit(self.refusal, outcome.details)

    def _forget(self) -> None:
        self._slot.drop()
        self.written, self.notes, self.refusal = None, (), None
        self.changed.emit()

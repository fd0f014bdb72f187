"""Let the doctor look at the sound of the open clip, and write a voice file from it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.document.document import Document
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Outcome
from desktop_app.work.slot import JobSlot
from engine.refusal import Refusal
from engine.sound.finding import Diagnosis
from engine.worker_messages import Doctor, Prepare, Relabel, Request


class Examining(QObject):
    """The doctor's work on the open clip.

    Attributes:
        done: share of the running job.
        diagnosis: what was found in this clip, or ``None``.
        refusal: why the last attempt brought nothing, or ``None``.
    """

    changed = Signal()
    """It began, went on, or ended."""
    patient_changed = Signal()
    """Another sound is heard, which nobody has looked at yet."""
    prepared = Signal(Path)
    """A voice file was written."""
    relabelled = Signal(Path)
    """The sound was written under another sample rate."""
    failed = Signal(object, str)
    """A refusal that is nobody's fault but ours, and its details for the log."""

    def __init__(
        self, document: Document, engine: EngineProcess, spare: EngineProcess, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._slot = JobSlot(engine, self, spare=spare)
        self._slot.progressed.connect(self._go_on)
        self._slot.ended.connect(self._end)
        self.done = 0.0
        self.diagnosis: Diagnosis | None = None
        self.refusal: Refusal | None = None
        document.media_changed.connect(self._forget)

    @property
    def is_running(self) -> bool:
        """Whether the doctor is at work."""
        return self._slot.is_taken

    @property
    def patient(self) -> Path | None:
        """The file whose sound is heard."""
        return self._document.sound_path or self._document.path

    def start(self) -> None:
        """Examine the sound that is heard."""
        if self.patient is not None and not self.is_running:
            self.diagnosis = None
            self._ask(Doctor(self.patient))

    def prepare(self) -> None:
        """Write the voice as speech models want it, beside the clip."""
        if self.patient is not None and not self.is_running:
            self._ask(Prepare(self.patient))

    def relabel(self, rate: int) -> None:
        """Write the sound beside the clip under its true sample rate."""
        if self.patient is not None and not self.is_running:
            self._ask(Relabel(self.patient, rate))

    def cancel(self) -> None:
        """Stop."""
        if self._slot.drop():
            self.changed.emit()

    def _ask(self, request: Request) -> None:
        self.done, self.refusal = 0.0, None
        self._slot.submit(request)
        self.changed.emit()

    def _go_on(self, _stage: str, done: float, _partial: object) -> None:
        self.done = done
        self.changed.emit()

    def _end(self, request: Request, outcome: Outcome) -> None:
        match outcome.value:
            case Diagnosis() as diagnosis:
                self.diagnosis = diagnosis
            case Path() as path if isinstance(request, Relabel):
                self.relabelled.emit(path)
            case Path() as path:
                self.prepared.emit(path)
        self.refusal = outcome.refusal
        self.changed.emit()
        if self.refusal is not None and outcome.details:
            self.failed.emit(self.refusal, outcome.details)

    def _forget(self) -> None:
        self.cancel()
        self.done, self.diagnosis, self.refusal = 0.0, None, None
        self.changed.emit()
        self.patient_changed.emit()

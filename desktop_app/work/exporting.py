"""Write a corrected copy of the open clip and measure it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.document.document import Document
from desktop_app.document.settings import Settings
from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import EngineJob, Outcome
from desktop_app.work.slot import JobSlot
from desktop_app.work.unfinished import Unfinished
from engine.media.export.containers import default_target
from engine.media.export.report import ExportReport, Mode
from engine.media.export.treatment import Treatment
from engine.refusal import Refusal
from engine.sync.result import Measurement
from engine.timing import Correction, DriftCorrection, StepCorrection
from engine.worker_messages import Export, Measure, Request

_ENCODING = {Correction: Mode.COMPATIBLE, DriftCorrection: Mode.STRETCH, StepCorrection: Mode.PIECEWISE}
"""The mode that encodes the sound again, for each shape of a correction."""


class Exporting(QObject):
    """One export at a time.

    Args:
        document: what is exported.
        engine: does the work.
        settings: whether the new file is measured.
        unfinished: removes what is left when the engine is killed.
        spare: does the work while the engine measures.

    Attributes:
        stage: what is being done, a name of the engine's; empty while nothing is.
        done: share of that step.
        report: what the last export did, or ``None``.
        after: what was measured in the file that it wrote, or ``None``.
        refusal: why the last attempt brought nothing, or ``None``.
    """

    changed = Signal()
    """It began, went on, or ended."""
    written = Signal(object)
    """A file is there; its path."""
    failed = Signal(object, str)
    """A refusal that is nobody's fault but ours, and its details for the log."""

    def __init__(
        self,
        document: Document,
        engine: EngineProcess,
        settings: Settings,
        unfinished: Unfinished,
        spare: EngineProcess,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._settings = settings
        self._unfinished = unfinished
        self._slot = JobSlot(engine, self, spare=spare)
        self._slot.progressed.connect(self._go_on)
        self._slot.ended.connect(self._end)
        self.stage, self.done = "", 0.0
        self.report: ExportReport | None = None
        self.after: Measurement | None = None
        self.refusal: Refusal | None = None
        document.media_changed.connect(self._media_changed)

    @property
    def is_running(self) -> bool:
        """Whether a file is being written or measured."""
        return self._slot.is_taken

    @property
    def is_writing(self) -> bool:
        """Whether a file is being written."""
        return isinstance(self._slot.request, Export)

    def start(self, target: Path, mode: Mode, *, overwrite: bool = False, treatment: Treatment | None = None) -> None:
        """Write the open clip with its correction.

        Args:
            target: the file to write.
            mode: how.
            overwrite: replace the target if it exists.
            treatment: what else is done to the sound, where it is encoded again.
        """
        if self._document.path is None or self.is_running:
            return
        self._forget()
        job = self._ask(
            Export(
                self._document.path,
                target,
                self._document.correction,
                mode,
                audio=self._document.sound_path,
                treatment=treatment,
                overwrite=overwrite,
            )
        )
        self._unfinished.watch(job, target)

    def write_treated(self, treatment: Treatment) -> None:
        """Write a copy beside the clip, corrected as it is now, with its sound encoded again and treated."""
        if self._document.path is not None:
            mode = _ENCODING[type(self._document.correction)]
            self.start(default_target(self._document.path, mode, "fixed"), mode, treatment=treatment)

    def cancel(self) -> None:
        """Stop; a file that is half written is removed, and so is a whole one that nobody heard of yet."""
        if self._slot.drop():
            self._rest()

    def _ask(self, request: Request) -> EngineJob:
        self.stage, self.done = "starting", 0.0
        job = self._slot.submit(request)
        self.changed.emit()
        return job

    def _go_on(self, stage: str, done: float, _partial: object) -> None:
        self.stage, self.done = stage, done
        self.changed.emit()

    def _end(self, _request: Request, outcome: Outcome) -> None:
        match outcome.value:
            case ExportReport() as report:
                self.report = report
                self.written.emit(report.target)
                if self._settings["measure_export"]:
                    self._ask(Measure(report.target, face=self._document.face))
                    return
            case Measurement() as after:
                self.after = after
        self.refusal = outcome.refusal
        self._rest()
        if self.refusal is not None and outcome.details:
            self.failed.emit(self.refusal, outcome.details)

    def _media_changed(self) -> None:
        self.cancel()
        self._forget()
        self.changed.emit()

    def _forget(self) -> None:
        self.stage, self.done = "", 0.0
        self.report = self.after = self.refusal = None

    def _rest(self) -> None:
        self.stage, self.done = "", 0.0
        self.changed.emit()

"""Room for one job of the engine at a time."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import EngineJob, Outcome
from engine.worker_messages import Measure, Request


class JobSlot(QObject):
    """Holds the newest job; of one that was dropped or replaced nothing is heard any more.

    Args:
        engine: does the work.
        spare: does what would have to wait until the engine has measured a clip, which can take minutes.
    """

    progressed = Signal(str, float, object)
    """Stage, share that is done, and a partial result or ``None``."""
    ended = Signal(object, object)
    """What was asked for, and its :class:`~desktop_app.work.jobs.Outcome`; the slot is free again."""

    def __init__(
        self, engine: EngineProcess, parent: QObject | None = None, *, spare: EngineProcess | None = None
    ) -> None:
        super().__init__(parent)
        self._engine = self._at = engine
        self._spare = spare
        self._job: EngineJob | None = None

    @property
    def is_taken(self) -> bool:
        """Whether an outcome is still to come."""
        return self._job is not None

    @property
    def request(self) -> Request | None:
        """What is being done."""
        return None if self._job is None else self._job.request

    def submit(self, request: Request) -> EngineJob:
        """Ask for something; a job that is still here is dropped."""
        self.drop()
        is_measuring = any(isinstance(job.request, Measure) for job in self._engine.jobs)
        self._at = self._spare if self._spare is not None and is_measuring else self._engine
        self._job = job = self._at.submit(request)
        job.progressed.connect(lambda *progress: self._progress(job, *progress))
        job.ended.connect(lambda outcome: self._end(job, outcome))
        return job

    def drop(self) -> bool:
        """Cancel the job.

        Returns:
            Whether there was one.
        """
        if self._job is None:
            return False
        job, self._job = self._job, None
        self._at.cancel(job)
        return True

    def _progress(self, job: EngineJob, stage: str, done: float, partial: object) -> None:
        if job is self._job:
            self.progressed.emit(stage, done, partial)

    def _end(self, job: EngineJob, outcome: Outcome) -> None:
        if job is self._job:
            self._job = None
            self.ended.emit(job.request, outcome)

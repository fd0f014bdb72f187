"""Files that are being written, remembered on disk: whatever is stopped in the middle, nothing of it stays."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from pathlib import Path

from PySide6.QtCore import QObject, QRunnable, QThreadPool

from desktop_app.work.jobs import Ending, EngineJob, Outcome
from engine.media.export.report import ExportReport
from engine.media.export.target_file import remove_leftovers
from engine.worker_messages import Export

_LOG = logging.getLogger(__name__)


class Unfinished(QObject):
    """Removes what a killed engine left beside the file that it wrote, at once or at the next start.

    Args:
        folder: keeps a small file for each target while it is written.
    """

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)

    def watch(self, job: EngineJob, target: Path) -> None:
        """Remember a target until its job has ended well, or nothing of it is left."""
        note = self._folder / f"{hashlib.sha256(str(target.absolute()).encode()).hexdigest()[:16]}.txt"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            note.write_text(str(target.absolute()), encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            _LOG.warning("target not remembered: %s", error)

        def look(outcome: Outcome) -> None:
            if outcome.ending in {Ending.DONE, Ending.REFUSED}:
                note.unlink(missing_ok=True)
            else:
                self._pool.start(_CleanUp(note))

        job.ended.connect(look)
        request = job.request
        if isinstance(request, Export) and not request.overwrite:
            job.came_late.connect(_take_back)

    def clean_up(self) -> None:
        """Remove what earlier sessions left, in the background."""
        with contextlib.suppress(OSError):
            for note in self._folder.glob("*.txt"):
                self._pool.start(_CleanUp(note))

    def wait(self) -> None:
        """Wait until nothing is being removed."""
        self._pool.waitForDone()


def _take_back(value: object) -> None:
    if isinstance(value, ExportReport):
        value.target.unlink(missing_ok=True)


class _CleanUp(QRunnable):
    def __init__(self, note: Path) -> None:
        super().__init__()
        self._note = note

    def run(self) -> None:
        try:
            target = Path(self._note.read_text(encoding="utf-8", errors="surrogateescape"))
            if remove_leftovers(target):
                self._note.unlink(missing_ok=True)
        except (OSError, ValueError) as error:
            _LOG.warning("not cleaned up: %s", error)

"""The model files of the neural engines: which are here, and getting those that are not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.work.engine_process import EngineProcess
from desktop_app.work.jobs import Ending, Outcome
from desktop_app.work.slot import JobSlot
from engine.models.catalog import Entry, serving
from engine.models.checking import Checked
from engine.models.finder import Found, Library
from engine.models.places import remember_folders
from engine.refusal import Refused
from engine.worker_messages import CheckModel, DownloadModel, FindModels, ImportModels, Request


class Shelf(QObject):
    """Does one thing at a time, in a process of its own: a download takes an hour, and nothing is to wait for it.

    Args:
        engine: does the work; it is ended when there is nothing to do.

    Attributes:
        library: what was found, ``None`` before the first look.
        checked: what files were found to be, by path.
        subject: what the running work is about: a catalog name or a path; empty while there is none.
        done: share of the running work.
    """

    changed = Signal()
    """Something began, went on or ended."""
    stocked = Signal()
    """There may be more files than before."""
    refused = Signal(object)
    """Something cannot be done; the refusal."""

    def __init__(self, engine: EngineProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._slot = JobSlot(engine, self)
        self._slot.progressed.connect(self._follow)
        self._slot.ended.connect(self._end)
        self.library: Library | None = None
        self._checked: dict[Path, Checked] = {}
        self.subject, self.done = "", 0.0

    @property
    def is_busy(self) -> bool:
        """Whether something is being done."""
        return self._slot.is_taken

    @property
    def request(self) -> Request | None:
        """What is being done."""
        return self._slot.request

    @property
    def checked(self) -> Mapping[Path, Checked]:
        """What files were found to be."""
        return self._checked

    def found(self, name: str) -> Found | None:
        """Return the file that is an entry of the catalog, the one that is surest first."""
        files = [] if self.library is None else [each for each in self.library.found if name in each.names]
        return min(files, key=lambda each: (len(each.names), not each.is_official_size), default=None)

    def serves(self, entry: Entry) -> bool:
        """Whether a file of the catalog is there, or one that can take its place."""
        return any(self.found(name) is not None for name in serving(entry))

    def look(self) -> None:
        """Look into all known folders, unless something is being done."""
        self._begin(FindModels(), "")

    def point_to(self, folder: Path) -> None:
        """Look into a folder from now on, too; nothing is copied."""
        try:
            remember_folders([folder])
        except Refused as refused:
            self.refused.emit(refused.refusal)
            return
        self.look()

    def check(self, name: str) -> None:
        """Read a file from beginning to end and compare it with the official one."""
        found = self.found(name)
        if found is not None:
            self._begin(CheckModel(found.path), name)

    def import_from(self, folder: Path) -> None:
        """Copy what is in a folder into the program's own."""
        self._begin(ImportModels(folder), str(folder))

    def download(self, name: str) -> None:
        """Fetch a file of the catalog; the user has asked for exactly this."""
        self._begin(DownloadModel(name), name)

    def cancel(self) -> None:
        """Stop; what has arrived of a download is kept for the next time."""
        if self._slot.drop():
            self._rest()

    def close(self) -> None:
        """Stop everything."""
        self.cancel()
        self._engine.stop()

    def _begin(self, request: Request, subject: str) -> None:
        if self._slot.is_taken:
            return
        self.subject, self.done = subject, 0.0
        self._slot.submit(request)
        self.changed.emit()

    def _follow(self, _stage: str, done: float, _partial: object) -> None:
        self.done = done
        self.changed.emit()

    def _end(self, request: Request, outcome: Outcome) -> None:
        match outcome.value:
            case Library() as library:
                self.library = library
            case Checked() as checked:
                self._checked[checked.path] = checked
        if outcome.refusal is not None:
            self.refused.emit(outcome.refusal)
        self._rest()
        if isinstance(request, ImportModels | DownloadModel) and outcome.ending is Ending.DONE:
            self.look()
        elif isinstance(request, FindModels) and outcome.ending is Ending.DONE:
            self.stocked.emit()

    def _rest(self) -> None:
        self.subject, self.done = "", 0.0
        self.changed.emit()

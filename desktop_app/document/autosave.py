"""Keep what was done: a moment after every change, and through a crash."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, QRunnable, QThreadPool, QTimer, Signal, SignalInstance

from desktop_app.document.document import Document
from desktop_app.document.project import SUFFIX, Project, read, save
from engine.refusal import Refusal, Refused

QUIET_SECONDS = 2.0
"""How long after the last change a project is saved."""
_MOST_QUIETS = 2
"""Work that never rests is saved after so many of these all the same: a crash takes four seconds of it at most."""
_LOG = logging.getLogger(__name__)


class Autosave(QObject):
    """Saves the document into its project file, or, while it has none, into a file of the session.

    What the passing of time brings is written in a thread of its own: with hours of measured mouth that takes a while.

    Args:
        document: what is saved.
        folder: where files of sessions are kept.
        quiet_seconds: see :data:`QUIET_SECONDS`.
    """

    failed = Signal(object)
    """It could not be saved; the refusal. Said once until it works again."""
    saved = Signal()
    _written = Signal(object, object)

    def __init__(
        self, document: Document, folder: Path, quiet_seconds: float = QUIET_SECONDS, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._folder = folder
        self._project_path: Path | None = None
        self._session = folder / f"session-{secrets.token_hex(4)}{SUFFIX}"
        self._lock: QLockFile | None = None
        self._failure: Refusal | None = None
        self._saved: Project | None = None
        self._digest: bytes | None = None
        self._writing: Project | None = None
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._written.connect(self._take)
        self._quiet, self._latest = QTimer(self), QTimer(self)
        for timer, quiets in ((self._quiet, 1), (self._latest, _MOST_QUIETS)):
            timer.setSingleShot(True)
            timer.setInterval(round(quiets * quiet_seconds * 1000))
            timer.timeout.connect(self._save_behind)
        for signal in (
            document.correction_changed,
            document.markers_changed,
            document.range_changed,
            document.anchors_changed,
            document.face_changed,
            document.measurement_changed,
        ):
            signal.connect(self._save_soon)
        document.media_changed.connect(self._forget)

    @property
    def project_path(self) -> Path | None:
        """The project file, ``None`` while there is none."""
        return self._project_path

    @property
    def is_changed_elsewhere(self) -> bool:
        """Whether the project file is not as it was read or written here: another window or computer has saved it."""
        path = self._project_path
        return path is not None and _is_another(path, self._digest)

    def save_as(self, path: Path) -> None:
        """Save into a project file, now and from now on, whatever is in it.

        Raises:
            Refused: as :func:`~desktop_app.document.project.save`.
        """
        self._rest()
        save(Project.of(self._document), path)
        self._project_path = path
        self._digest = _digest(path)
        self._failure = None
        self._remove_session()
        self.saved.emit()

    def belongs_to(self, path: Path | None, kept: Project | None = None) -> None:
        """Say that the document was just read from a project file, and is saved there.

        Args:
            path: the project file, ``None`` if there is none.
            kept: what is in it; a document that is the same is not written again.
        """
        self._rest()
        self._project_path = path
        self._digest = None if path is None else _digest(path)
        self._saved = kept

    def save_now(self) -> None:
        """Save if there is something to save; returns when that is done."""
        self._rest()
        project = self._unsaved()
        if project is not None:
            self._conclude(project, _save(project, self._place(), self._digest))

    def save_project(self) -> Refusal | None:
        """Save the project file, if there is one and it lacks something; return why that failed, if it did."""
        if self._project_path is None:
            return None
        self.save_now()
        return self._failure

    def leave(self) -> None:
        """Save, and remove what only a crash would need."""
        if self._project_path is not None:
            self.save_now()
        self._rest()
        self._remove_session()

    def _save_soon(self) -> None:
        self._quiet.start()
        if not self._latest.isActive():
            self._latest.start()

    def _save_behind(self) -> None:
        """Save if there is something to save, without keeping anybody waiting."""
        if self._writing is not None:
            self._save_soon()
            return
        self._quiet.stop()
        self._latest.stop()
        project = self._unsaved()
        if project is not None:
            self._writing = project
            self._pool.start(_Write(project, self._place(), self._digest, self._written))

    def _unsaved(self) -> Project | None:
        """Return what is to be kept, ``None`` if that is nothing or has been kept."""
        if self._document.path is None:
            return None
        project = Project.of(self._document)
        return None if self._saved is not None and project.is_same(self._saved) else project

    def _place(self) -> Path:
        if self._project_path is None:
            self._take_lock()
        return self._project_path or self._session

    def _take(self, project: Project, outcome: Refusal | bytes) -> None:
        if project is self._writing:
            self._writing = None
            self._conclude(project, outcome)

    def _conclude(self, project: Project, outcome: Refusal | bytes) -> None:
        was_failing = self._failure is not None
        self._failure = outcome if isinstance(outcome, Refusal) else None
        if isinstance(outcome, bytes):
            self._saved = project
            if self._project_path is not None:
                self._digest = outcome
            self.saved.emit()
        elif not was_failing:
            self.failed.emit(outcome)

    def _rest(self) -> None:
        """Begin nothing new, and wait for what is being written; its news are of no interest any more."""
        self._quiet.stop()
        self._latest.stop()
        self._pool.waitForDone()
        self._writing = None

    def _forget(self) -> None:
        """Another clip: what was saved belongs to the one before."""
        self._rest()
        self._project_path = None
        self._saved = self._digest = None
        self._remove_session()

    def _take_lock(self) -> None:
        if self._lock is None:
            with contextlib.suppress(OSError):  # saving will say why
                self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = QLockFile(str(_lock_of(self._session)))
            self._lock.setStaleLockTime(0)
            self._lock.tryLock(0)

    def _remove_session(self) -> None:
        for path in (self._session, self._session.with_name(f"{self._session.name}.bak")):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                _LOG.warning("session not removed: %s", error)
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None


class _Write(QRunnable):
    def __init__(self, project: Project, path: Path, known: bytes | None, written: SignalInstance) -> None:
        super().__init__()
        self._project = project
        self._path = path
        self._known = known
        self._written = written

    def run(self) -> None:
        self._written.emit(self._project, _save(self._project, self._path, self._known))


def _save(project: Project, path: Path, known: bytes | None) -> Refusal | bytes:
    """Save, but not over what somebody else saved there.

    Args:
        project: what is saved.
        path: where.
        known: digest of what is there as far as is known; ``None`` for a file that only this program writes.

    Returns:
        Why not, or the digest of what is there now.
    """
    try:
        if _is_another(path, known):
            raise Refused.because("window.project_changed_elsewhere", path=path)
        save(project, path)
    except Refused as refused:
        return refused.refusal
    return _digest(path) or b""


def _is_another(path: Path, known: bytes | None) -> bool:
    """Return whether a file is there and is not the one that is known."""
    return known is not None and _digest(path) not in {None, known}


def _digest(path: Path) -> bytes | None:
    """Return what tells files of different content apart, ``None`` if there is none to be read."""
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a session that crashed left behind.

    Attributes:
        path: its file.
        project: what is in it.
    """

    path: Path
    project: Project

    def discard(self) -> None:
        """Remove it."""
        for path in (self.path, self.path.with_name(f"{self.path.name}.bak"), _lock_of(self.path)):
            path.unlink(missing_ok=True)


def leftovers(folder: Path) -> list[Leftover]:
    """Return what crashed sessions left in a folder, the newest first; sessions that still run are left alone."""
    found: list[tuple[float, Leftover]] = []
    for path in folder.glob(f"session-*{SUFFIX}"):
        lock = QLockFile(str(_lock_of(path)))
        lock.setStaleLockTime(0)
        if not lock.tryLock(0):
            continue
        try:
            found.append((path.stat().st_mtime, Leftover(path, read(path))))
        except (Refused, OSError) as error:
            _LOG.warning("leftover not readable: %s", error)
        finally:
            lock.unlock()
    return [leftover for _, leftover in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")

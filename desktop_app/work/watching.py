"""Notice when the open clip changes on the disk, or goes away."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from desktop_app.document.document import Document
from engine.media.export.target_file import Fingerprint
from engine.refusal import Refusal

QUIET_SECONDS = 0.5
"""How long a file must have been left alone: whoever replaces it takes it away first."""
_LOG = logging.getLogger(__name__)


class Watching(QObject):
    """Compares the files of the open document with what they were when it was opened.

    Args:
        document: whose files are watched.
        quiet_seconds: see :data:`QUIET_SECONDS`.
    """

    strayed = Signal(object)
    """A file is another one now, or gone; the refusal that says which. Said once for each change."""

    def __init__(self, document: Document, quiet_seconds: float = QUIET_SECONDS, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._opened: dict[Path, Fingerprint | None] = {}
        self._known: dict[Path, Fingerprint | None] = {}
        self._watcher = QFileSystemWatcher(self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(round(1000 * quiet_seconds))
        self._soon.timeout.connect(self.look)
        self._watcher.fileChanged.connect(self._soon.start)
        document.media_changed.connect(self._begin)

    def look(self) -> None:
        """Compare now; disks elsewhere tell nobody of changes, so the window asks when it is used again."""
        for path, known in list(self._known.items()):
            now = _fingerprint(path)
            if now != known:
                self._known[path] = now
                if now != self._opened[path]:
                    code = "window.clip_gone" if now is None else "window.clip_changed"
                    self.strayed.emit(Refusal.of(code, path=path))
        self._watch()
        if None in self._known.values():
            self._soon.start()  # nobody tells when it comes back

    def _begin(self) -> None:
        self._soon.stop()
        if watched := self._watcher.files():
            self._watcher.removePaths(watched)
        paths = (self._document.path, self._document.sound_path)
        self._opened = {path: _fingerprint(path) for path in paths if path is not None}
        self._known = dict(self._opened)
        self._watch()

    def _watch(self) -> None:
        """Watch again what was replaced: a watcher follows the file, not its name."""
        watched = set(self._watcher.files())
        for path, known in self._known.items():
            if known is not None and str(path) not in watched and not self._watcher.addPath(str(path)):
                _LOG.info("not watched: %s", path)


def _fingerprint(path: Path) -> Fingerprint | None:
    try:
        return Fingerprint.of(path)
    except OSError:
        return None

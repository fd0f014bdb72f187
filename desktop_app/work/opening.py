"""Look into files without keeping the window waiting; the newest request wins."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, SignalInstance

from engine.media.probe import MediaInfo, probe
from engine.refusal import Refusal, Refused


class Opener(QObject):
    """Looks into a clip, and into the file whose sound replaces the clip's."""

    opened = Signal(object, object)
    """What the clip holds, and what the second file holds or ``None``."""
    refused = Signal(object)
    """Why it cannot be opened."""
    _answered = Signal(int, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._newest = 0
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(2)
        self._answered.connect(self._take)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._pool.activeThreadCount() > 0

    def open(self, path: Path, sound_path: Path | None = None) -> None:
        """Look into files; one of the signals follows unless a newer request comes before."""
        self._newest += 1
        self._pool.start(_Look(self._newest, path, sound_path, self._answered))

    def wait(self) -> None:
        """Wait until nothing is being looked into."""
        self._newest += 1
        self._pool.waitForDone()

    def _take(self, number: int, answer: object, sound: object) -> None:
        if number != self._newest:
            return
        if isinstance(answer, Refusal):
            self.refused.emit(answer)
        else:
            self.opened.emit(answer, sound)


class _Look(QRunnable):
    def __init__(self, number: int, path: Path, sound_path: Path | None, answered: SignalInstance) -> None:
        super().__init__()
        self._number = number
        self._path = path
        self._sound_path = sound_path
        self._answered = answered

    def run(self) -> None:
        answer: MediaInfo | Refusal
        sound: MediaInfo | None = None
        try:
            answer = probe(self._path)
            if answer.is_picture:
                raise Refused.because("window.still_picture", path=self._path)
            if answer.video is None:
                raise Refused.because("window.sound_only", path=self._path)
            if self._sound_path is not None:
                sound = probe(self._sound_path)
                if sound.audio is None:
                    raise Refused.because("window.no_sound", path=self._sound_path)
        except Refused as refused:
            answer = refused.refusal
        self._answered.emit(self._number, answer, sound)

"""The other picture of a comparison: what was on screen at the present sound before the correction."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from desktop_app.document.document import Document
from desktop_app.player.clock import Moment
from desktop_app.player.film import Film
from desktop_app.player.scrubber import Scrubber


class Compared(QObject):
    """Decodes the pictures of the sound's own times; follows a player.

    Attributes:
        shown: signal ``(image, seconds)``: a picture and its presentation time.

    Args:
        document: what is open.
    """

    shown = Signal(QImage, float)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._film = Film()
        self._scrubber = Scrubber(self)
        self._scrubber.shown.connect(self.shown)
        self._height: int | None = None
        self._lap: int | None = None
        self._frame_at: float | None = None
        document.media_changed.connect(self._open)
        self._open()

    def set_max_height(self, height: int | None) -> None:
        """Decode pictures at most this high."""
        self._height = height
        self._scrubber.set_max_height(height)

    def stay(self, heard: float) -> None:
        """Show the picture of a moment of the sound."""
        self._scrubber.show(heard)

    def play(self, heard: Moment, early: float) -> None:
        """Show the picture that is due while playing; in each lap of a loop the pictures begin anew."""
        path = self._path()
        if path is None:
            return
        now = Moment(0, heard.seconds)
        if heard.lap != self._lap or not self._film.covers(now):
            self._lap = heard.lap
            self._film.start(path, heard.seconds, None, self._height)
            return
        picture = self._film.picture(now, early)
        if picture is not None and picture.moment.seconds != self._frame_at:
            self._frame_at = picture.moment.seconds
            self.shown.emit(picture.image, picture.moment.seconds)

    def stop(self) -> None:
        """Decode nothing ahead."""
        self._film.stop()
        self._lap = None

    def close(self) -> None:
        """End all threads."""
        self._film.close()
        self._scrubber.close()

    def _open(self) -> None:
        self.stop()
        self._scrubber.open(self._path())

    def _path(self) -> Path | None:
        info = self._document.info
        return info.path if info is not None and info.video is not None else None

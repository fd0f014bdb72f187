"""Keeps the timeline filled with what is on screen and missing."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from desktop_app.document.document import Document
from desktop_app.document.moving import Joined, arrangement
from desktop_app.timeline.file_sound import Detail, FileSound
from desktop_app.timeline.readers import DetailReader, JoinReader, PeakReader, PictureReader, SpectrumReader
from desktop_app.timeline.spectra import Image, Tile
from desktop_app.timeline.view import TimelineView
from engine.media.peaks import BIN_SAMPLES, PeakBlock, Peaks
from engine.refusal import Refusal
from engine.timing import StepCorrection

_LONGEST_DETAIL = 30.0
"""Seconds of samples fetched at most; a 4K screen shows up to 20 s sample by sample at 48 kHz."""
_SETTLING_MILLISECONDS = 250
"""How long steps have to stay as they are until quiet places are looked for: not at each move of the mouse."""


_SETTLING_MILLISECONDS = 250
"""How long steps have to stay as they are until quiet places are looked for: not at each move of the mouse."""


class Feeder(QObject):
    """Keeps a timeline filled with what the document's files hold.

    Attributes:
        refused: signal ``(Refusal)``: the sound cannot be read.

    Args:
        document: what is open.
        view: where it is shown.
    """

    refused = Signal(Refusal)

    def __init__(self, document: Document, view: TimelineView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._view = view
        self._sound: FileSound | None = None
        self._coming = (0.0, 0.0)
        self._coming_tiles: list[Tile] = []
        self._awaits_sound = False
        self._peaks, self._details, self._pictures = PeakReader(self), DetailReader(self), PictureReader(self)
        self._spectra = SpectrumReader(self)
        self._spectra.made.connect(self._take_tile)
        self._joins = JoinReader(self)
        self._joins.found.connect(self._take_joined)
        self._steps: StepCorrection | None = None
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLING_MILLISECONDS)
        self._settling.timeout.connect(self._look_for_joins)
        self._peaks.grown.connect(self._grow)
        self._peaks.finished.connect(self._finish)
        self._peaks.refused.connect(self._refuse_sound)
        self._details.read_done.connect(self._take_detail)
        self._pictures.made.connect(self._take_picture)
        view.span_changed.connect(self._look)
        view.thumbnails_wanted.connect(self._want_pictures)
        document.media_changed.connect(self._open)
        document.correction_changed.connect(self._correct)
        self._open()

    def close(self) -> None:
        """End all threads; what the document tells is heard no longer."""
        self._document.media_changed.disconnect(self._open)
        self._document.correction_changed.disconnect(self._correct)
        self._settling.stop()
        for errand in (self._peaks, self._details, self._pictures, self._spectra, self._joins):
            errand.close()

    def _open(self) -> None:
        self._details.cancel()
        self._pictures.cancel()
        self._spectra.cancel()
        self._coming, self._coming_tiles = (0.0, 0.0), []
        info = self._document.sound_info
        if info is None or info.audio is None:
            self._peaks.cancel()
            self._sound = None
        else:
            self._sound = FileSound(float(info.duration or 0))
            self._peaks.read(info)
        # Small pictures come after the first of the sound: their decoder would take its core.
        self._awaits_sound = self._sound is not None
        self._joins.cancel()
        self._steps = None
        self._view.set_joined(None)
        self._settling.start()
        self._view.set_sound(self._sound)
        self._view.ask_pictures()

    def _sound_file(self) -> Path | None:
        info = self._document.sound_info
        return info.path if info is not None and info.audio is not None else None

    def _refuse_sound(self, refusal: Refusal) -> None:
        self._go_on_with_pictures()
        self.refused.emit(refusal)

    def _go_on_with_pictures(self) -> None:
        if self._awaits_sound:
            self._awaits_sound = False
            self._view.ask_pictures()

    def _grow(self, number: int, block: PeakBlock) -> None:
        if self._sound is not None and self._peaks.is_current(number):
            self._sound.add(block)
            self._view.refresh_sound()
            self._look_again()
            self._go_on_with_pictures()

    def _finish(self, number: int, peaks: Peaks) -> None:
        if self._sound is not None and self._peaks.is_current(number):
            self._sound.finish(peaks)
            self._view.fit_amplitude(self._sound.peak)
            self._view.refresh_sound()
            self._look_again()
            self._go_on_with_pictures()

    def _correct(self) -> None:
        if arrangement(self._document.correction) != self._steps:
            self._settling.start()
        self._look_again()

    def _look_for_joins(self) -> None:
        file, steps = self._sound_file(), arrangement(self._document.correction)
        if file is None or steps == self._steps:
            return
        self._steps = steps
        if steps is None:
            self._joins.cancel()
        else:
            self._joins.read(file, steps)

    def _take_joined(self, number: int, joined: Joined) -> None:
        if self._joins.is_current(number):
            self._view.set_joined(joined)
            self._look_again()

    def _look_again(self) -> None:
        self._look(*self._view.span)

    def _look(self, start: float, stop: float) -> None:
        """Fetch samples where the view is so close that extremes are too coarse."""
        file, sound = self._sound_file(), self._sound
        if file is None or sound is None or sound.stop <= sound.start:
            return
        self._want_tiles(file)
        if (stop - start) * sound.sample_rate / self._view.pixels >= BIN_SAMPLES:
            return
        start, stop = self._view.sound_time(start), self._view.sound_time(stop)
        coming_start, coming_stop = self._coming
        if not sound.lacks_detail(start, stop) or (coming_start <= start and stop <= coming_stop):
            return
        # One screen more on either side, so that panning does not wait.
        more = max(0.0, min(stop - start, (_LONGEST_DETAIL - (stop - start)) / 2))
        self._coming = (start - more, stop + more)
        self._details.read(file, *self._coming)

    def _take_detail(self, number: int, detail: Detail) -> None:
        if self._sound is not None and self._details.is_current(number):
            self._coming = (0.0, 0.0)
            self._sound.set_detail(detail)
            self._view.refresh_sound()

    def _want_tiles(self, file: Path) -> None:
        wanted = self._view.wanted_tiles
        if wanted and not set(wanted) <= set(self._coming_tiles):
            self._coming_tiles = wanted
            self._spectra.read(file, list(wanted))

    def _take_tile(self, number: int, tile: Tile, shades: Image, is_whole: bool) -> None:
        if self._spectra.is_current(number):
            if is_whole:
                self._coming_tiles.remove(tile)
            self._view.add_tile(tile, shades, is_whole=is_whole)

    def _want_pictures(self, times: list[float]) -> None:
        info = self._document.info
        if info is None or info.video is None or not times or self._awaits_sound:
            self._pictures.cancel()
        else:
            self._pictures.read(info.path, times)

    def _take_picture(self, number: int, seconds: float, image: QImage, is_exact: bool) -> None:
        if self._pictures.is_current(number):
            self._view.add_thumbnail(seconds, image, is_exact=is_exact)

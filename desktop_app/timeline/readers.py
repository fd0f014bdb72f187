"""Reads what the timeline shows from files, in threads: extremes, samples, spectra, small pictures, joins."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal
from PySide6.QtGui import QImage

from desktop_app.document.moving import Joined
from desktop_app.images import to_image
from desktop_app.timeline.file_sound import Detail
from desktop_app.timeline.spectra import COLUMNS, ROWS, Tile, make_tile
from desktop_app.work.errand import Errand
from engine.media.export.joining import find_cuts
from engine.media.peaks import PeakBlock, Peaks, build_peaks
from engine.media.probe import MediaInfo
from engine.media.samples import read_samples
from engine.media.thumbnails import Thumbnail, ThumbnailRequests, make_thumbnails
from engine.timing import StepCorrection

THUMBNAIL_HEIGHT = 144
"""Pixels: a lane is 72 high, twice that on a fine screen."""
_LONGEST_DETAIL = 30.0
"""Seconds of samples fetched at most; a 4K screen shows up to 20 s sample by sample at 48 kHz."""
_SETTLING_MILLISECONDS = 250
"""How long steps have to stay as they are until quiet places are looked for: not at each move of the mouse."""


class PeakReader(Errand):
    """Reads a whole file's extremes.

    Attributes:
        grown: signal ``(number of the task, PeakBlock)``.
        finished: signal ``(number of the task, Peaks)``.
    """

    grown = Signal(int, PeakBlock)
    finished = Signal(int, Peaks)

    def read(self, info: MediaInfo) -> None:
        """Read a file from the beginning."""

        def task(number: int) -> None:
            job = build_peaks(info.path, info=info)
            with closing(job):
                while self.is_current(number):
                    try:
                        progress = next(job)
                    except StopIteration as end:
                        self.finished.emit(number, end.value)
                        return
                    self.grown.emit(number, progress.partial)

        self._ask(task)


class DetailReader(Errand):
    """Reads the samples of a stretch.

    Attributes:
        read_done: signal ``(number of the task, Detail)``.
    """

    read_done = Signal(int, Detail)

    def read(self, file: Path, start: float, stop: float) -> None:
        """Read the samples between two times of the file."""

        def task(number: int) -> None:
            blocks: list[npt.NDArray[np.float32]] = []
            first = start
            sound = read_samples(file, sample_rate=None, channels=None, start=start, stop=stop)
            with closing(sound):
                for block in sound:
                    if not self.is_current(number):
                        return
                    if not blocks:
                        first = float(block.start)
                    blocks.append(block.data.reshape(len(block.data), -1))
            if blocks:
                data = np.concatenate(blocks)
                self.read_done.emit(number, Detail(first, data.min(axis=1), data.max(axis=1), data.mean(axis=1)))

        self._ask(task)


class PictureReader(Errand):
    """Makes small pictures.

    Attributes:
        made: signal ``(number of the task, asked time in seconds, image, whether it is the true picture)``: the key
            frames before the times come first, the true pictures after them.
    """

    made = Signal(int, float, QImage, bool)

    def read(self, file: Path, times: list[float]) -> None:
        """Make the pictures of some times, the first ones first."""

        def task(number: int) -> None:
            job = make_thumbnails(file, ThumbnailRequests(times), height=THUMBNAIL_HEIGHT)
            with closing(job):
                for progress in job:
                    if not self.is_current(number):
                        return
                    thumbnail = progress.partial
                    if isinstance(thumbnail, Thumbnail):
                        image = to_image(thumbnail.image)
                        self.made.emit(number, float(thumbnail.asked), image, thumbnail.is_exact)

        self._ask(task)


class SpectrumReader(Errand):
    """Makes tiles of the spectrogram.

    Attributes:
        made: signal ``(number of the task, Tile, shades, whether it is whole)``.
    """

    made = Signal(int, object, object, bool)

    def read(self, file: Path, tiles: list[Tile]) -> None:
        """Make some tiles, the first ones first."""

        def task(number: int) -> None:
            for tile in tiles:
                shades = None
                job = make_tile(file, tile)
                with closing(job):
                    for shades in job:
                        if not self.is_current(number):
                            return
                        self.made.emit(number, tile, shades, False)
                # Where there is no sound there is nothing more to come either.
                whole = np.zeros((ROWS, COLUMNS), np.uint8) if shades is None else shades
                self.made.emit(number, tile, whole, True)

        self._ask(task)


class JoinReader(Errand):
    """Looks for the places at which the export joins sound that is moved in steps.

    Attributes:
        found: signal ``(number of the task, Joined)``.
    """

    found = Signal(int, Joined)

    def read(self, file: Path, steps: StepCorrection) -> None:
        """Look at the sound around some steps."""

        def task(number: int) -> None:
            cuts = find_cuts(file, steps)
            if cuts is not None:
                self.found.emit(number, Joined(steps, cuts))

        self._ask(task)

"""Look at the face and listen to the voice of a render that is being chosen, in threads."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage

from desktop_app.images import to_image
from desktop_app.work.errand import Errand
from engine.media.frames import FrameReader
from engine.media.peaks import PeakBlock, Peaks, build_peaks
from engine.media.probe import MediaInfo, probe
from engine.refusal import Refused

PICTURE_HEIGHT = 720
"""Enough for the stage on a fine screen."""


class FaceReader(Errand):
    """Fetches the first picture of a file.

    Attributes:
        seen: signal ``(MediaInfo, QImage)``.
    """

    seen = Signal(MediaInfo, QImage)

    def read(self, file: Path) -> None:
        """Look at a file; :attr:`seen` or :attr:`refused` follows unless another one is asked for before."""

        def task(number: int) -> None:
            info = probe(file)
            if info.video is None:
                raise Refused.because("media.no_picture", path=file)
            with FrameReader(file, max_height=PICTURE_HEIGHT) as reader:
                image = to_image(reader.frame_at(info.video.start).image)
            if self.is_current(number):
                self.seen.emit(info, image)

        self._ask(task)


class VoiceReader(Errand):
    """Finds out how long a sound is, then how loud at each moment.

    Attributes:
        heard: signal ``(MediaInfo)``.
        grown: signal ``(PeakBlock)``.
        finished: signal ``(Peaks)``.
    """

    heard = Signal(MediaInfo)
    grown = Signal(PeakBlock)
    finished = Signal(Peaks)

    def read(self, file: Path) -> None:
        """Listen to a file from the beginning."""

        def task(number: int) -> None:
            info = probe(file)
            if info.audio is None:
                raise Refused.because("window.no_sound", path=file)
            if self.is_current(number):
                self.heard.emit(info)
            with closing(build_peaks(file)) as job:
                while self.is_current(number):
                    try:
                        progress = next(job)
                    except StopIteration as end:
                        self.finished.emit(end.value)
                        return
                    if progress.partial is not None:
                        self.grown.emit(progress.partial)

        self._ask(task)

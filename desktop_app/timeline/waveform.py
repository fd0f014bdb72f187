"""The sound as it looks at any zoom: from hours in a row of bars down to single samples on stems."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QTransform

from desktop_app.document.moving import Stretch
from desktop_app.timeline.bursts import paint_bursts
from desktop_app.timeline.plane import Plane, PlaneItem, bars, crisp, polyline, whole_pixels
from desktop_app.timeline.spectrogram import Spectrogram

STEM_PIXELS = 4.0
"""From this distance between samples on, each gets a dot and a stem (the limit Audacity uses)."""

_LINE_SAMPLES = 1.0
"""Below this many samples per pixel the bars would have gaps, so the samples are joined by a line."""


class Sound(Protocol):
    """Peaks and samples of one channel on the clock of the pictures."""

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        ...

    @property
    def start(self) -> float:
        """When the first sample sounds, seconds."""
        ...

    @property
    def stop(self) -> float:
        """Up to where there is something to show, seconds; grows while a file is being read."""
        ...

    def window(
        self, start: float, stop: float, columns: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the least and the greatest sample of each of ``columns`` equal stretches; NaN where unknown."""
        ...

    def samples(self, start: float, stop: float) -> tuple[float, npt.NDArray[np.float32]] | None:
        """Return the time of the first sample at or after ``start`` and the samples up to ``stop``.

        ``None`` while they are being fetched; whoever shows them asks again after :class:`Sound` said so.
        """
        ...


class Waveform(PlaneItem):
    """One stretch of the sound, and the bursts heard in it.

    It is drawn on the clock of the file; moving it changes its place in the lane, not what is drawn.

    Attributes:
        stretch: which one it is.
        drawn: how the last painting was done: ``bars``, ``line``, ``stems`` or ``spectrogram``.
    """

    def __init__(self) -> None:
        super().__init__(-1.0, 1.0)
        self._sound: Sound | None = None
        self.stretch = Stretch(-math.inf, math.inf, 0.0)
        self._bursts: npt.NDArray[np.float64] = np.zeros(0)
        self._reach = 1.0
        self._spectrogram: Spectrogram | None = None
        self.drawn = ""

    def set_sound(self, sound: Sound | None) -> None:
        """Show a sound, or nothing."""
        self._sound = sound
        self.refresh()

    def place(self, stretch: Stretch) -> None:
        """Show one stretch of the file, where a correction puts it; no sound is read for that."""
        before, self.stretch = self.stretch, stretch
        if (before.start, before.stop) != (stretch.start, stretch.stop):
            self.refresh()
        self.setTransform(QTransform.fromScale(stretch.scale, 1.0))
        self.setPos(stretch.shift, 0.0)

    def set_reach(self, reach: float) -> None:
        """Say that the lane shows values from minus to plus this."""
        self._reach = reach
        self.update()

    def set_spectrogram(self, spectrogram: Spectrogram | None) -> None:
        """Show the spectrum instead of the amplitude, or not."""
        self._spectrogram = spectrogram
        self.update()

    def set_bursts(self, seconds: npt.NDArray[np.float64]) -> None:
        """Mark the bursts heard, ascending times of the file, shape ``(n,)``."""
        self._bursts = seconds
        self.update()

    def refresh(self) -> None:
        """Paint again, because more of the sound is known."""
        if self._sound is not None:
            start, stop = max(self._sound.start, self.stretch.start), min(self._sound.stop, self.stretch.stop)
            self.set_times(start, max(stop, start))
        self.update()

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint the exposed stretch."""
        sound = self._sound
        if sound is None:
            return
        start = max(plane.start, sound.start, self.stretch.start)
        stop = min(plane.stop, sound.stop, self.stretch.stop)
        if stop <= start:
            return
        if self._spectrogram is not None:
            self._spectrogram.paint(painter, plane, start, stop, plane.y(self._reach), plane.y(-self._reach))
            self.drawn = "spectrogram"
            self._paint_bursts(painter, plane)
            return
        per_pixel = sound.sample_rate / plane.scale_x
        middle = crisp(plane.y(0))
        painter.fillRect(QRectF(plane.x(start), middle - 0.5, (stop - start) * plane.scale_x, 1), self._colour(0.55))
        if per_pixel >= _LINE_SAMPLES or not self._paint_samples(painter, plane, sound, start, stop):
            self._paint_bars(painter, plane, sound, start, stop)
        self._paint_bursts(painter, plane)

    def _paint_bars(self, painter: QPainter, plane: Plane, sound: Sound, start: float, stop: float) -> None:
        # Columns lie on a grid fixed to the file, so that bars keep their height while the view is panned.
        width = 1 / (plane.scale_x * plane.ratio)
        first = math.floor(start / width)
        columns = max(1, math.ceil(stop / width) - first)
        low, high = sound.window(first * width, (first + columns) * width, columns)
        x = whole_pixels(plane, first * width, np.arange(columns))
        top, bottom = plane.shift_y + plane.scale_y * high, plane.shift_y + plane.scale_y * low
        # A column that begins before the stretch does may fall on the pixel beside it, which is not this item's.
        half = 0.5 / plane.ratio
        known = np.isfinite(top) & (x + half > plane.x(start)) & (x - half < plane.x(stop))
        # A bar is at least one pixel high, else quiet stretches vanish.
        lacking = np.maximum(0, 1 / plane.ratio - (bottom - top)) / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        painter.setPen(QPen(self._colour(), 0))
        painter.drawPath(bars(x[known], (top - lacking)[known], (bottom + lacking)[known]))
        self.drawn = "bars"

    def _paint_samples(self, painter: QPainter, plane: Plane, sound: Sound, start: float, stop: float) -> bool:
        beside = 2 / sound.sample_rate
        found = sound.samples(start - beside, stop + beside)
        if found is None or len(found[1]) == 0:
            return False
        first, values = found
        times = first + np.arange(len(values)) / sound.sample_rate
        x = plane.shift_x + plane.scale_x * times
        y = plane.shift_y + plane.scale_y * values.astype(np.float64)
        distance = plane.scale_x / sound.sample_rate
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if distance >= STEM_PIXELS:
            painter.setPen(QPen(self._colour(0.5), 1))
            painter.drawPath(bars(x, y, np.full(len(y), plane.y(0))))
            dots = QPen(self._colour(), min(6.0, 1 + distance / 3))
            dots.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(dots)
            painter.drawPoints([QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)])
            self.drawn = "stems"
        else:
            painter.setPen(QPen(self._colour(), 1.25))
            painter.drawPath(polyline(x, y))
            self.drawn = "line"
        return True

    def _paint_bursts(self, painter: QPainter, plane: Plane) -> None:
        low, high = np.searchsorted(self._bursts, (self.stretch.start, self.stretch.stop))
        heard = self._bursts[low:high]
        paint_bursts(painter, plane, heard, self.theme.colour("plosive"), reach=self._reach, downwards=False)

    def _colour(self, alpha: float = 1.0) -> QColor:
        return self.theme.colour("sound", alpha)

"""The mouth-opening lane: how far the lips are apart, and where closures burst."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from desktop_app.timeline.bursts import paint_bursts
from desktop_app.timeline.plane import Floats, Plane, PlaneItem, bars, polyline, whole_pixels

_DOT_PIXELS = 12.0
"""From this distance between frames on, each gets a dot."""
_LINE_PIXELS = 3.0
"""Closer frames are drawn as columns: smooth lines with many corners take tens of milliseconds."""

_GROUP = 16
"""Frames whose extremes are kept together: hours of frames are too many to look through for every repaint."""
_FEW_FRAMES = 100
_CLOSED = -0.9
"""Where closed lips lie in the lane."""


class MouthOpening(PlaneItem):
    """The trace of the inner lips' distance; its lane reaches from -1 to 1, closed lips lie at the lower edge."""

    def __init__(self) -> None:
        super().__init__(-1.0, 1.0)
        self._times: Floats = np.zeros(0)
        self._values: Floats = np.zeros(0)
        self._groups: tuple[Floats, Floats, Floats] = (np.zeros(0), np.zeros(0), np.zeros(0))
        self._bursts: Floats = np.zeros(0)

    def set_trace(self, times: Floats, opening: npt.NDArray[np.float32]) -> None:
        """Show a trace.

        Args:
            times: seconds, ascending, shape ``(n,)``.
            opening: shape ``(n,)``, NaN where no face was seen. The scale is chosen so that the widest hundredth
                touches the top.
        """
        self._times = np.asarray(times, np.float64)
        seen = opening[np.isfinite(opening)]
        widest = float(np.quantile(seen, 0.99)) if len(seen) else 1.0
        self._values = np.clip(opening.astype(np.float64) / max(widest, 1e-3), 0, 1.05) * (0.8 - _CLOSED) + _CLOSED
        # Frames far apart belong to different stretches: between them nothing was looked at.
        apart = np.flatnonzero(np.diff(self._times) > _longest_gap(self._times)) + 1
        self._times = np.insert(self._times, apart, self._times[apart] if len(apart) else 0.0)
        self._values = np.insert(self._values, apart, np.nan)
        starts = np.arange(0, len(self._times), _GROUP)
        if len(starts):
            high, low = np.fmax.reduceat(self._values, starts), np.fmin.reduceat(self._values, starts)
            self._groups = self._times[starts], high, low
            self.set_times(float(self._times[0]), float(self._times[-1]))
        self.update()

    def set_bursts(self, seconds: Floats) -> None:
        """Mark where closures burst, ascending times, shape ``(n,)``."""
        self._bursts = seconds
        self.update()

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint the exposed stretch."""
        first, last = self._between(plane.start, plane.stop)
        seen = slice(*self._between(*plane.screen_times))
        count, width = seen.stop - seen.start, plane.screen_width
        if count > 2 * _GROUP * width * plane.ratio:
            some = slice(first // _GROUP, math.ceil(last / _GROUP))
            self._paint_columns(painter, plane, *(each[some] for each in self._groups))
        elif count * _LINE_PIXELS > width + 2 * _LINE_PIXELS:
            values = self._values[first:last]
            self._paint_columns(painter, plane, self._times[first:last], values, values)
        elif last > first:
            steps = np.diff(self._times[seen])
            distance = plane.scale_x * float(np.median(steps)) if len(steps) else 0.0
            # Qt has a fast way for lines one pixel wide; wider ones are outlined first, which few corners can afford.
            pen = QPen(self.theme.colour("mouth"), 1.5 if count < _FEW_FRAMES else 1.0)
            times, values = self._times[first:last], self._values[first:last]
            self._paint_line(painter, plane, times, values, pen, has_dots=distance >= _DOT_PIXELS)
        paint_bursts(painter, plane, self._bursts, self.theme.colour("plosive"), downwards=True)

    def _between(self, start: float, stop: float) -> tuple[int, int]:
        """Return which frames lie between two times, one more on either side."""
        first, last = np.searchsorted(self._times, (start, stop))
        return max(0, int(first) - 1), min(len(self._times), int(last) + 1)

    def _paint_columns(self, painter: QPainter, plane: Plane, times: Floats, highest: Floats, lowest: Floats) -> None:
        """Paint a column per pixel of the screen; each moment has a highest and a lowest value."""
        width = 1 / (plane.scale_x * plane.ratio)
        column = np.floor(times / width).astype(np.int64)
        begins = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
        high = np.fmax.reduceat(highest, begins)
        low = np.fmin.reduceat(lowest, begins)
        seen = np.isfinite(high)
        places = whole_pixels(plane, float(column[0]) * width, column[begins] - column[0])
        x = places[seen]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        top = plane.shift_y + plane.scale_y * high[seen]
        painter.setPen(QPen(self.theme.colour("mouth", 0.3), 0))
        painter.drawPath(bars(x, top, np.full(len(x), plane.y(_CLOSED))))
        painter.setPen(QPen(self.theme.colour("mouth"), 0))
        painter.drawPath(bars(x, top, plane.shift_y + plane.scale_y * low[seen]))
        heights = plane.shift_y + plane.scale_y * high
        painter.drawPath(polyline(places, heights))

    def _paint_line(
        self, painter: QPainter, plane: Plane, times: Floats, values: Floats, pen: QPen, *, has_dots: bool
    ) -> None:
        x, y = plane.shift_x + plane.scale_x * times, plane.shift_y + plane.scale_y * values
        line = polyline(x, y)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        painter.fillPath(_area(x, y, plane.y(_CLOSED)), self.theme.colour("mouth", 0.18))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.strokePath(line, pen)
        if has_dots:
            painter.setPen(self.theme.colour("panel"))
            painter.setBrush(self.theme.colour("mouth"))
            for at, height in zip(x.tolist(), y.tolist(), strict=True):
                if math.isfinite(height):
                    painter.drawEllipse(int(at) - 3, int(height) - 3, 6, 6)


def _longest_gap(times: Floats) -> float:
    """Return from which distance on two frames are not neighbours, seconds."""
    return 3.5 * float(np.median(np.diff(times))) if len(times) > 1 else np.inf


def _area(x: Floats, y: Floats, base: float) -> QPainterPath:
    """Return the area between a line with gaps and a horizontal one."""
    path = QPainterPath()
    for part in np.split(np.arange(len(x)), np.flatnonzero(~np.isfinite(y))):
        kept = part[np.isfinite(y[part])]
        if len(kept) > 1:
            xs = np.concatenate([x[kept[:1]], x[kept], x[kept[-1:]]])
            ys = np.concatenate([[base], y[kept], [base]])
            path.addPath(polyline(xs, ys))
    return path

"""The offset lane: what was measured over time, how sure it is, the line through it, and what the standards allow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from desktop_app.timeline.plane import Floats, Plane, PlaneItem, bars, crisp
from desktop_app.tones import tone_of
from engine.sync.result import Kind, Measurement, OffsetPoint
from engine.sync.verdict import EBU_R37, IN_SYNC_MS, ITU_DETECTABLE

_LEAST_REACH_MS = 150.0
"""The lane shows at least the standards' bands."""

_BANDS = (("poor", ITU_DETECTABLE, EBU_R37.late_ms), ("good", EBU_R37, IN_SYNC_MS))
"""Colour, tolerance, and how late the next one within ends, in milliseconds."""

_NAME_PIXELS = 14.0
"""Room that the name of a band needs."""
_CROWDED_PIXELS = 18.0
"""With less than this per point, points are not painted one by one."""

Fit = Callable[[float], float]


def reach_of(measurement: Measurement | None, anchors_ms: Sequence[float] = ()) -> float:
    """Return how many milliseconds the lane shows on either side of zero, a round number.

    Args:
        measurement: its points and its number are to be seen; a wild point is not.
        anchors_ms: corrections at the anchors, all of which are to be seen.
    """
    found = [abs(point.offset_ms) + point.uncertainty_ms for point in measurement.points] if measurement else []
    if measurement is not None and measurement.offset_ms is not None:
        found.append(abs(measurement.offset_ms))
    # Wild points are drawn at the edge; one of them must not flatten all others.
    usual = 1.25 * float(np.quantile(found, 0.95)) if found else 0.0
    wanted = max(_LEAST_REACH_MS, usual, *(1.1 * abs(ms) for ms in anchors_ms))
    return math.ceil(wanted / 50) * 50.0


def fit_of(measurement: Measurement | None) -> Fit | None:
    """Return the offset in milliseconds at any second, as measured; ``None`` where there is no number."""
    if measurement is None or measurement.offset_ms is None:
        return None
    if measurement.kind is Kind.DRIFT and measurement.drift_ppm is not None:
        at_zero, ppm = measurement.drift_offset_at_zero_ms or 0.0, measurement.drift_ppm
        return lambda seconds: at_zero + ppm * seconds / 1000
    if measurement.kind is Kind.STEPS and measurement.steps:
        steps = measurement.steps
        return lambda seconds: next(
            (step.offset_ms for step in reversed(steps) if step.t <= seconds), steps[0].offset_ms
        )
    offset = measurement.offset_ms
    return lambda _: offset


class OffsetPoints(PlaneItem):
    """Points with confidence bars over the bands of the standards; upwards: sound late, in milliseconds."""

    def __init__(self) -> None:
        super().__init__(-_LEAST_REACH_MS, _LEAST_REACH_MS)
        self._points: Sequence[OffsetPoint] = ()
        self._times: Floats = np.zeros(0)
        self._offsets: Floats = np.zeros(0)
        self._spreads: Floats = np.zeros(0)
        self._names = np.zeros(0, "U8")
        self._longest = 0.0
        self._fit: Fit | None = None
        self._breaks: tuple[float, ...] = ()
        self._applied: Fit | None = None
        self._applied_breaks: tuple[float, ...] = ()
        self._selected = -1
        self._reach = _LEAST_REACH_MS
        self._view_start = 0.0
        self._font = QFont()
        self._font.setPixelSize(10)

    def set_view_start(self, seconds: float) -> None:
        """Say which time is at the left edge of the screen, where the bands are named."""
        self._view_start = seconds

    def set_reach(self, reach: float) -> None:
        """Say how many milliseconds the lane reaches to either side."""
        self._reach = reach
        self.set_bounds(self._bounds.left(), self._bounds.right(), -reach, reach)
        self.update()

    def set_measurement(self, measurement: Measurement | None) -> None:
        """Show a measurement."""
        self._points = measurement.points if measurement else ()
        self._times = np.array([point.t for point in self._points], np.float64)
        self._offsets = np.array([point.offset_ms for point in self._points], np.float64)
        self._spreads = np.array([point.uncertainty_ms for point in self._points], np.float64)
        self._names = np.array([_colour_name(point) for point in self._points], "U8")
        self._longest = max((point.seconds / 2 for point in self._points), default=0.0)
        self._fit = fit_of(measurement)
        self._breaks = tuple(step.t for step in measurement.steps) if measurement else ()
        self.update()

    def set_applied(self, offset_undone: Fit, breaks: tuple[float, ...]) -> None:
        """Show which offset, in milliseconds at any second, the present correction undoes, and where that jumps."""
        self._applied, self._applied_breaks = offset_undone, breaks
        self.update()

    def select(self, index: int) -> None:
        """Mark a point; -1 marks none."""
        self._selected = index
        self.update()

    def nearest(self, seconds: float, ms: float, seconds_per_pixel: float, ms_per_pixel: float, reach: float) -> int:
        """Return the index of the point within ``reach`` pixels of a place, or -1."""
        best, found = reach, -1
        for index, point in enumerate(self._points):
            height = max(-self._reach, min(self._reach, point.offset_ms))
            distance = math.hypot((point.t - seconds) / seconds_per_pixel, (height - ms) / ms_per_pixel)
            if distance <= best:
                best, found = distance, index
        return found

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint bands, lines and points."""
        self._paint_bands(painter, plane)
        if self._applied is not None:
            pen = QPen(self.theme.colour("accent"), 1, Qt.PenStyle.DashLine)
            self._paint_line(painter, plane, self._applied, self._applied_breaks, pen)
        if self._fit is not None:
            self._paint_line(painter, plane, self._fit, self._breaks, QPen(self.theme.colour("text", 0.85), 1))
        self._paint_names(painter, plane)
        self._paint_points(painter, plane)

    def _paint_bands(self, painter: QPainter, plane: Plane) -> None:
        left, width = plane.exposed.left(), plane.exposed.width()
        for colour, band, _ in _BANDS:
            top, bottom = plane.y(min(band.late_ms, self._reach)), plane.y(max(-band.early_ms, -self._reach))
            painter.fillRect(QRectF(left, top, width, bottom - top), self.theme.colour(colour, 0.10))
        top, bottom = plane.y(IN_SYNC_MS), plane.y(-IN_SYNC_MS)
        painter.fillRect(QRectF(left, top, width, bottom - top), self.theme.colour("good", 0.08))
        painter.fillRect(QRectF(left, crisp(plane.y(0)) - 0.5, width, 1), self.theme.colour("muted", 0.8))

    def _paint_names(self, painter: QPainter, plane: Plane) -> None:
        """Write which standard a band belongs to, at its upper edge and the left end of the screen; lines end there."""
        painter.setFont(self._font)
        metrics = QFontMetricsF(self._font)
        for colour, band, next_late in _BANDS:
            top = plane.y(min(band.late_ms, self._reach))
            if plane.y(next_late) - top < _NAME_PIXELS:
                continue
            place = QPointF(plane.x(self._view_start) + 6, top + 11)
            box = QRectF(place.x() - 3, top + 1, metrics.horizontalAdvance(band.name) + 6, _NAME_PIXELS - 2)
            painter.fillRect(box, self.theme.colour("panel", 0.85))
            painter.setPen(self.theme.colour(colour))
            painter.drawText(place, band.name)

    def _paint_line(self, painter: QPainter, plane: Plane, fit: Fit, breaks: tuple[float, ...], pen: QPen) -> None:
        # From one end of the screen to the other, so that dashes stay where they are.
        first, last = plane.screen_times
        edges = [first, *sorted(at for at in breaks if first < at < last), last]
        # These lines are level or nearly so; smoothing them costs more than everything else in the lane.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        corners = []
        for start, stop in itertools.pairwise(edges):
            for seconds in (start, stop - 1e-9):
                height = max(-self._reach, min(self._reach, fit(seconds)))
                corners.append(QPointF(plane.x(seconds), plane.y(height)))
        painter.drawPolyline(QPolygonF(corners))

    def _paint_points(self, painter: QPainter, plane: Plane) -> None:
        reach = self._longest + 8 / plane.scale_x
        seen = np.flatnonzero((self._times > plane.start - reach) & (self._times < plane.stop + reach))
        first, last = plane.screen_times
        on_screen = np.count_nonzero((self._times > first - reach) & (self._times < last + reach))
        if on_screen > plane.screen_width / _CROWDED_PIXELS:
            self._paint_crowd(painter, plane, seen)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index in seen.tolist():
            point = self._points[index]
            colour = self.theme.colour(_colour_name(point))
            x = plane.x(point.t)
            outside = abs(point.offset_ms) > self._reach
            y = plane.y(max(-self._reach, min(self._reach, point.offset_ms)))
            self._paint_bars(painter, plane, point, x, y, colour)
            radius = 2.5 + 2.5 * point.confidence
            painter.setPen(QPen(self.theme.colour("panel"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush if outside else colour)
            if index == self._selected:
                painter.setPen(QPen(self.theme.colour("text"), 2))
                radius += 1.5
            painter.drawEllipse(QPointF(x, y), radius, radius)

    def _paint_crowd(self, painter: QPainter, plane: Plane, seen: npt.NDArray[np.intp]) -> None:
        """Paint more points than can be told apart: a line and a dot each, all of one colour at once."""
        x = plane.shift_x + plane.scale_x * self._times[seen]
        offsets, spread, names = self._offsets[seen], self._spreads[seen], self._names[seen]
        top, middle, bottom = (
            plane.shift_y + plane.scale_y * np.clip(values, -self._reach, self._reach)
            for values in (offsets + spread, offsets, offsets - spread)
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        for name in np.unique(names).tolist():
            chosen = names == name
            painter.setPen(QPen(self.theme.colour(name, 0.45), 1))
            painter.drawPath(bars(x[chosen], top[chosen], bottom[chosen]))
            painter.setPen(QPen(self.theme.colour(name), 0))
            painter.drawPath(bars(x[chosen], middle[chosen] - 1.5, middle[chosen] + 1.5))
            painter.drawPath(bars(x[chosen] + 1, middle[chosen] - 1.5, middle[chosen] + 1.5))

    def _paint_bars(
        self, painter: QPainter, plane: Plane, point: OffsetPoint, x: float, y: float, colour: QColor
    ) -> None:
        faint = QColor(colour)
        faint.setAlphaF(0.3 + 0.5 * point.confidence)
        painter.setPen(QPen(faint, 1.5))
        low = plane.y(max(-self._reach, point.offset_ms - point.uncertainty_ms))
        high = plane.y(min(self._reach, point.offset_ms + point.uncertainty_ms))
        if low > high:
            painter.drawLine(QPointF(x, low), QPointF(x, high))
        faint.setAlphaF(0.12 + 0.25 * point.confidence)
        painter.setPen(QPen(faint, 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(
            QPointF(plane.x(point.t - point.seconds / 2), y), QPointF(plane.x(point.t + point.seconds / 2), y)
        )


def _colour_name(point: OffsetPoint) -> str:
    """Return what a point's offset means to a viewer, as the name of a colour."""
    if point.confidence < 0.5:
        return "muted"
    return tone_of(point.offset_ms)

"""The time axis: lines and times, the range that is worked on, and the user's markers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from desktop_app.timeline.plane import Plane, PlaneItem, crisp
from desktop_app.timeline.ticks import ticks

FLAG = 6.0
"""Half the width of a marker, pixels."""


class Ruler(PlaneItem):
    """The axis at the top; its lane reaches from 0 (lower edge) to 1."""

    def __init__(self) -> None:
        super().__init__(0.0, 1.0)
        self._markers: Sequence[tuple[float, str]] = ()
        self._selected = -1
        self._range: tuple[float | None, float | None] = (None, None)
        self._font = QFont()
        self._font.setPixelSize(11)
        self._view_stop = math.inf

    def set_view_stop(self, seconds: float) -> None:
        """Say which time is at the right edge of the screen: what does not fit before it is not written."""
        self._view_stop = seconds

    def set_markers(self, markers: Sequence[tuple[float, str]], selected: int = -1) -> None:
        """Show markers, ``(seconds, text)``; one of them may be selected."""
        self._markers, self._selected = markers, selected
        self.update()

    def set_range(self, start: float | None, stop: float | None) -> None:
        """Show the range; an open end is ``None``."""
        self._range = (start, stop)
        self.update()

    def marker_at(self, seconds: float, seconds_per_pixel: float) -> int:
        """Return the index of the marker under the pointer, or -1."""
        near = [
            (abs(time - seconds), index)
            for index, (time, _) in enumerate(self._markers)
            if abs(time - seconds) <= FLAG * seconds_per_pixel
        ]
        return min(near)[1] if near else -1

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint the axis."""
        bottom, top = plane.y(0), plane.y(1)
        self._paint_range(painter, plane, bottom)
        painter.setFont(self._font)
        metrics = QFontMetricsF(self._font)
        # Labels to the left of the exposed stretch may reach into it.
        marks = ticks(plane.seconds(plane.exposed.left() - 96), plane.stop, plane.exposed.width() + 96)
        painter.setPen(self.theme.colour("line"))
        for seconds in marks.small:
            x = crisp(plane.x(seconds))
            painter.drawLine(QPointF(x, bottom - 4), QPointF(x, bottom))
        for seconds in marks.large:
            x = crisp(plane.x(seconds))
            painter.setPen(self.theme.colour("muted", 0.7))
            painter.drawLine(QPointF(x, bottom - 8), QPointF(x, bottom))
            painter.setPen(self.theme.colour("muted"))
            text = marks.label(seconds)
            if x + 4 + metrics.horizontalAdvance(text) <= plane.x(self._view_stop):
                painter.drawText(QPointF(x + 4, bottom - 8 + metrics.descent()), text)
        for index, (seconds, text) in enumerate(self._markers):
            self._paint_marker(painter, plane, seconds, text, top, is_selected=index == self._selected)

    def _paint_range(self, painter: QPainter, plane: Plane, bottom: float) -> None:
        start, stop = self._range
        if start is None and stop is None:
            return
        left = plane.exposed.left() if start is None else plane.x(start)
        right = plane.exposed.right() if stop is None else plane.x(stop)
        painter.fillRect(QRectF(left, bottom - 4, right - left, 4), self.theme.colour("accent"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("accent"))
        for at, way in ((start, 1), (stop, -1)):
            if at is not None:
                x = plane.x(at)
                painter.drawPolygon(
                    QPolygonF([QPointF(x, bottom - 12), QPointF(x + 8 * way, bottom), QPointF(x, bottom)])
                )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def _paint_marker(
        self, painter: QPainter, plane: Plane, seconds: float, text: str, top: float, *, is_selected: bool
    ) -> None:
        x = crisp(plane.x(seconds))
        if not plane.exposed.left() - 200 <= x <= plane.exposed.right() + FLAG:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.colour("text"), 1.5) if is_selected else QPen(Qt.PenStyle.NoPen))
        painter.setBrush(self.theme.colour("marker"))
        corners = ((-FLAG, 2), (FLAG, 2), (FLAG, 8), (0, 14), (-FLAG, 8))
        painter.drawPolygon(QPolygonF([QPointF(x + dx, top + dy) for dx, dy in corners]))
        painter.setPen(self.theme.colour("marker"))
        painter.drawText(QPointF(x + FLAG + 4, top + 12), text)

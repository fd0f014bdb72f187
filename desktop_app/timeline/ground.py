"""What lies under every lane: its ground, time lines, the shade outside the range, and lines of markers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from desktop_app.timeline.plane import Plane, PlaneItem, crisp
from desktop_app.timeline.span import Span
from desktop_app.timeline.ticks import ticks


class Ground(PlaneItem):
    """The ground of one lane, under everything else in it."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__(low, high)
        self.setZValue(-10)
        self._file = Span(0.0, 1.0)
        self._markers: Sequence[float] = ()

    def set_file(self, file: Span) -> None:
        """Say where the file begins and ends; outside, the ground is darker."""
        self._file = file
        self.update()

    def set_markers(self, seconds: Sequence[float]) -> None:
        """Draw a line at each of the user's markers."""
        self._markers = seconds
        self.update()

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint the ground."""
        area = plane.exposed
        painter.fillRect(area, self.theme.colour("ground"))
        left, right = plane.x(self._file.start), plane.x(self._file.stop)
        inside = QRectF(left, area.top(), right - left, area.height()).intersected(area)
        painter.fillRect(inside, self.theme.colour("panel"))
        painter.setPen(QPen(self.theme.colour("line", 0.55), 1))
        for seconds in ticks(plane.start, plane.stop, area.width()).large:
            x = crisp(plane.x(seconds))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setPen(QPen(self.theme.colour("marker", 0.6), 1, Qt.PenStyle.DotLine))
        for seconds in self._markers:
            x = crisp(plane.x(seconds))
            if area.left() <= x <= area.right():
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))


class OutOfRange(PlaneItem):
    """The shade over what is left out, on top of everything in a lane."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__(low, high)
        self.setZValue(20)
        self._range: tuple[float | None, float | None] = (None, None)

    def set_range(self, start: float | None, stop: float | None) -> None:
        """Shade what is before ``start`` and after ``stop``."""
        self._range = (start, stop)
        self.update()

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint the shade."""
        area, (start, stop) = plane.exposed, self._range
        colour = self.theme.colour("shade", 0.45 if self.theme.is_dark else 0.22)
        if start is not None and plane.x(start) > area.left():
            painter.fillRect(QRectF(area.left(), area.top(), plane.x(start) - area.left(), area.height()), colour)
        if stop is not None and plane.x(stop) < area.right():
            painter.fillRect(QRectF(plane.x(stop), area.top(), area.right() - plane.x(stop), area.height()), colour)

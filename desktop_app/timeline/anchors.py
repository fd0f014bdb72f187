"""Anchors on the timeline: pins on the sound lane, by which it is pulled, and their levels in the offset lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from desktop_app.timeline.handle import HEIGHT
from desktop_app.timeline.plane import Plane, PlaneItem, crisp

RADIUS = 6.0
"""Half the size of a pin's head, pixels."""
_LABEL_HEIGHT = 16.0


@dataclass(frozen=True, slots=True)
class Pin:
    """An anchor as it is drawn.

    Attributes:
        shown: seconds on the picture's clock.
        offset_ms: the offset that it undoes; positive, sound late.
        text: how far the sound is moved there.
    """

    shown: float
    offset_ms: float
    text: str


class _Pins(PlaneItem):
    """What both drawings share."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__(low, high)
        self._pins: Sequence[Pin] = ()
        self._are_steps = False
        self._selected: int | None = None

    def set_pins(self, pins: Sequence[Pin], selected: int | None, *, are_steps: bool) -> None:
        """Draw these; each holds up to the next one if they are steps."""
        self._pins, self._selected, self._are_steps = pins, selected, are_steps
        self.update()

    def _choose_colours(self, painter: QPainter, index: int) -> None:
        is_selected = index == self._selected
        painter.setPen(QPen(self.theme.colour("text" if is_selected else "panel"), 2 if is_selected else 1))
        painter.setBrush(self.theme.colour("accent"))


class AnchorPins(_Pins):
    """A pin per anchor through the whole sound lane, its head in the bar at the top."""

    def __init__(self) -> None:
        super().__init__(-1.0, 1.0)
        self.setZValue(35)
        self._font = QFont()
        self._font.setPixelSize(11)

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint the pins, whatever the amplitude, from the upper edge of the lane on."""
        bounds = self.boundingRect()
        top, bottom = sorted((plane.y(bounds.top()), plane.y(bounds.bottom())))
        taken = float("-inf")
        for index, pin in enumerate(self._pins):
            x = crisp(plane.x(pin.shown))
            follows = plane.x(self._pins[index + 1].shown) if index + 1 < len(self._pins) else float("inf")
            width = QFontMetricsF(self._font).horizontalAdvance(pin.text) + 8
            left = label_place(x, width, taken, follows, plane.screen[1])
            taken = x if left is None else max(x, left + width)
            if x < plane.exposed.left() - 400 or x > plane.exposed.right() + RADIUS + width:
                continue
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            painter.setPen(QPen(self.theme.colour("accent"), 1))
            painter.drawLine(QPointF(x, top), QPointF(x, bottom))
            if left is not None:
                self._paint_label(painter, QRectF(left, top + HEIGHT, width, _LABEL_HEIGHT), pin.text)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._choose_colours(painter, index)
            self._paint_head(painter, QPointF(x, top + HEIGHT / 2))

    def _paint_head(self, painter: QPainter, middle: QPointF) -> None:
        if not self._are_steps:
            painter.drawEllipse(middle, RADIUS, RADIUS)
            return
        # A flag that points to what it moves.
        corners = ((-RADIUS / 2, -RADIUS), (RADIUS, -RADIUS), (RADIUS + 4, 0), (RADIUS, RADIUS), (-RADIUS / 2, RADIUS))
        painter.drawPolygon(QPolygonF([middle + QPointF(*corner) for corner in corners]))

    def _paint_label(self, painter: QPainter, box: QRectF, text: str) -> None:
        """Write how far the sound is moved."""
        painter.fillRect(box, self.theme.colour("panel", 0.85))
        painter.setFont(self._font)
        painter.setPen(self.theme.colour("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def label_place(x: float, width: float, taken: float, follows: float, edge: float) -> float | None:
    """Return where a pin's label begins: right of it, at the edge of the screen left of it, all in pixels.

    Args:
        x: the pin.
        width: of the label.
        taken: how far the pin before and its label reach.
        follows: the next pin.
        edge: the right end of what is seen.

    Returns:
        Its left end, ``None`` where other pins leave no room.
    """
    if x <= edge < x + 1 + width and x - 1 - width >= taken:
        return x - 1 - width
    return x + 1 if x + width <= follows else None


class AnchorLevels(_Pins):
    """A diamond per anchor in the offset lane, at the offset that it undoes."""

    def __init__(self, reach: float) -> None:
        super().__init__(-reach, reach)
        self.setZValue(15)

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint the diamonds; one beyond the lane's reach lies at its edge."""
        bounds = self.boundingRect()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, pin in enumerate(self._pins):
            x = crisp(plane.x(pin.shown))
            if not plane.exposed.left() - RADIUS <= x <= plane.exposed.right() + RADIUS:
                continue
            y = plane.y(min(max(pin.offset_ms, bounds.top()), bounds.bottom()))
            self._choose_colours(painter, index)
            corners = ((0, -RADIUS), (RADIUS, 0), (0, RADIUS), (-RADIUS, 0))
            painter.drawPolygon(QPolygonF([QPointF(x + dx, y + dy) for dx, dy in corners]))

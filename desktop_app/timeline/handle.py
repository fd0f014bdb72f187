"""The bar on the sound lane by which the sound is dragged."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from desktop_app.letters import small_pixels
from desktop_app.timeline.plane import Plane, PlaneItem

HEIGHT = 18.0
"""Pixels."""
_MARGIN = 8.0
_HEAD = 12.0
"""Pixels that a pin's head takes on either side, with a little distance."""


class Handle(PlaneItem):
    """A bar along the top of the sound; it says how far the sound is moved."""

    def __init__(self) -> None:
        super().__init__(-1.0, 1.0)
        self.setZValue(30)
        self._text = ""
        self._lit = False
        self._view_start = 0.0
        self._pins: list[float] = []

    def set_view_start(self, seconds: float) -> None:
        """Say which time is at the left edge of the screen, where the grip stays in sight."""
        self._view_start = seconds
        self.update()

    def set_text(self, text: str) -> None:
        """Show how far the sound is moved."""
        if text != self._text:
            self._text = text
            self.update()

    def set_pins(self, seconds: Sequence[float]) -> None:
        """Say where pins stand in the bar, so that its words keep clear of them."""
        self._pins = sorted(seconds)
        self.update()

    def set_lit(self, *, lit: bool) -> None:
        """Light up while the pointer is on it."""
        if lit != self._lit:
            self._lit = lit
            self.update()

    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint the bar, whatever the amplitude, at the upper edge of the lane."""
        bounds = self.boundingRect()
        left, right = plane.x(bounds.left()), plane.x(bounds.right())
        top = min(plane.y(bounds.top()), plane.y(bounds.bottom()))
        shown = QRectF(left, top, right - left, HEIGHT)
        visible = shown.intersected(QRectF(plane.exposed.left(), top, plane.exposed.width(), HEIGHT))
        if visible.isEmpty():
            return
        painter.fillRect(visible, self.theme.colour("sound", 0.55 if self._lit else 0.28))
        painter.fillRect(QRectF(visible.left(), top + HEIGHT - 1, visible.width(), 1), self.theme.colour("sound", 0.8))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("text", 0.75))
        self._paint_grip(painter, plane, shown, top)

    def _paint_grip(self, painter: QPainter, plane: Plane, shown: QRectF, top: float) -> None:
        """Paint the grip and the text at the left end, or where the lane begins if that is off the screen."""
        font = QFont()
        font.setPixelSize(small_pixels())
        metrics = QFontMetricsF(font)
        x = max(shown.left(), plane.x(self._view_start)) + _MARGIN
        width = metrics.horizontalAdvance(self._text)
        words = clear_of([plane.x(pin) for pin in self._pins], x + 20, width)
        for column in range(3):
            for row in range(2):
                painter.drawEllipse(QPointF(x + 2 + column * 4, top + 7 + row * 4), 1.25, 1.25)
        painter.setFont(font)
        painter.setPen(self.theme.colour("text"))
        if words + width <= shown.right():
            painter.drawText(QPointF(words, top + HEIGHT / 2 + metrics.ascent() / 2 - 2), self._text)


def clear_of(heads: Sequence[float], left: float, width: float) -> float:
    """Return where words begin that no pin's head covers: as far left as possible.

    Args:
        heads: the middles of the heads, from left to right, in pixels.
        left: where the words may begin.
        width: of the words.
    """
    for head in heads:
        if left - _HEAD < head < left + width + _HEAD:
            left = head + _HEAD
    return left

"""A lane: a pyqtgraph view box on the shared time axis with its heading to the left."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QGraphicsItem, QGraphicsWidget, QSizePolicy, QStyleOptionGraphicsItem, QWidget

from desktop_app.letters import small_pixels
from desktop_app.theme import DARK, GRID, Theme
from desktop_app.timeline.ground import Ground, OutOfRange
from desktop_app.timeline.plane import PlaneItem
from desktop_app.timeline.span import Span

HEADING_WIDTH = 14 * GRID
NO_SIZE = QSizeF()


class Heading(QGraphicsWidget):
    """What stands left of a lane: its name, a line under it, and the values of its vertical axis."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setPreferredWidth(HEADING_WIDTH)
        self.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self._theme = DARK
        self._title, self._detail = "", ""
        self._values: Sequence[tuple[float, str]] = ()

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self._theme = theme
        self.update()

    def set_text(self, title: str, detail: str = "") -> None:
        """Show a name and a line under it."""
        self._title, self._detail = title, detail
        self.setToolTip(detail)
        self.update()

    def set_values(self, values: Sequence[tuple[float, str]]) -> None:
        """Show axis values, ``(share of the height from the top, text)``."""
        self._values = values
        self.update()

    def sizeHint(self, which: Qt.SizeHint, constraint: QSizeF | QSize = NO_SIZE) -> QSizeF:  # noqa: ARG002
        """Return the width of the heading (Qt's name)."""
        heights = {Qt.SizeHint.MinimumSize: 0.0, Qt.SizeHint.PreferredSize: 4.0 * GRID}
        return QSizeF(HEADING_WIDTH, heights.get(which, 1e4))

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002
        """Paint it (Qt's name)."""
        area = QRectF(QPointF(0, 0), self.size())
        painter.fillRect(area, self._theme.colour("raised"))
        font = QFont()
        font.setPixelSize(12)
        font.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(self._theme.colour("text"))
        room = area.width() - GRID * (5 if self._values else 2)
        y = GRID / 2 + metrics.ascent() + 2
        for line in _wrapped(self._title, metrics, room):
            painter.drawText(QPointF(GRID, y), line)
            y += metrics.height()
        font.setPixelSize(small_pixels())
        font.setWeight(QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(self._theme.colour("muted"))
        small = QFontMetricsF(font)
        lines = _wrapped(self._detail, small, room)
        # A sentence cut off in the middle says nothing: all of it, or none.
        if y + (len(lines) - 1) * small.height() + small.descent() <= area.height():
            for line in lines:
                painter.drawText(QPointF(GRID, y), line)
                y += small.height()
        for share, text in self._values:
            middle = min(max(share * area.height(), small.height() / 2), area.height() - small.height() / 2)
            left = area.right() - small.horizontalAdvance(text) - 6
            painter.drawText(QPointF(left, middle + small.ascent() / 2 - 1), text)


def _wrapped(text: str, metrics: QFontMetricsF, room: float) -> list[str]:
    """Break a text into lines that fit; a word that does not fit alone gets an ellipsis."""
    lines: list[str] = []
    current = ""
    pieces = text.split(" ") if " " in text or metrics.horizontalAdvance(text) <= room else list(text)
    joint = " " if " " in text else ""
    for piece in pieces:
        longer = f"{current}{joint}{piece}" if current else piece
        if current and metrics.horizontalAdvance(longer) > room:
            lines.append(current)
            current = piece
        else:
            current = longer
    lines.append(current)
    return [metrics.elidedText(line, Qt.TextElideMode.ElideRight, room) for line in lines if line]


class Lane:
    """One lane.

    Attributes:
        box: the view box, seconds across.
        heading: what stands left of it.
        ground: under everything.
        shade: over everything.
    """

    def __init__(self, low: float, high: float) -> None:
        self.box = pyqtgraph.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0)
        self.box.disableAutoRange()
        self.box.setMinimumHeight(0)
        self.heading = Heading()
        self.ground = Ground(low, high)
        self.shade = OutOfRange(low, high)
        self._items: list[PlaneItem] = []
        self.low, self.high = low, high
        self.add(self.ground)
        self.add(self.shade)
        self.box.setYRange(low, high, padding=0)

    def add(self, item: PlaneItem) -> None:
        """Put an item into the lane."""
        self._items.append(item)
        self.box.addItem(item, ignoreBounds=True)

    def remove(self, item: PlaneItem) -> None:
        """Take an item out of the lane."""
        self._items.remove(item)
        self.box.removeItem(item)

    def set_span(self, span: Span) -> None:
        """Show a stretch of time."""
        self.box.setXRange(span.start, span.stop, padding=0)

    def set_limits(self, low: float, high: float) -> None:
        """Show other values."""
        self.low, self.high = low, high
        self.box.setYRange(low, high, padding=0)
        for item in (self.ground, self.shade):
            bounds = item.boundingRect()
            item.set_bounds(bounds.left(), bounds.right(), low, high)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.heading.set_theme(theme)
        for item in self._items:
            item.set_theme(theme)

    def set_visible(self, *, visible: bool) -> None:
        """Show or hide the lane."""
        items: tuple[QGraphicsItem, ...] = (self.box, self.heading)
        for item in items:
            item.setVisible(visible)

    def area(self) -> QRectF:
        """Return where the view box is, in pixels of the scene."""
        return QRectF(self.box.sceneBoundingRect())

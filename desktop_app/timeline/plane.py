"""What all items of the timeline share: seconds to pixels, and painting in whole pixels.

Items live in the coordinates of their lane (seconds across, the lane's own unit upwards) so that panning, zooming and
moving are a matter of transforms; they paint in pixels, so that nothing is spent on what cannot be told apart.

While a clip plays only the strip around the playhead is painted anew. It has to look as it did when the whole lane was
painted: what is drawn at all, and how finely, follows from all that is on screen, never from what is exposed.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from pyqtgraph import arrayToQPath
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QGraphicsItem, QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from desktop_app.theme import DARK, Theme

Floats = npt.NDArray[np.float64]

_MARGIN = 8.0
"""Pixels beside what is exposed that are painted too (and clipped): marks and lines reach beyond their own time."""


@dataclass(frozen=True, slots=True)
class Plane:
    """How an item's coordinates lie on the screen while it is painted.

    Attributes:
        scale_x: pixels per second.
        shift_x: pixel of second 0.
        scale_y: pixels per unit, negative where up is positive.
        shift_y: pixel of value 0.
        exposed: what has to be painted, in pixels.
        screen: from where to where something may be seen, in pixels across.
        ratio: device pixels per pixel.
    """

    scale_x: float
    shift_x: float
    scale_y: float
    shift_y: float
    exposed: QRectF
    screen: tuple[float, float]
    ratio: float

    def x(self, seconds: float) -> float:
        """Return the pixel of a time."""
        return self.shift_x + self.scale_x * seconds

    def y(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.shift_y + self.scale_y * value

    def seconds(self, pixel: float) -> float:
        """Return the time at a pixel."""
        return (pixel - self.shift_x) / self.scale_x

    @property
    def start(self) -> float:
        """First time that has to be painted."""
        return self.seconds(self.exposed.left())

    @property
    def stop(self) -> float:
        """Last time that has to be painted."""
        return self.seconds(self.exposed.right())

    @property
    def screen_width(self) -> float:
        """How many pixels across may be seen."""
        return self.screen[1] - self.screen[0]

    @property
    def screen_times(self) -> tuple[float, float]:
        """First and last time that may be seen."""
        return self.seconds(self.screen[0]), self.seconds(self.screen[1])


class PlaneItem(QGraphicsObject):
    """An item that paints in pixels; a base class.

    Attributes:
        theme: the colours.
    """

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        # Without this flag Qt gives the whole item as exposed, and a moving playhead would repaint everything.
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.theme = DARK
        self._bounds = QRectF(0, low, 1, high - low)

    def set_theme(self, theme: Theme) -> None:
        """Take other colours."""
        self.theme = theme
        self.update()

    def set_times(self, start: float, stop: float) -> None:
        """Say which times the item may paint."""
        self.set_bounds(start, stop, self._bounds.top(), self._bounds.bottom())

    def set_bounds(self, start: float, stop: float, low: float, high: float) -> None:
        """Say where the item may paint, in its own coordinates."""
        bounds = QRectF(start, low, max(stop - start, 1e-6), high - low)
        if bounds != self._bounds:
            self.prepareGeometryChange()
            self._bounds = bounds

    def boundingRect(self) -> QRectF:
        """Return where it may paint (Qt's name)."""
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Paint what is exposed, in pixels (Qt's name)."""
        transform = painter.worldTransform()
        bounds = transform.mapRect(self._bounds)
        exposed = transform.mapRect(option.exposedRect).adjusted(-_MARGIN, 0, _MARGIN, 0).intersected(bounds)
        left, right = bounds.left(), bounds.right()
        if widget is not None:
            left, right = max(left, 0.0), min(right, float(widget.width()))
        ratio = widget.devicePixelRatioF() if widget is not None else painter.device().devicePixelRatio()
        plane = Plane(
            scale_x=transform.m11(),
            shift_x=transform.dx(),
            scale_y=transform.m22(),
            shift_y=transform.dy(),
            exposed=exposed,
            screen=(left, max(left, right)),
            ratio=ratio,
        )
        if plane.scale_x <= 0 or exposed.isEmpty():
            return
        painter.save()
        painter.resetTransform()
        try:
            self.paint_plane(painter, plane)
        finally:
            painter.restore()

    @abstractmethod
    def paint_plane(self, painter: QPainter, plane: Plane) -> None:
        """Paint in pixels."""


def bars(x: Floats, top: Floats, bottom: Floats) -> QPainterPath:
    """Return a path of vertical lines, shape ``(n,)`` each, in pixels."""
    xs = np.repeat(x, 2)
    ys = np.empty(2 * len(x), np.float64)
    ys[0::2] = top
    ys[1::2] = bottom
    return cast(QPainterPath, arrayToQPath(xs, ys, connect="pairs"))


def polyline(x: Floats, y: Floats) -> QPainterPath:
    """Return a path through points in pixels, interrupted where ``y`` is not finite."""
    return cast(QPainterPath, arrayToQPath(x, y, connect="finite"))


def whole_pixels(plane: Plane, start: float, columns: npt.NDArray[np.int64]) -> Floats:
    """Return the middles of device pixels for columns one device pixel wide, shape ``(n,)``, in pixels.

    Rounding each for itself would now and then put two columns on one pixel and leave the next one empty.

    Args:
        plane: the lane.
        start: time at which column 0 begins, seconds.
        columns: their numbers.
    """
    first = np.floor(plane.x(start) * plane.ratio + 1e-6) + 0.5
    return np.asarray((first + columns) / plane.ratio, np.float64)


def crisp(pixel: float) -> float:
    """Return the middle of the pixel, where a line one pixel wide is sharp."""
    return float(np.floor(pixel)) + 0.5

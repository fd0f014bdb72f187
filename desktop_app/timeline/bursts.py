"""The mark of a plosive: a thin line with a diamond, seen in the mouth lane and heard in the sound lane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from desktop_app.timeline.plane import Plane, bars, crisp

_HALF = 4.0
"""Half the height of the diamond, pixels."""
_LEAST_DISTANCE = 3.0
"""Pixels between marks below which there are too many to tell apart, so none is drawn."""
_DIAMOND_DISTANCE = 18.0
"""Pixels between marks below which their diamonds would touch, so that only lines are drawn."""


def paint_bursts(
    painter: QPainter,
    plane: Plane,
    seconds: npt.NDArray[np.float64],
    colour: QColor,
    *,
    reach: float = 1.0,
    downwards: bool,
) -> None:
    """Paint marks at some times across the lane.

    Args:
        painter: painting in pixels.
        plane: the lane.
        seconds: times, ascending, shape ``(n,)``.
        colour: of line and diamond.
        reach: the lane shows values from minus to plus this.
        downwards: whether the diamond stands at the lower edge (towards the lane below) or at the upper one.
    """
    first, last = np.searchsorted(seconds, plane.screen_times)
    seen = last - first
    if seen == 0 or seen > plane.screen_width / _LEAST_DISTANCE + 2:
        return
    first, last = np.searchsorted(seconds, (plane.start, plane.stop))
    seconds = seconds[first:last]
    edges = plane.y(reach), plane.y(-reach)
    top, bottom = min(edges), max(edges)
    x = np.floor(plane.shift_x + plane.scale_x * seconds) + 0.5
    faint = QColor(colour)
    faint.setAlphaF(0.45)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    painter.setPen(QPen(faint, 1))
    painter.drawPath(bars(x, np.full(len(x), top), np.full(len(x), bottom)))
    if seen > plane.screen_width / _DIAMOND_DISTANCE + 2:
        return
    y = crisp(bottom - _HALF - 1 if downwards else top + _HALF + 1)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1))
    painter.setBrush(colour)
    for at in x.tolist():
        corners = ((0, -_HALF), (_HALF, 0), (0, _HALF), (-_HALF, 0))
        painter.drawPolygon(QPolygonF([QPointF(at + dx, y + dy) for dx, dy in corners]))

"""A line through all lanes at a moment: the playhead, and the pointer's shadow."""

from __future__ import annotations

import math

from PySide6.QtCore import QLineF
from PySide6.QtWidgets import QGraphicsLineItem

from desktop_app.timeline.places import Places


class Upright(QGraphicsLineItem):
    """The line; belongs to the scene, over the lanes.

    Args:
        level: of lines that lie over each other the one with the higher level covers the others.
    """

    def __init__(self, level: float) -> None:
        super().__init__()
        self.setZValue(level)
        self.setVisible(False)

    def place(self, places: Places, seconds: float, *, visible: bool) -> None:
        """Put it at a moment; it is not seen where that is off the screen."""
        x = math.floor(places.pixel(seconds)) + 0.5
        area = places.area()
        self.setVisible(visible and area.left() <= x <= area.right())
        self.setLine(QLineF(x, 0, x, self.scene().views()[0].viewport().height()))

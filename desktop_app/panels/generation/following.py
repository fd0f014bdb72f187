"""Draw what a render tells many times a second only so often as somebody can see."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from desktop_app.work.rendering import Rendering

_MILLISECONDS = 50


class Following(QObject):
    """Says which render has to be drawn anew: one that runs calmly, and everything else at once.

    Args:
        rendering: tells what changes.
        draw: is called with the number of the render.
        parent: ends it.
    """

    def __init__(self, rendering: Rendering, draw: Callable[[int], object], parent: QObject) -> None:
        super().__init__(parent)
        self._rendering = rendering
        self._draw = draw
        self._asked: dict[int, None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_MILLISECONDS)
        self._timer.timeout.connect(self._draw_asked)
        rendering.changed.connect(self._follow)

    def soon(self, number: int) -> None:
        """Draw a render in a moment, once for all who asked meanwhile."""
        self._asked[number] = None
        if not self._timer.isActive():
            self._timer.start()

    def _follow(self, number: int) -> None:
        item = self._rendering.item(number)
        if item is not None and item.is_running:
            self.soon(number)
        else:
            self._asked.pop(number, None)
            self._draw(number)

    def _draw_asked(self) -> None:
        asked, self._asked = self._asked, {}
        for number in asked:
            self._draw(number)

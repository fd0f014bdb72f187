"""Draw what changes many times a second only so often as somebody can see."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

_MILLISECONDS = 50


class Calm(QObject):
    """Calls something a moment after it was asked to, once for all that asked meanwhile.

    Args:
        handler: is called with the number for which it was asked.
        parent: ends it.
    """

    def __init__(self, handler: Callable[[int], object], parent: QObject) -> None:
        super().__init__(parent)
        self._handler = handler
        self._asked: dict[int, None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_MILLISECONDS)
        self._timer.timeout.connect(self._call)

    def soon(self, number: int) -> None:
        """Call it for a number in a moment."""
        self._asked[number] = None
        if not self._timer.isActive():
            self._timer.start()

    def now(self, number: int) -> None:
        """Call it for a number at once."""
        self._asked.pop(number, None)
        self._handler(number)

    def _call(self) -> None:
        asked, self._asked = self._asked, {}
        for number in asked:
            self._handler(number)
